"""
A daemon that dies, or whose disk fails, at the n-th system call of an upload (C03, C07, C14, C15).

Nobody has to know beforehand which calls those are, as for ``test_publish_crashes.py``: all that write are counted, in
one upload, and then each is the last, or the one that fails, of another.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.kit.daemon import Daemon, DaemonFactory
from tests.kit.dists import Dist, wheel
from tests.kit.ledger import Ledger
from tests.kit.strace import can_trace, strace

CALLS = ("fallocate", "ftruncate", "pwrite64", "write", "fsync", "fdatasync", "mkdir", "link", "rename", "unlink")
"""Those that change the disk. ``write`` also wakes the reactor."""

REFUSED = ("fallocate", "pwrite64", "fsync", "mkdir", "link", "rename")
"""Those of them that a disk may refuse with no harm done; what SQLite syncs has a test of its own."""

SAMPLES = int(os.environ.get("SAMPLES", "3"))
"""How many of the calls of one kind are tried, from the first to the last; 100 are all of them."""


@pytest.fixture(autouse=True)
def tracing() -> None:
    if not can_trace():
        pytest.skip("strace cannot be used here: it is not installed, or may not trace")


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path)


@pytest.fixture
def dists() -> Iterator[Dist]:
    return (wheel("demo", f"1.{number}") for number in count())


def _count_calls(d: Daemon, ledger: Ledger, dists: Iterator[Dist], path: Path) -> dict[str, int]:
    """Return how often one thread makes each call in the course of an upload, the most of all threads."""
    ledger.upload(d, next(dists))  # what is made once is there
    with strace(d.pid, CALLS, path) as calls:
        assert ledger.upload(d, next(dists)) == 200
    return {call: calls.most(call) for call in CALLS}


def _sample(number: int) -> range:
    return range(1, number + 1, max(1, -(-number // SAMPLES)))


def test_killed_at_the_nth_call(daemon: DaemonFactory, ledger: Ledger, dists: Iterator[Dist], tmp_path: Path) -> None:
    d = daemon(ledger.config)
    counted = _count_calls(d, ledger, dists, tmp_path / "calls")
    survived = {call for call, number in counted.items() if number}
    assert len(survived) >= len(CALLS) - 1, counted
    for call, number in counted.items():
        for n in _sample(number):
            with strace(d.pid, [call], tmp_path / "calls", inject=f"signal=SIGKILL:when={n}"):
                if ledger.upload(d, next(dists)) is None:  # else more threads shared the work, and none came so far
                    assert d.wait() == -signal.SIGKILL
                    survived.discard(call)
            if d.stopped:
                d.start()
            ledger.check(d)
    assert survived == set()


@pytest.mark.parametrize("error", ["ENOSPC", "EIO"])
def test_refused_at_the_nth_call(
    daemon: DaemonFactory, ledger: Ledger, dists: Iterator[Dist], tmp_path: Path, error: str
) -> None:
    """507 and nothing left; the next upload succeeds, without a restart."""
    d = daemon(ledger.config)
    counted = _count_calls(d, ledger, dists, tmp_path / "calls")
    accepted = set(REFUSED)
    for call in REFUSED:
        for n in _sample(counted[call]):
            with strace(d.pid, [call], tmp_path / "calls", inject=f"error={error}:when={n}") as calls:
                status = ledger.upload(d, next(dists))
            assert status in {200, 507}, (call, n)
            if status == 507:
                assert any(made.injected for made in calls.made())
                accepted.discard(call)
            ledger.check(d)
    assert accepted == set()
    assert ledger.upload(d, next(dists)) == 200
    ledger.check(d)


def test_what_could_not_be_synced_is_never_synced_again(
    daemon: DaemonFactory, ledger: Ledger, dists: Iterator[Dist], tmp_path: Path
) -> None:
    """C14: the kernel may have dropped it, and would say that all is well."""
    d = daemon(ledger.config)
    with strace(d.pid, ["fsync"], tmp_path / "calls", inject="error=EIO:when=1") as calls:
        assert [ledger.upload(d, next(dists)) for _ in range(3)].count(507) >= 1
    synced = [call for call in calls.made() if "/staging/" in call.path]
    failed = [call.path for call in synced if call.injected]
    assert failed
    assert [call.path for call in synced if call.path in failed] == failed
    ledger.check(d)


@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
def test_a_commit_that_could_not_be_synced_ends_the_daemon(
    daemon: DaemonFactory, ledger: Ledger, dists: Iterator[Dist], tmp_path: Path, error: str
) -> None:
    """C15: it says so with an exit code for which it is started again, and finds what the disk has."""
    d = daemon(ledger.config)
    assert ledger.upload(d, next(dists)) == 200
    with strace(d.pid, ["fdatasync"], tmp_path / "calls", inject=f"error={error}:when=1"):
        assert ledger.upload(d, next(dists)) is None
        assert d.wait() == os.EX_IOERR
    assert "hosted.db could not be written to the disk" in d.log()
    d.start()
    ledger.check(d)
    assert ledger.upload(d, next(dists)) == 200


def test_every_name_is_on_the_disk_before_the_row(
    daemon: DaemonFactory, ledger: Ledger, dists: Iterator[Dist], tmp_path: Path
) -> None:
    """
    Each file is synced before it gets its name, and the directory after that, before SQLite's commit.

    ext4 writes them all with whichever is synced next, so that no power cut would show one that is left out.
    """
    d = daemon(ledger.config)
    with strace(d.pid, CALLS, tmp_path / "calls") as calls:
        assert ledger.upload(d, next(dists)) == 200
    made = [call for call in calls.made() if str(d.data) in call.path]  # Python may keep what it has compiled
    (row,) = [i for i, call in enumerate(made) if call.name == "fdatasync" and call.path.endswith("hosted.db-wal")]
    named = [i for i, call in enumerate(made) if call.target is not None and "/staging/" not in call.target]
    assert len(named) == 3, "the METADATA, the wheel and the sidecar"
    for i in named:
        assert any(call.path == made[i].path for call in made[:i] if call.name == "fsync")
        directory = str(Path(made[i].target or "").parent)
        assert any(call.path == directory for call in made[i:row] if call.name == "fsync")
    for i in (i for i, call in enumerate(made) if call.name == "mkdir"):
        parent = str(Path(made[i].path).parent)
        assert any(call.path == parent for call in made[i:row] if call.name == "fsync")
