"""``pypid gc`` on a data directory that no daemon uses, and what it says while one does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pypid.storage.blobs import DAMAGED
from tests.cli.command import pypid, without_settings
from tests.cli.test_running import holder
from tests.indexes.rooms import RoomCase, content_of
from tests.storage.rows import a_row, write_sidecar

DAY = 86400.0


class Kept(RoomCase):
    """A data directory, filled as a daemon does."""

    __test__ = False

    def runTest(self) -> None: ...


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kept]:
    without_settings(monkeypatch, tmp_path)
    case = Kept()
    case.setUp()
    case.now -= 30 * DAY
    (tmp_path / "pypid.conf").write_text(f"[server]\ndata = '{case.directory}'\ncache_size = '1 KiB'\nkeep_free = 0")
    yield case
    case.doCleanups()


def fill(kept: Kept) -> list[str]:
    """Keep ten files of 100 bytes, and an upload; the second has been used last."""
    files = [kept.fetch(content_of(number)) for number in range(10)]
    kept.read(files[0])
    kept.upload(content_of(10, 4096))
    kept.result(kept.room.stop())
    return files


def test_a_dry_run_says_what_would_go_and_leaves_it(kept: Kept) -> None:
    files = fill(kept)
    before = kept.files()
    result = pypid("gc", "--dry-run")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[:2] == ["uploaded  1 file, 4.0 KiB", "mirrored  10 files, 1000 bytes (cache_size: at most 1.0 KiB)"]
    assert lines[2].startswith("free      ")
    assert lines[3].startswith("to go     2 files, 200 bytes, last used from ")
    assert len(lines) == 4
    assert [path for path in kept.files() if path not in before and not path.endswith(("-wal", "-shm"))] == []
    assert kept.has(*files) == kept.recorded(*files) == [True] * 10


def test_what_was_said_is_done(kept: Kept) -> None:
    files = fill(kept)
    result = pypid("gc")
    assert (result.exit_code, result.stdout) == (0, "2 files, 200 bytes removed\n")
    left = [True, False, False, *[True] * 7]
    assert kept.has(*files) == kept.recorded(*files) == left
    assert pypid("gc").stdout == "0 files, 0 bytes removed\n"
    assert "to go     nothing" in pypid("gc", "--dry-run").stdout.splitlines()


def test_orphans_and_damaged_files_are_told(kept: Kept) -> None:
    kept.add(b"orphan")
    (kept.directory / "blobs" / DAMAGED).mkdir()
    (kept.directory / "blobs" / DAMAGED / ("ab" * 32)).write_bytes(b"12345")
    (kept.directory / "pypid.conf").touch()
    # As young as its file, which was made just now: it is counted, and stays.
    lines = pypid("gc", "--dry-run").stdout.splitlines()
    assert "mirrored  1 file, 6 bytes (cache_size: at most 1.0 KiB)" in lines
    assert f"damaged   1 file, 5 bytes, kept in {kept.directory / 'blobs' / DAMAGED} for you to look at" in lines
    assert "to go     nothing" in lines


def test_an_upload_that_only_its_sidecar_knows_is_an_upload(kept: Kept) -> None:
    sha256 = kept.add(b"upload")
    write_sidecar(kept.directory / "records", a_row(sha256=sha256))
    assert "uploaded  1 file, 6 bytes" in pypid("gc", "--dry-run").stdout.splitlines()


def test_a_sidecar_that_cannot_be_read_is_named(kept: Kept) -> None:
    write_sidecar(kept.directory / "records", a_row())
    (path,) = (kept.directory / "records").rglob("*.json")
    path.write_text("{}")
    result = pypid("gc", "--dry-run")
    assert result.exit_code == 1
    assert f"{path} is no sidecar" in result.stderr


def test_a_limit_that_cannot_be_kept_is_told(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(kept)
    monkeypatch.setenv("PYPID_SERVER__KEEP_FREE", str(2**60))
    for args in (["gc", "--dry-run"], ["gc"]):
        assert pypid(*args).stdout.endswith(" more should go, and nothing is left that may\n")


def test_where_no_pypid_has_been_there_is_nothing_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_settings(monkeypatch, tmp_path)
    for args in (["gc"], ["gc", "--dry-run"]):
        result = pypid(*args)
        assert (result.exit_code, result.stderr) == (
            1,
            f"pypid: no pypid has kept anything in {tmp_path / 'pypid-data'}\n",
        )
    assert [path.name for path in tmp_path.iterdir()] == ["pypid.conf"]


def test_a_lost_hosted_db_is_not_begun_anew(kept: Kept) -> None:
    fill(kept)
    for suffix in ("-wal", "-shm"):
        (kept.directory / f"hosted.db{suffix}").unlink(missing_ok=True)
    (kept.directory / "hosted.db").write_bytes(b"")
    for args in (["gc"], ["gc", "--dry-run"]):
        result = pypid(*args)
        assert (result.exit_code, "pypid rebuild" in result.stderr) == (1, True)
    assert (kept.directory / "hosted.db").read_bytes() == b""


def test_who_holds_the_directory_is_not_disturbed(kept: Kept) -> None:
    """One that holds it without having written who it is yet, as a daemon that starts."""
    files = fill(kept)
    with holder(kept.directory):
        (kept.directory / "lock").write_text("")
        result = pypid("gc")
        assert (result.exit_code, result.stderr) == (1, f"pypid: a pypid is using {kept.directory}\n")
        assert pypid("gc", "--dry-run").exit_code == 0
    assert kept.has(*files) == [True] * 10


def test_the_lock_is_free_again_and_names_nobody(kept: Kept) -> None:
    """Whoever reads the file means to signal a daemon."""
    for _ in range(2):
        assert pypid("gc").exit_code == 0
    assert str(os.getpid()) not in (kept.directory / "lock").read_text()
