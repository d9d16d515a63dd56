"""Finding and reading the configuration file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pypid.config.environment import CONFIG_VARIABLE
from pypid.config.parse import parse_config
from pypid.config.settings import Config, ConfigError

DEFAULT_PATH = Path("/etc/pypid.conf")
BUILT_IN_SOURCE = "built-in defaults"


def load_config(
    path: Path | None,
    environ: Mapping[str, str],
    *,
    default_path: Path = DEFAULT_PATH,
    directory: Path = Path(),
) -> Config:
    """
    Return the configuration in the file ``path``, changed by ``environ``.

    Without a path: that of PYPID_CONFIG, else ``default_path`` if it is
    there, else the built-in defaults, whose data is inside ``directory``.
    Raises `ConfigError`, also for a file that cannot be read. Blocks for as
    long as the disk does. A program that changes its working directory and
    reads again should pass absolute paths.
    """
    chosen = path or (Path(environ[CONFIG_VARIABLE]) if environ.get(CONFIG_VARIABLE) else None)
    file = chosen or default_path
    try:
        text = file.read_bytes().decode()
    except FileNotFoundError as e:
        if chosen is None:
            return parse_config("", environ, source=BUILT_IN_SOURCE, directory=directory)
        raise ConfigError([f"{file}: there is no such file"]) from e
    except UnicodeDecodeError as e:
        line = e.object.count(b"\n", 0, e.start) + 1
        raise ConfigError([f"{file}:{line}: not UTF-8 text"]) from e
    except (OSError, ValueError) as e:  # ValueError: a NUL in the path
        reason = e.strerror if isinstance(e, OSError) else str(e)
        raise ConfigError([f"{file}: cannot be read: {reason}"]) from e
    return parse_config(text, environ, source=str(file), directory=file.parent)
