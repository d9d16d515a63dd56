"""
A daemon that dies, or whose disk refuses, between any two steps of a change (C01, C06, C07).

What was acknowledged is there, and anything else is there whole or not at all; `tests.kit.ledger.Ledger` looks.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path

import pytest

from pypid.failpoints import VARIABLE, Failpoint
from tests.kit.daemon import Daemon, DaemonFactory
from tests.kit.dists import Dist, wheel
from tests.kit.ledger import Ledger, problems_on_disk, seen_by
from tests.kit.pages import JSON
from tests.kit.processes import run
from tests.kit.rawclient import get

TWICE = tuple(point for point in Failpoint if point.startswith(("staging.", "blob.")))
"""What an upload of a wheel reaches twice: first for the wheel's METADATA, then for the wheel."""

FROM_THE_START = frozenset({Failpoint.DB_BEFORE_COMMIT, Failpoint.DB_COMMITTED})
"""What is reached once already before anything is served: hosted.db is put right, whether or not there is a need."""

MADE = frozenset({Failpoint.DB_COMMITTED, Failpoint.ANSWER_DECIDED})
"""From here on there is nothing that a disk could refuse."""

RECOVERY = tuple(
    point for point in Failpoint if point.startswith(("audit.", "sidecar.", "db.")) and not point.endswith("_made")
)
"""What putting right an upload that was interrupted before its commit reaches."""


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path)


@pytest.fixture
def dists() -> Iterator[Dist]:
    return (wheel("demo", f"1.{number}") for number in count())


def _first(point: Failpoint) -> str:
    """Return the failpoint at the first pass after the start."""
    return f"{point}@{2 if point in FROM_THE_START else 1}"


def _start_with(d: Daemon, failpoints: str) -> None:
    d.env[VARIABLE] = failpoints
    d.start()


def _dies_of(d: Daemon, ledger: Ledger, dist: Dist, at: str) -> None:
    _start_with(d, f"{at}=kill")
    ledger.check(d)  # what the last one left behind
    assert ledger.upload(d, dist) is None, f"{at} was not reached"
    assert d.wait() == -signal.SIGKILL


def test_killed_at_every_step_of_an_upload(daemon: DaemonFactory, ledger: Ledger, dists: Iterator[Dist]) -> None:
    d = daemon(ledger.config)
    assert ledger.upload(d, next(dists)) == 200
    d.kill()
    for at in [*map(_first, Failpoint), *(f"{point}@2" for point in TWICE)]:
        _dies_of(d, ledger, next(dists), at)
        if at.startswith(("audit.", "sidecar.", "db.")):
            _start_with(d, "")  # the next start would die of putting this right, not of the upload
            ledger.check(d)
            d.kill()
    _start_with(d, "")
    assert ledger.upload(d, next(dists)) == 200
    ledger.check(d)
    _is_the_same_rebuilt(d)


def _is_the_same_rebuilt(d: Daemon) -> None:
    """Nothing but what was acknowledged is in the sidecars either."""
    page = _page(d)
    d.terminate()
    command: list[str | Path] = [sys.executable, "-m", "pypid.cli.main", "rebuild", "--config", d.config_file]
    rebuilt = run(command, home=d.directory)
    assert rebuilt.returncode == 0, rebuilt.stdout
    d.start()
    assert _page(d) == page


def _page(d: Daemon) -> bytes:
    return get(f"{d.simple}demo/", headers={"Accept": JSON}).body


def test_killed_at_every_step_of_putting_it_right(daemon: DaemonFactory, ledger: Ledger, dists: Iterator[Dist]) -> None:
    d = daemon(ledger.config)
    assert ledger.upload(d, next(dists)) == 200
    d.kill()
    _dies_of(d, ledger, next(dists), _first(Failpoint.DB_BEFORE_COMMIT))
    for point in RECOVERY:
        d.env[VARIABLE] = f"{point}@1=kill"
        with pytest.raises(AssertionError, match="did not start"):
            d.start()
    _start_with(d, "")
    ledger.check(d)
    assert ledger.upload(d, next(dists)) == 200
    ledger.check(d)


PROJECT = "-/api/v1/indexes/main/projects/demo"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        pytest.param("PUT", f"{PROJECT}/releases/1.0/yank", b'{"reason": "broken"}', id="yank"),
        pytest.param("DELETE", f"{PROJECT}/releases/1.0", b"", id="delete"),
        pytest.param("PUT", f"{PROJECT}/status", b'{"status": "archived", "reason": "over"}', id="status"),
    ],
)
def test_killed_in_the_course_of_another_change(
    daemon: DaemonFactory, ledger: Ledger, dists: Iterator[Dist], method: str, path: str, body: bytes
) -> None:
    """It is made with SQLite's commit, and until then it is not."""
    d = daemon(ledger.config)
    for dist in islice(dists, 2):
        assert ledger.upload(d, dist) == 200
    page = _page(d)
    d.kill()
    headers = {"Content-Type": "application/json"} if body else {}
    for point in (
        Failpoint.AUDIT_SYNCED,
        Failpoint.SIDECAR_RENAMED,
        Failpoint.DB_BEFORE_COMMIT,
        Failpoint.DB_COMMITTED,
    ):
        _start_with(d, f"{_first(point)}=kill")
        assert ledger.ask(d, path, method=method, headers=headers, body=body) is None, f"{point} was not reached"
        assert d.wait() == -signal.SIGKILL
        _start_with(d, "")
        assert (_page(d) == page) is (point is not Failpoint.DB_COMMITTED)
        assert list(problems_on_disk(seen_by(d))) == []
        d.kill()
    _start_with(d, "")
    _is_the_same_rebuilt(d)


@pytest.mark.parametrize("error", ["ENOSPC", "EIO"])
def test_refused_at_every_step_of_an_upload(
    daemon: DaemonFactory, ledger: Ledger, dists: Iterator[Dist], error: str
) -> None:
    """Each step fails once, the first time that it is come to: as many uploads fail, and then one succeeds."""
    points = [point for point in Failpoint if point not in MADE]
    d = daemon(ledger.config, env={VARIABLE: ",".join(f"{_first(point)}=raise:{error}" for point in points)})
    for _ in points:
        assert ledger.upload(d, next(dists)) == 507
        ledger.check(d)
    demo = next(dists)
    assert ledger.upload(d, demo) == 200
    assert ledger.upload(d, demo) == 200, "once more changes nothing"
    ledger.check(d)
    assert "THIS PYPID BREAKS ON PURPOSE" in d.log()
