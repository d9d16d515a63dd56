"""``pypid rebuild``: hosted.db from what lies beside it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pypid.domain.files import ProjectStatus, Status
from pypid.domain.subject import Subject
from pypid.storage.blobs import blob_path
from tests.cli.command import pypid, without_settings
from tests.cli.test_running import holder
from tests.storage.life import TABLES, LifeCase
from tests.storage.rows import DEMO, TWO, a_row

CONTENT = b"content"


class Kept(LifeCase):
    """A data directory, filled as a daemon does."""

    __test__ = False

    def runTest(self) -> None: ...

    def fill(self) -> None:
        """Publish, yank, delete and say a status, in two indexes."""
        blob = blob_path(self.directory / "blobs", "ab" * 32)
        blob.parent.mkdir(parents=True)
        blob.write_bytes(CONTENT)
        for version in ("1.0", "2.0"):
            self.publish(a_row(f"demo-{version}.tar.gz", version=version))
            self.publish(a_row(f"demo-{version}.tar.gz", version=version, index_name=TWO))
        self.yank(Subject(project=DEMO, filename="demo-1.0.tar.gz"), "broken")
        self.delete(Subject(project=DEMO, filename="demo-2.0.tar.gz"))
        self.set_status(ProjectStatus(Status.DEPRECATED, "old"))
        self.hosted_db.close()

    def rows_after_start(self) -> dict[str, list[Any]]:
        self.start()
        rows = self.rows(*TABLES)
        self.hosted_db.close()
        return rows


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kept]:
    without_settings(monkeypatch, tmp_path)
    case = Kept()
    case.setUp()
    (tmp_path / "pypid.conf").write_text(f"[server]\ndata = '{case.directory}'\n")
    yield case
    case.doCleanups()


def test_what_was_there_is_there_again(kept: Kept) -> None:
    kept.fill()
    before, content = kept.rows_after_start(), kept.path.read_bytes()
    result = pypid("rebuild")
    assert (result.exit_code, result.stderr) == (0, "")
    made, old = result.stdout.splitlines()
    found = "2 projects, 3 files, 1 deleted file, 0 rules laid over projects; the last serial is 7"
    assert made == f"{kept.path} was made anew: {found}"
    aside = Path(old.removeprefix("the old one is "))
    assert aside.parent == kept.directory
    assert aside.read_bytes() == content
    assert kept.rows_after_start() == before
    assert not [name for name in kept.files() if name.startswith("hosted.db.new")]


def test_again_is_the_same(kept: Kept) -> None:
    kept.fill()
    first = pypid("rebuild").stdout.splitlines()
    rows = kept.rows_after_start()
    second = pypid("rebuild").stdout.splitlines()
    assert second[0] == first[0]
    assert second[1] != first[1], "no old one is lost"
    assert kept.rows_after_start() == rows


@pytest.mark.parametrize("content", [None, b"", b"no database" * 1000])
def test_whatever_is_left_of_it(kept: Kept, content: bytes | None) -> None:
    kept.fill()
    before = kept.rows_after_start()
    kept.path.unlink()
    kept.path.with_name("hosted.db-wal").write_bytes(b"of another database")
    kept.path.with_name("hosted.db.new").write_bytes(b"of a rebuild that was interrupted")
    if content is not None:
        kept.path.write_bytes(content)
    assert pypid("rebuild").exit_code == 0
    assert kept.rows_after_start() == before


def test_what_is_wrong_is_told_and_the_rest_is_done(kept: Kept) -> None:
    kept.fill()
    before = kept.rows_after_start()
    kept.sidecar_path().write_bytes(b"{")
    blob_path(kept.directory / "blobs", "ab" * 32).unlink()
    result = pypid("rebuild")
    assert result.exit_code == 1
    said = result.stderr.splitlines()
    assert said[0].startswith(f"pypid: cannot be read: {kept.sidecar_path()} is no sidecar")
    gone = [f"pypid: the bytes are gone: demo-{version}.tar.gz of root/pypi: {'ab' * 32}" for version in ("1.0", "2.0")]
    assert said[1:] == gone
    rows = kept.rows_after_start()
    assert rows["counter"] == before["counter"]
    assert rows["file"] == [row for row in before["file"] if row[0] == "root/pypi"]


def test_with_nothing_to_make_it_from_nothing_is_touched(kept: Kept) -> None:
    kept.hosted_db.close()
    before = kept.files()
    result = pypid("rebuild")
    assert (result.exit_code, result.stderr) == (
        1,
        f"pypid: there is nothing in {kept.directory / 'records'} to make hosted.db from\n",
    )
    assert kept.files() == before


def test_a_running_pypid_is_not_disturbed(kept: Kept) -> None:
    kept.fill()
    before = kept.files()
    with holder(kept.directory):
        result = pypid("rebuild")
    assert (result.exit_code, result.stderr) == (1, f"pypid: a pypid is using {kept.directory}\n")
    assert [name for name in kept.files() if name != "lock"] == before


def test_it_belongs_to_who_has_the_directory(kept: Kept) -> None:
    """An operator runs it as root; the daemon must be able to write into it."""
    if os.geteuid() != 0:
        pytest.skip("only root gives files away")
    kept.fill()
    os.chown(kept.directory, 12345, 12345)
    assert pypid("rebuild").exit_code == 0
    assert (kept.path.stat().st_uid, kept.path.stat().st_gid) == (12345, 12345)
