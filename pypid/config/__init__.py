"""What pypid is told by pypid.conf and by the environment."""

from pypid.config.load import load_config
from pypid.config.parse import parse_config
from pypid.config.settings import (
    FIND_LINKS,
    SETTINGS,
    Config,
    ConfigError,
    DirectoryConfig,
    HostedConfig,
    IndexConfig,
    MirrorConfig,
    ServerConfig,
    Setting,
    UsersConfig,
)

__all__ = [
    "FIND_LINKS",
    "SETTINGS",
    "Config",
    "ConfigError",
    "DirectoryConfig",
    "HostedConfig",
    "IndexConfig",
    "MirrorConfig",
    "ServerConfig",
    "Setting",
    "UsersConfig",
    "load_config",
    "parse_config",
]
