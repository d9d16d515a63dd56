"""Reading the htpasswd file, at the start and for a reload."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

from twisted.logger import Logger

from pypid.config import Config, ConfigError, UsersConfig
from pypid.config.writable import writable_by_others
from pypid.domain.htpasswd import Htpasswd, HtpasswdError, parse_htpasswd

MOST_LINES = 20
"""Lines of the log for one file: it may have as many problems as users. `pypid user list` has them all."""

READ_AGAIN = 5
"""Times that a file is read which changes meanwhile: Apache's htpasswd writes it over in place, in milliseconds."""

BETWEEN_READS = 0.02
"""Seconds."""

_log = Logger()


def read_users(config: UsersConfig, *, before: Htpasswd | None) -> Htpasswd | None:
    """
    Return the users; None when there is no user file, which is how everybody begins.

    ``before`` are the users in force. A file that is gone, cut off or without
    one usable entry is more likely an accident than a wish to lock them all
    out. Raises `ConfigError`. Blocks, a quarter of a second for 100 000 users.
    """
    path = config.htpasswd
    try:
        users = parse_htpasswd(_read(path), bcrypt_only=config.bcrypt_only)
    except FileNotFoundError as e:
        if before is not None:
            raise ConfigError([f"[users] htpasswd: {path} is gone"]) from e
        return None
    except (OSError, UnicodeDecodeError, HtpasswdError) as e:
        raise ConfigError([f"[users] htpasswd: {path} cannot be used: {e}"]) from e
    _report(path, users.problems)
    _report(path, users.warnings)
    if before is not None and before.hashes and not users.hashes and (users.problems or users.is_blank):
        why = "nobody in it could sign in any more: if that is meant, leave nothing but a comment in it"
        raise ConfigError([f"[users] htpasswd: {path} cannot be used: {why}"])
    return users


def _read(path: Path) -> str:
    for _ in range(READ_AGAIN):
        with path.open("rb") as file:
            before = os.fstat(file.fileno())
            content = file.read()
            after = os.fstat(file.fileno())
        if (before.st_mtime_ns, before.st_size) == (after.st_mtime_ns, after.st_size) and len(content) == after.st_size:
            return content.decode()
        time.sleep(BETWEEN_READS)
    raise OSError("it changes all the time")


def warn_of_writers(config: Config) -> None:
    """Log which of the files that decide who may do what every user of the machine could change. Blocks."""
    for problem in writable_by_others(config):
        _log.warn("{problem}", problem=problem)


def _report(path: Path, lines: Sequence[str]) -> None:
    for line in lines[:MOST_LINES]:
        _log.warn("{path}: {line}", path=str(path), line=line)
    if len(lines) > MOST_LINES:
        _log.warn(
            "{path}: and {count} lines more, which `pypid user list` shows",
            path=str(path),
            count=len(lines) - MOST_LINES,
        )
