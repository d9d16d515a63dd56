"""The groups of users that grants can name: those of the configuration, and those of the group file."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from pypid.config.settings import Config, ConfigError
from pypid.domain.groups import Groups, read_group_file, united
from pypid.domain.rights import ANONYMOUS, AUTHENTICATED, GROUP, Grant


@dataclass(frozen=True, slots=True)
class GivenGroups:
    """All groups, and the lines of the file that say none."""

    groups: Groups
    problems: tuple[str, ...]


def load_groups(config: Config) -> GivenGroups:
    """
    Return the groups of ``config``.

    Raises `ConfigError` for a file that cannot be read, and for a group that
    is granted something and is none: a typo would lock its users out.
    """
    given = _from_file(config)
    groups = united([config.groups, given.groups])
    problems = [
        f"{where}: there is no group {grant.who[len(GROUP) :]!r} (have: {', '.join(sorted(groups)) or 'none'})"
        for where, grant in _grants(config)
        if grant.who.startswith(GROUP) and grant.who[len(GROUP) :] not in groups
    ]
    if problems:
        raise ConfigError(problems)
    return GivenGroups(groups, given.problems)


def unknown_users(config: Config, users: Collection[str]) -> Iterator[str]:
    """Yield a sentence for each user who is granted something and is none of ``users``: he may be added at any time."""
    for where, grant in _grants(config):
        if not grant.who.startswith(GROUP) and grant.who not in {ANONYMOUS, AUTHENTICATED, *users}:
            yield f"{where}: there is no user {grant.who!r} yet"


def _from_file(config: Config) -> GivenGroups:
    path = config.users.group_file
    if path is None:
        return GivenGroups({}, ())
    try:
        read = read_group_file(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as e:
        raise ConfigError([f"[users] group_file: {path} cannot be used: {e}"]) from e
    return GivenGroups(read.groups, tuple(f"{path}: {problem}" for problem in read.problems))


def _grants(config: Config) -> Iterator[tuple[str, Grant]]:
    """Yield each grant, and where it stands."""
    for name, index in config.indexes.items():
        for right, grants in index.rights.grants.items():
            for grant in grants:
                yield f"[index.{name}] {right.value}", grant
