"""``pypid retain`` over a data directory."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pypid.domain.names import NormalizedName
from tests.cli.command import pypid, without_settings
from tests.indexes.releases import DAY, MAIN, OWN, Shelf

SETTINGS = """
[server]
data = "data"
[index.main]
keep_releases = 2
drop_dev_after = "30 d"
[index.own]
drop_unused_after = "90 d"
[index.all]
"""


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    """The databases of a daemon that has been counting for a hundred days."""
    without_settings(monkeypatch, tmp_path)
    (tmp_path / "pypid.conf").write_text(SETTINGS)
    (tmp_path / "data").mkdir()
    with Shelf(tmp_path / "data", time.time() - 101 * DAY) as made:
        made.count_for(101)
        yield made


def dry_run(*args: str) -> list[str]:
    result = pypid("retain", "--dry-run", *args)
    assert result.exit_code == 0, result.stderr
    return result.stdout.splitlines()


def test_what_would_go_and_why(shelf: Shelf) -> None:
    shelf.publish("demo-1.0.tar.gz", "demo-1.0-py3-none-any.whl", "demo-1.1.tar.gz", "demo-1.2.tar.gz", age=1)
    shelf.publish("nightly-2.0.dev1.tar.gz", "nightly-2.0.dev2.tar.gz", age=31.5)
    shelf.publish("demo-1.0.tar.gz", "demo-1.1.tar.gz", "demo-1.2.tar.gz", age=99.5, index=OWN)
    shelf.counts.note(OWN, NormalizedName("demo"), "demo-1.0.tar.gz")
    shelf.count_for(0)
    before = {path: path.read_bytes() for path in shelf.data.rglob("*") if path.suffix in {".json", ".jsonl", ".db"}}
    assert dry_run() == [
        "main: demo 1.0 (2 files): older than the last 2",
        "main: nightly 2.0.dev1 (1 file): a development release, uploaded 31 days ago",
        "main: 2 releases, 3 files would go",
        "own: demo 1.1 (1 file): not downloaded for 99 days",
        "own: 1 release, 1 file would go",
        "all: everything stays, since nothing else is set",
    ]
    assert dry_run("--index", "own") == [
        "own: demo 1.1 (1 file): not downloaded for 99 days",
        "own: 1 release, 1 file would go",
    ]
    assert {path: path.read_bytes() for path in before} == before
    assert len(shelf.files(index=MAIN)) == 4


def test_an_index_that_there_is_not(shelf: Shelf) -> None:  # noqa: ARG001  (its configuration)
    for name in ("pypi", "intern"):
        result = pypid("retain", "--dry-run", "--index", name)
        assert (result.exit_code, result.stderr) == (
            1,
            f"pypid: there is no index for uploads called '{name}' (have: all, main, own)\n",
        )


def test_where_nothing_was_counted_ages_wait(shelf: Shelf) -> None:
    shelf.publish("nightly-2.0.dev1.tar.gz", "nightly-2.0.dev2.tar.gz", age=31.5)
    for name in ("", "-wal", "-shm"):
        (shelf.data / f"counts.db{name}").unlink(missing_ok=True)
    assert dry_run("--index", "main") == [
        "main: 0 releases, 0 files would go",
        "main: no release goes for its age yet: pypid has not run for a week without a break",
    ]


def test_where_no_pypid_has_been_there_is_nothing_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_settings(monkeypatch, tmp_path)
    result = pypid("retain", "--dry-run")
    assert (result.exit_code, result.stderr) == (
        1,
        f"pypid: no pypid has kept anything in {tmp_path / 'pypid-data'}\n",
    )
