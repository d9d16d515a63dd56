"""Apache's own htpasswd, and pypid's commands, on the same file."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pypid.domain.htpasswd import parse_htpasswd
from tests.cli.command import pypid, without_settings
from tests.kit.processes import run


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    without_settings(monkeypatch, tmp_path)
    if shutil.which("htpasswd") is None:
        pytest.skip("needs Apache's htpasswd, of Debian's apache2-utils")


def apache(tmp_path: Path, *args: str | Path) -> None:
    result = run(["htpasswd", *args], home=tmp_path)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("flag", ["-B", "-m", "-s", "-2", "-5"])
def test_what_apache_writes_is_checked(tmp_path: Path, flag: str) -> None:
    path = tmp_path / "htpasswd"
    apache(tmp_path, "-c", "-b", flag, path, "bob", "a pass: wörd")
    users = parse_htpasswd(path.read_text())
    assert users.is_right("bob", "a pass: wörd".encode())
    assert not users.is_right("bob", b"a pass: word")
    assert len(users.warnings) == 1


@pytest.mark.parametrize("flag", ["-d", "-p"])
def test_what_should_never_have_been_written_is_not_checked(tmp_path: Path, flag: str) -> None:
    path = tmp_path / "htpasswd"
    apache(tmp_path, "-c", "-b", flag, path, "bob", "secret")
    users = parse_htpasswd(path.read_text())
    assert (len(users.problems), users.hashes) == (1, {})


def test_both_edit_one_file(tmp_path: Path) -> None:
    """In order, comments and all; and Apache accepts what pypid wrote."""
    path = tmp_path / "htpasswd"
    path.write_text("# team\n")
    apache(tmp_path, "-b", "-B", "-C", "10", path, "ann", "one")
    assert pypid("user", "add", "bob", "--stdin", "--htpasswd", path, stdin="two").exit_code == 0
    apache(tmp_path, "-b", "-B", "-C", "10", path, "eve", "three")
    assert pypid("user", "passwd", "ann", "--stdin", "--htpasswd", path, stdin="four").exit_code == 0
    apache(tmp_path, "-v", "-b", path, "ann", "four")
    apache(tmp_path, "-v", "-b", path, "bob", "two")
    assert [line.partition(":")[0] for line in path.read_text().splitlines()] == ["# team", "ann", "bob", "eve"]
    apache(tmp_path, "-D", path, "bob")
    assert pypid("user", "remove", "ann", "--htpasswd", path).exit_code == 0
    listed = pypid("user", "list", "--htpasswd", path)
    assert (listed.stdout, listed.stderr) == ("eve\n", "")
    assert path.read_text().startswith("# team\neve:$2y$10$")
