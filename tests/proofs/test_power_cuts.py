"""
A machine that loses its power (C04): no upload that was acknowledged is lost, or has another byte.

The daemon's data are on a disk of its own, and it stops at every failpoint; what the disk has by then is what a power
cut would leave, and another daemon is started on that. A few dozen cuts in the test-suite; more with

    CUTS=200 python -m pytest tests/proofs/test_power_cuts.py
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest

from pypid.failpoints import VARIABLE, Failpoint
from tests.kit.daemon import Daemon, DaemonFactory
from tests.kit.disks import can_mount_images, cut, make_image, on_image
from tests.kit.dists import Dist, wheel
from tests.kit.ledger import Ledger
from tests.kit.processes import eventually
from tests.kit.procfs import stopped

CUTS = os.environ.get("CUTS")

EVERYWHERE = ",".join(f"{point}@2+=stop" for point in Failpoint)
"""At each pass but the first: some are reached before anything is served, and then nobody would have it go on."""


@pytest.fixture(autouse=True)
def mounting(tmp_path: Path) -> None:
    if not can_mount_images(tmp_path):
        pytest.skip("no image can be mounted here: that takes root, and loop devices")


def _uploads(d: Daemon, ledger: Ledger, dists: Iterator[Dist]) -> None:
    """Upload until the daemon is gone."""
    while ledger.upload(d, next(dists)) is not None:
        pass


def _barriers(d: Daemon, clients: list[Future[None]]) -> Iterator[None]:
    """Stop here and there, with all that the daemon is doing as it is, until the clients have ended."""
    while eventually(lambda: stopped(d.pid) or all(client.done() for client in clients), 30):
        if all(client.done() for client in clients):
            return
        yield
        d.signal(signal.SIGCONT)
    raise AssertionError("it does not stop")


@pytest.mark.parametrize(
    ("clients", "cuts"), [(1, int(CUTS or 24)), (4, int(CUTS or 10))], ids=["one client", "four clients"]
)
def test_no_acknowledged_upload_is_lost(daemon: DaemonFactory, tmp_path: Path, clients: int, cuts: int) -> None:
    ledger, image = Ledger(tmp_path), make_image(tmp_path / "disk.img")
    data = tmp_path / "daemon-0" / "data"
    data.mkdir(parents=True)
    d = daemon(ledger.config, prefix=on_image(image, data), env={VARIABLE: EVERYWHERE})
    numbers = count()
    dists = (wheel("demo", f"1.{number}") for number in numbers)
    left: list[tuple[Path, Ledger]] = []
    with ThreadPoolExecutor(clients) as pool:
        working = [pool.submit(_uploads, d, ledger, dists) for _ in range(clients)]
        for _ in _barriers(d, working):
            if ledger.acknowledged:
                left.append((cut(image, tmp_path / f"{len(left)}.img"), ledger.as_it_is()))
            if len(left) == cuts:
                d.kill()
                break
    for number, (copy, known) in enumerate(left):
        _check(copy, known, tmp_path / f"cut-{number}")


def _check(image: Path, ledger: Ledger, directory: Path) -> None:
    """Start a daemon on ``image``, and see that ``ledger`` is right."""
    data = directory / "data"
    data.mkdir(parents=True)
    d = Daemon(directory, ledger.config, prefix=on_image(image, data))
    try:
        d.start()
        ledger.check(d)
    finally:
        d.kill()
    image.unlink()
