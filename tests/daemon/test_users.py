"""Reading the file of users: an accident with it locks nobody out, and lets nobody in."""

from __future__ import annotations

from pathlib import Path

import pytest
from twisted.logger import capturedLogs, formatEvent

from pypid.config import ConfigError, UsersConfig
from pypid.daemon.users import MOST_LINES, read_users
from pypid.domain.htpasswd import parse_htpasswd

LINE = "alice:$2y$12$abcdefghijklmnopqrstu." + "A" * 31
BEFORE = parse_htpasswd(LINE)


@pytest.fixture
def config(tmp_path: Path) -> UsersConfig:
    return UsersConfig(htpasswd=tmp_path / "htpasswd")


@pytest.mark.parametrize("content", ["", "\ufeff\r\n", LINE[:30], "secret\n"])
def test_reload_that_would_lock_everybody_out_is_refused(config: UsersConfig, content: str) -> None:
    """D03: a file that was cut off. At the start there is nobody to lose."""
    config.htpasswd.write_text(content)
    with pytest.raises(ConfigError, match="could sign in any more"):
        read_users(config, before=BEFORE)
    users = read_users(config, before=None)
    assert users is not None
    assert users.hashes == {}
    assert read_users(config, before=users) == users


def test_file_of_comments_has_no_users_and_is_meant(config: UsersConfig) -> None:
    config.htpasswd.write_text("# no users\n")
    users = read_users(config, before=BEFORE)
    assert users is not None
    assert users.hashes == {}


def test_file_that_is_gone(config: UsersConfig) -> None:
    assert read_users(config, before=None) is None
    with pytest.raises(ConfigError, match="is gone"):
        read_users(config, before=BEFORE)


def test_log_has_the_first_lines_and_how_many_more(config: UsersConfig) -> None:
    config.htpasswd.write_text("".join(f"user{number}:plain\n" for number in range(MOST_LINES + 5)))
    with capturedLogs() as events:
        read_users(config, before=None)
    said = [formatEvent(event) for event in events]
    assert len(said) == MOST_LINES + 1
    assert "line 1: user 'user0' has" in said[0]
    assert said[-1] == f"{config.htpasswd}: and 5 lines more, which `pypid user list` shows"
