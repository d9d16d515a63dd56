"""``pypid user``: people who may sign in."""

from __future__ import annotations

from pathlib import Path

import bcrypt
import pytest

from pypid.domain.htpasswd import parse_htpasswd
from tests.cli.command import pypid, without_settings

SIGHUP = "A running pypid reads the file on SIGHUP, kill -HUP and its process id"


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    without_settings(monkeypatch, tmp_path)


@pytest.fixture
def htpasswd(tmp_path: Path) -> Path:
    """Where the configuration that is read without an option has it."""
    return tmp_path / "pypid-data" / "htpasswd"


def accepts(htpasswd: Path, user: str, password: str) -> bool:
    return bcrypt.checkpw(password.encode(), parse_htpasswd(htpasswd.read_text()).hashes[user])


def test_a_user_is_added(tmp_path: Path, htpasswd: Path) -> None:
    """With the password from one line of stdin, spaces and all; and is told what to do next."""
    result = pypid("user", "add", "alice", "--stdin", stdin=" a pass: wörd \nnot this\n")
    data = tmp_path / "pypid-data"
    assert result.stdout == (f"added the user 'alice' to {htpasswd}\n{SIGHUP}; none was found running on {data}.\n")
    assert (result.exit_code, result.stderr) == (0, "")
    assert accepts(htpasswd, "alice", " a pass: wörd ")
    assert not accepts(htpasswd, "alice", "a pass: wörd")
    assert htpasswd.read_text().startswith("alice:$2y$")


def test_the_password_is_asked_for_twice(htpasswd: Path) -> None:
    result = pypid("user", "add", "alice", stdin="one\nother\nsecret\nsecret\n")
    assert result.exit_code == 0
    assert "do not match" in result.output
    assert "secret" not in result.output
    assert accepts(htpasswd, "alice", "secret")


def test_a_password_is_changed(htpasswd: Path) -> None:
    """Also that of a user who could not sign in, whose format pypid does not check."""
    htpasswd.parent.mkdir()
    htpasswd.write_text("# team\nalice:$apr1$x\nbob:$apr1$x\n")
    result = pypid("user", "passwd", "alice", "--stdin", stdin="secret\r\n")
    assert result.stdout.startswith(f"changed the password of the user 'alice' in {htpasswd}\n{SIGHUP}")
    assert accepts(htpasswd, "alice", "secret")
    assert [line[:11] for line in htpasswd.read_text().splitlines()] == ["# team", "alice:$2y$0", "bob:$apr1$x"]


def test_a_user_is_removed(htpasswd: Path) -> None:
    pypid("user", "add", "alice", "--stdin", stdin="x")
    before = htpasswd.read_text()
    pypid("user", "add", "bob", "--stdin", stdin="x")
    result = pypid("user", "remove", "bob")
    assert result.stdout.startswith(f"removed the user 'bob' from {htpasswd}\n{SIGHUP}")
    assert htpasswd.read_text() == before
    pypid("user", "remove", "alice")
    assert htpasswd.read_text() == "# no users\n", "an empty file would be taken for an accident"


def test_users_are_listed(htpasswd: Path) -> None:
    """Those who cannot sign in as well, with the reason on stderr."""
    empty = pypid("user", "list")
    assert (empty.exit_code, empty.stdout, empty.stderr) == (0, "", f"there are no users in {htpasswd}\n")
    pypid("user", "add", "zoe", "--stdin", stdin="x")
    htpasswd.write_text(htpasswd.read_text() + "bob:$apr1$x\n")
    result = pypid("user", "list")
    assert (result.exit_code, result.stdout) == (0, "zoe\nbob\n")
    assert result.stderr.startswith(f"{htpasswd}: line 2: user 'bob' has a damaged $apr1$ (MD5) password")


@pytest.mark.parametrize(
    ("command", "password", "reason"),
    [
        ("add", "", "the password is empty"),
        ("add", "\n", "the password is empty"),
        ("add", "a\0b", "the password has a NUL character"),
        ("add", "é" * 37, "the password has 74 bytes; bcrypt takes no more than 72"),
        ("passwd", "x", "there is no user 'eve' in "),
        ("remove", "", "there is no user 'eve' in "),
    ],
)
def test_what_cannot_be_done_changes_nothing(htpasswd: Path, command: str, password: str, reason: str) -> None:
    pypid("user", "add", "alice", "--stdin", stdin="x")
    before = htpasswd.read_text()
    stdin = [] if command == "remove" else ["--stdin"]
    result = pypid("user", command, "eve", *stdin, stdin=password)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"pypid: {reason}")
    assert htpasswd.read_text() == before


def test_the_longest_password_works(htpasswd: Path) -> None:
    assert pypid("user", "add", "alice", "--stdin", stdin="é" * 36).exit_code == 0
    assert accepts(htpasswd, "alice", "é" * 36)


def test_a_second_user_of_a_name_is_refused(htpasswd: Path) -> None:
    """Before a password is asked for, with the command that was meant."""
    pypid("user", "add", "o'neil", "--stdin", stdin="x")
    again = pypid("user", "add", "o'neil")
    assert again.exit_code == 1
    assert again.output == (
        f"""pypid: there is already a user "o'neil" in {htpasswd}: """
        """to change the password, use `pypid user passwd 'o'"'"'neil'`\n"""
    )


@pytest.mark.parametrize("name", ["", "a:b", "a\nb", "#a", " a"])
def test_a_name_that_nobody_can_have_is_refused(htpasswd: Path, name: str) -> None:
    assert pypid("user", "add", name, "--stdin", stdin="x").exit_code == 1
    assert not htpasswd.exists()


def test_which_file(tmp_path: Path) -> None:
    """That of --config, or the one that is named; the latter also while the configuration is broken."""
    config = tmp_path / "own.conf"
    config.write_text("[server]\ndata = 'own'\n[users]\nhtpasswd = 'people'")
    pypid("user", "add", "alice", "--stdin", "--config", config, stdin="x")
    assert (tmp_path / "own" / "people").exists()
    (tmp_path / "pypid.conf").write_text("[")
    named = tmp_path / "named"
    result = pypid("user", "add", "alice", "--stdin", "--htpasswd", named, stdin="x")
    assert result.stdout == f"added the user 'alice' to {named}\n{SIGHUP}.\n"
    assert named.exists()
    assert pypid("user", "list").exit_code == 78


def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, htpasswd: Path) -> None:
    htpasswd.parent.mkdir()
    for content, reason in [(b"a:x\nb\xe9:x\n", ":2: not UTF-8 text\n"), (b"a:x\na:x\n", ": line 2: user 'a' already")]:
        htpasswd.write_bytes(content)
        result = pypid("user", "list")
        assert result.exit_code == 1
        assert f"pypid: {htpasswd}{reason}" in result.stderr
    result = pypid("user", "add", "b", "--stdin", "--htpasswd", tmp_path / "pypid.conf" / "x", stdin="x")
    assert (result.exit_code, "Not a directory" in result.stderr) == (1, True)
