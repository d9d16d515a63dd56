"""A mirror's credentials, from wherever the configuration has them."""

from __future__ import annotations

import netrc
from pathlib import Path

from pypid.config import ConfigError, MirrorConfig
from pypid.domain.credentials import Authorization, UnusableCredentials, authorization
from pypid.domain.names import IndexName
from pypid.domain.reach import origin_of


def upstream_authorization(name: IndexName, settings: MirrorConfig) -> Authorization | None:
    """Return what the upstream of ``name`` is sent with each request. Raises `ConfigError`."""
    user, password, token = settings.user, settings.password, settings.token
    try:
        if settings.secret_file is not None:
            if password or token:
                raise UnusableCredentials("there is a password or a token beside secret_file: one of them is too many")
            secret = settings.secret_file.read_text("utf-8").removesuffix("\n")
            password, token = (secret, "") if user else ("", secret)
        if settings.netrc is not None:
            if user or password or token:
                raise UnusableCredentials("there are credentials beside netrc: one of them is too many")
            user, password = _from_netrc(settings.netrc, settings.upstream)
        return authorization(origin_of(settings.upstream), user=user, password=password, token=token)
    except (OSError, UnicodeDecodeError, UnusableCredentials, netrc.NetrcParseError) as e:
        raise ConfigError([f"[index.{name}] credentials for the upstream cannot be used: {e}"]) from e


def _from_netrc(path: Path, upstream: str) -> tuple[str, str]:
    _, host, _ = origin_of(upstream)
    found = netrc.netrc(path).authenticators(host)
    if found is None:
        raise UnusableCredentials(f"{path} has nothing on {host}")
    login, _, password = found
    return login, password or ""
