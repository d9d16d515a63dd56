"""
Fifty clients, and an upstream that goes wrong in every way, for some minutes.

    python -m tests.soak [--seconds 600] [--seed 1]

A real daemon mirrors a scripted upstream on a socket. Every complete body is compared with what it has to be, what
was had once has to be had always, what upstream is asked is compared with what it may be asked, and memory and
descriptors must not grow. At the end upstream is well again: then everything has to be served, and staging to be empty,
and SIGTERM in the middle of a transfer has to end the daemon in time. The exit code is 1 if anything was wrong.
"""

from __future__ import annotations

import argparse
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from pypid.indexes.refusals import REFUSED
from tests.kit.daemon import STOPPED, Daemon
from tests.kit.dists import Dist
from tests.kit.faults import Stall
from tests.kit.invariants import problems_of
from tests.kit.rawclient import connect, get
from tests.kit.sockets import SocketUpstream
from tests.soak import predictions, watch
from tests.soak.ledger import Ledger
from tests.soak.supply import Supply
from tests.soak.visitors import Visitor, install_constantly
from tests.soak.weather import CLEAR, PHASES, Weather, WeatheredIndex

CLIENTS = 50
TTL, DRAIN = 5.0, 3.0
SERVER = {"rendered_pages": "4 MiB", "page_memory": "4 MiB", "keep_free": 0, "drain": DRAIN}
"""Small memories, so that they are full when the growth is measured."""
MIRROR = {"ttl": TTL, "grace": TTL, "connect_timeout": 2, "header_timeout": 2, "idle_timeout": 2, "page_timeout": 4}
"""Time-outs that come to pass often."""
PHASE_SECONDS = (4.0, 12.0)
PUBLISH_EVERY, INSTALL_EVERY, RELOAD_EVERY, SAY_EVERY = 1.5, 10.0, 20.0, 10.0
WARM_UP = 1 / 4
"""Share of the time after which growth is measured."""
RECOVERY = 15.0
"""Seconds after which all is well again (A55)."""


class Soak:
    """One run, in ``directory``."""

    def __init__(self, directory: Path, seed: int) -> None:
        self._directory = directory
        self._rng = random.Random(seed)
        self.index = WeatheredIndex(random.Random(self._rng.random()))
        self.supply = Supply(self.index, random.Random(self._rng.random()))
        self.ledger = Ledger()
        self.upstream = SocketUpstream(self.index)
        self.upstream.start()
        mirror = {"upstream": self.upstream.url, **MIRROR}
        self.daemon = Daemon(directory / "daemon", {"server": SERVER, "index": {"pypi": mirror}})
        self.daemon.start()
        self.samples: list[watch.Sample] = []
        self._reloads: list[float] = []

    def run(self, seconds: float) -> None:
        self._have_constant()
        with self._clients():
            self._weather(time.monotonic() + seconds, warm_at=time.monotonic() + WARM_UP * seconds)
        self._change(CLEAR)
        self._recover()
        for each in predictions.broken(self.index.asked, self.ledger.had_since(), self._reloads, ttl=TTL):
            self.ledger.problem(each)
        for each in watch.growth(self.samples):
            self.ledger.problem(each)
        # Connections that are kept open to upstream are no leak.
        self.upstream.stop()
        for each in problems_of(self.daemon):
            self.ledger.problem(each)
        self._stop_within_time()

    def close(self) -> None:
        self.daemon.kill()
        self.upstream.stop()

    def _have_constant(self) -> None:
        dist = self.supply.constant
        assert get(f"{self.daemon.simple}{dist.project}/").status == 200
        for what in ("", ".metadata"):
            assert get(f"{self._url(dist)}{what}").status == 200

    def _url(self, dist: Dist) -> str:
        return f"{self.daemon.url}files/{dist.project}/{dist.sha256[:16]}/{dist.filename}"

    @contextmanager
    def _clients(self) -> Iterator[None]:
        stop = threading.Event()
        threads = [threading.Thread(target=self._visitor().run, args=(stop,), daemon=True) for _ in range(CLIENTS)]
        installing = (self.daemon, self.ledger, self._directory, stop, INSTALL_EVERY)
        threads.append(threading.Thread(target=install_constantly, args=installing, daemon=True))
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join()

    def _visitor(self) -> Visitor:
        return Visitor(self.daemon, self.supply, self.index, self.ledger, random.Random(self._rng.random()))

    # Going wrong.

    def _weather(self, end: float, *, warm_at: float) -> None:
        begin = time.monotonic()
        due = dict.fromkeys(("phase", "publish", "reload", "say"), begin)
        while (now := time.monotonic()) < end:
            if now >= due["phase"]:
                due["phase"] = now + self._rng.uniform(*PHASE_SECONDS)
                self._change(self._rng.choice(PHASES))
            if now >= due["publish"]:
                due["publish"] = now + PUBLISH_EVERY
                self.supply.publish()
            if now >= due["reload"]:
                due["reload"] = now + RELOAD_EVERY
                self.daemon.sighup()
                self._reloads.append(now)
            if now >= warm_at:
                self.samples.append(watch.sample(self.daemon))
            if now >= due["say"]:
                due["say"] = now + SAY_EVERY
                self._say(now - begin)
            time.sleep(0.5)

    def _change(self, weather: Weather) -> None:
        was_down, self.index.weather = self.index.weather.down, weather
        if weather.down and not was_down:
            self.upstream.stop()
        elif was_down and not weather.down:
            self.upstream.start()

    def _say(self, seconds: float) -> None:
        now = watch.sample(self.daemon)
        print(
            f"{seconds:5.0f} s   {self.index.weather.name:9} {self.ledger.answers.total():7} answers   "
            f"upstream {len(self.index.asked):6}   memory {now.rss // watch.MIB:4} MiB   {now.fds:3} descriptors   "
            f"{now.threads} threads   {len(self.ledger.problems)} problems",
            flush=True,
        )

    # Being well again.

    def _recover(self) -> None:
        begin = time.monotonic()
        left = self._not_well(begin + RECOVERY)
        for what, why in left.items():
            if "(upstream is not asked again so soon)" not in why:
                self.ledger.problem(f"not well after {RECOVERY:g} s: {what}: {why}")
        print(f"all but {len(left)} is well {time.monotonic() - begin:.1f} s after upstream is", flush=True)
        # Wrong bytes, twice: the file is refused for a while, and longer than the rest takes.
        for what, why in self._not_well(begin + RECOVERY + REFUSED).items():
            self.ledger.problem(f"not well after {RECOVERY + REFUSED:g} s: {what}: {why}")

    def _not_well(self, end: float) -> dict[str, str]:
        """Ask for all pages and files until they are as upstream has them, or it is ``end``; return what is not."""
        left = dict.fromkeys(self.supply.projects(), "")
        while left and time.monotonic() < end:
            with ThreadPoolExecutor(10) as pool:
                said = pool.map(self._trouble_with, left)
            left = {project: trouble for project, trouble in zip(left, said, strict=True) if trouble}
            time.sleep(0.2)
        return left

    def _trouble_with(self, project: str) -> str:
        """Return what is not as it should be of the project."""
        url = f"{self.daemon.simple}{project}/"
        answer = get(url, timeout=30)
        offered = self.supply.dists(project)
        files = self.ledger.check_page(project, url, answer, offered, frozenset())
        if files.keys() != offered.keys():
            return f"its page, {answer.status}, {answer.headers.get('cache-status')}"
        for filename, dist in offered.items():
            path = self.index.file_path(dist)
            answer = get(files[filename], timeout=30)
            if not self.ledger.check_whole(dist, path, answer, here=self.ledger.has(path)):
                return f"{filename}: {answer.status} {answer.reason}"
        return ""

    def _stop_within_time(self) -> None:
        """End the daemon while a transfer is under way that would never end."""
        self.upstream.start()
        dist = self.supply.publish()
        path = self.index.file_path(dist)
        time.sleep(2 * TTL * 1.1)
        get(f"{self.daemon.simple}{dist.project}/")
        self.index.weather = Weather("silent", 1.0, (lambda _: Stall(at=1000),))
        with connect("127.0.0.1", self.daemon.port) as peer:
            peer.request("GET", self._url(dist).removeprefix(self.daemon.url.rstrip("/")))
            while not any(each.path == path for each in self.index.asked):
                time.sleep(0.05)
            begin = time.monotonic()
            code = self.daemon.terminate(timeout=60)
            took = time.monotonic() - begin
        print(f"stopped after {took:.1f} s", flush=True)
        if code != STOPPED or took > DRAIN + 5:
            self.ledger.problem(f"SIGTERM: ended by {code} after {took:.1f} s")
        staged = list((self.daemon.data / "staging").iterdir())
        if staged:
            self.ledger.problem(f"after SIGTERM there is in staging: {staged}")


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.soak", description="Fifty clients and an upstream that fails."
    )
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    with TemporaryDirectory(prefix="pypid-soak-") as directory:
        soak = Soak(Path(directory), options.seed)
        # A client that breaks would be missed by nobody.
        threading.excepthook = lambda broken: soak.ledger.problem(f"{broken.thread}: {broken.exc_value!r}")
        try:
            soak.run(options.seconds)
        finally:
            soak.close()
    told = Counter(_kind(what) for what, times in soak.ledger.answers.items() for _ in range(times))
    for what, times in sorted(told.items()):
        print(f"{times:8} {what}")
    for problem in soak.ledger.problems:
        print(f"PROBLEM {problem}")
    print(f"{len(soak.ledger.problems)} problems, seed {options.seed}")
    return 1 if soak.ledger.problems else 0


def _kind(what: str) -> str:
    """Leave out the name of what was asked for."""
    words = what.split()
    return f"{words[0]} {words[-1]}" if words[-1].isdigit() else what


if __name__ == "__main__":
    sys.exit(main())
