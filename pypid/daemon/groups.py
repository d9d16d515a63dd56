"""The groups of users, at the start and for a reload."""

from __future__ import annotations

from collections.abc import Iterator

from twisted.logger import Logger

from pypid.config import Config, ConfigError
from pypid.domain.groups import Groups, read_group_file, united
from pypid.domain.htpasswd import Htpasswd
from pypid.domain.rights import ANONYMOUS, AUTHENTICATED, GROUP, Grant

MOST_LINES = 20
"""Lines of the log for one file."""

_log = Logger()


def read_groups(config: Config, users: Htpasswd | None) -> Groups:
    """
    Return the groups of the configuration and of the group file.

    Raises `ConfigError` for a file that cannot be read, and for a group that
    is granted something and is none: a typo would lock its users out. A user
    of that kind is only told, for he may be added at any time. Blocks.
    """
    groups = united([config.groups, _from_file(config)])
    problems = [
        f"{where}: there is no group {grant.who[len(GROUP) :]!r} (have: {', '.join(sorted(groups)) or 'none'})"
        for where, grant in _grants(config)
        if grant.who.startswith(GROUP) and grant.who[len(GROUP) :] not in groups
    ]
    if problems:
        raise ConfigError(problems)
    known = frozenset() if users is None else users.hashes.keys()
    for where, grant in _grants(config):
        if not grant.who.startswith(GROUP) and grant.who not in known | {ANONYMOUS, AUTHENTICATED}:
            _log.warn("{where}: there is no user {user} yet", where=where, user=grant.who)
    return groups


def _from_file(config: Config) -> Groups:
    path = config.users.group_file
    if path is None:
        return {}
    try:
        read = read_group_file(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as e:
        raise ConfigError([f"[users] group_file: {path} cannot be used: {e}"]) from e
    for line in read.problems[:MOST_LINES]:
        _log.warn("{path}: {line}", path=str(path), line=line)
    return read.groups


def _grants(config: Config) -> Iterator[tuple[str, Grant]]:
    """Yield each grant, and where it stands."""
    for name, index in config.indexes.items():
        for right, grants in index.rights.grants.items():
            for grant in grants:
                yield f"[index.{name}] {right.value}", grant
