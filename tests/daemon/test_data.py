"""The data directory belongs to one process at a time."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pypid.daemon.data import DataDirectory
from pypid.daemon.failure import StartFailed


def test_it_is_made_and_names_its_owner(tmp_path: Path) -> None:
    data = DataDirectory(tmp_path / "deep" / "data")
    data.open()
    assert (data.path / "lock").read_text() == f"{os.getpid()}\n"
    data.close()


def test_a_second_owner_is_told_who_the_first_is(tmp_path: Path) -> None:
    first, second = DataDirectory(tmp_path), DataDirectory(tmp_path)
    first.open()
    with pytest.raises(StartFailed, match=rf"in use by another pypid \(pid {os.getpid()}\)") as refused:
        second.open()
    assert refused.value.code == os.EX_TEMPFAIL
    first.close()
    second.open()
    second.close()


def test_a_lock_file_that_a_crash_left_behind_is_no_lock(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("4194304\nand more than a pid\n")
    data = DataDirectory(tmp_path)
    data.open()
    assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"
    data.close()


def test_a_path_that_cannot_be_a_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StartFailed, match=r"file/data cannot be used: Not a directory") as refused:
        DataDirectory(tmp_path / "file" / "data").open()
    assert refused.value.code == os.EX_CANTCREAT
