"""The htpasswd file on disk: never half written, never two editors at once, never readable by everybody."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pypid.cli.htpasswd_file import CannotEdit, edit_htpasswd, read_htpasswd
from tests.kit.processes import clean_environment


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def test_a_new_file_is_private(tmp_path: Path) -> None:
    path = tmp_path / "new" / "htpasswd"
    edit_htpasswd(path, lambda text: f"{text}a:x\n")
    assert read_htpasswd(path) == "a:x\n"
    assert (mode(path), mode(path.parent) & 0o007) == (0o640, 0)
    assert names(path.parent) == {"htpasswd", "htpasswd.lock"}


def test_the_mode_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "htpasswd"
    path.touch()
    path.chmod(0o604)
    edit_htpasswd(path, lambda _: "a:x\n")
    assert mode(path) == 0o604


def test_every_byte_survives(tmp_path: Path) -> None:
    """Whatever line ends and mark an editor gave it."""
    path = tmp_path / "htpasswd"
    path.write_bytes(b"\xef\xbb\xbf# \xc3\xa9\r\na:x\r\rb")
    edit_htpasswd(path, lambda text: f"{text}!")
    assert path.read_bytes() == b"\xef\xbb\xbf# \xc3\xa9\r\na:x\r\rb!"


def test_a_reader_has_the_old_text_or_the_new(tmp_path: Path) -> None:
    """The file is replaced, not written over: one that was opened before still has all of its old text."""
    path = tmp_path / "htpasswd"
    path.write_text("a:old\n")
    with path.open() as opened:
        edit_htpasswd(path, lambda _: "a:new\n")
        assert opened.read() == "a:old\n"
    assert path.read_text() == "a:new\n"


def test_a_refused_edit_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "htpasswd"
    path.write_text("a:x\n")

    def refuse(_: str) -> str:
        raise KeyError

    with pytest.raises(KeyError):
        edit_htpasswd(path, refuse)
    assert path.read_text() == "a:x\n"
    assert names(tmp_path) == {"htpasswd", "htpasswd.lock"}


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "htpasswd"
    path.write_text("a:x\n")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CannotEdit, match="No space left on device"):
        edit_htpasswd(path, lambda _: "a:y\n")
    assert path.read_text() == "a:x\n"
    assert names(tmp_path) == {"htpasswd", "htpasswd.lock"}


def test_the_file_behind_a_link_is_edited(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_text("a:x\n")
    link.symlink_to(real)
    edit_htpasswd(link, lambda _: "a:y\n")
    assert link.is_symlink()
    assert real.read_text() == "a:y\n"


def test_editors_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    """Four processes that add 25 users each have added 100."""
    path = tmp_path / "htpasswd"
    code = (
        "import sys; from pathlib import Path; from pypid.cli.htpasswd_file import edit_htpasswd\n"
        "for n in range(25): edit_htpasswd(Path(sys.argv[1]), lambda text: f'{text}{sys.argv[2]}{n}:x\\n')"
    )
    editors = [
        subprocess.Popen([sys.executable, "-c", code, str(path), letter], env=clean_environment(tmp_path))
        for letter in "abcd"
    ]
    assert [editor.wait(60) for editor in editors] == [0, 0, 0, 0]
    assert sorted(path.read_text().splitlines()) == sorted(f"{letter}{n}:x" for letter in "abcd" for n in range(25))
