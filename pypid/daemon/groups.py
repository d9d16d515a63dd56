"""The groups of users, at the start and for a reload."""

from __future__ import annotations

from twisted.logger import Logger

from pypid.config import Config
from pypid.config.group_files import load_groups, unknown_users
from pypid.domain.groups import Groups
from pypid.domain.htpasswd import Htpasswd

MOST_LINES = 20
"""Lines of the log for one file."""

_log = Logger()


def read_groups(config: Config, users: Htpasswd | None) -> Groups:
    """Return the groups, and log what else is to be said of them. Raises as `load_groups` does. Blocks."""
    given = load_groups(config)
    for line in (*given.problems[:MOST_LINES], *unknown_users(config, () if users is None else users.hashes.keys())):
        _log.warn("{line}", line=line)
    return given.groups
