"""The clients of a soak: fifty that ask for everything at random, and a real installer now and then."""

from __future__ import annotations

import hashlib
import random
import threading
from pathlib import Path
from urllib.parse import urlsplit

from tests.kit.clients import client_venv, make_venv, pip_install, uv_pip_install
from tests.kit.daemon import Daemon
from tests.kit.dists import Dist
from tests.kit.pages import JSON
from tests.kit.rawclient import Answer, connect, get
from tests.kit.scripted import ScriptedIndex
from tests.soak.ledger import Ledger
from tests.soak.supply import CONSTANT, Supply

PAGE_PATIENCE = 15.0
"""Seconds for which pip waits for a byte. Nobody may be kept waiting longer for a page."""
FILE_PATIENCE = 75.0
"""The same for a file, which may wait for its turn at upstream for 60 s."""
PAUSE = 0.15
"""Mean seconds between two visits of one client."""
FORMS = ({"Accept": JSON}, {"Accept": JSON}, {"Accept": "text/html"})


class Visitor:
    """One client: a page, then something of one of its files, and again."""

    def __init__(
        self, daemon: Daemon, supply: Supply, index: ScriptedIndex, ledger: Ledger, rng: random.Random
    ) -> None:
        self._daemon = daemon
        self._supply = supply
        self._index = index
        self._ledger = ledger
        self._rng = rng

    def run(self, stop: threading.Event) -> None:
        while not stop.wait(self._rng.expovariate(1 / PAUSE)):
            try:
                self.visit()
            except TimeoutError:
                self._ledger.problem("a client gave up waiting")
            except (OSError, EOFError) as e:
                self._ledger.problem(f"a client was not answered: {e!r}")

    def visit(self) -> None:
        if self._rng.random() < 0.02:
            self._unknown()
            return
        project = self._rng.choice(self._supply.projects())
        offered_before = self._ledger.listed(project)
        url = f"{self._daemon.simple}{project}/"
        answer = get(url, headers=self._rng.choice(FORMS), timeout=PAGE_PATIENCE)
        offered = self._supply.dists(project)
        files = self._ledger.check_page(project, url, answer, offered, offered_before)
        if files:
            filename = self._rng.choice([*files, *list(files)[-2:] * 2])
            dist = offered[filename]
            act = self._rng.choice([self._whole, self._whole, self._part, self._head, self._leave, self._metadata])
            act(dist, files[filename])

    def _unknown(self) -> None:
        """What nobody has is not found, unless upstream cannot say."""
        answer = get(f"{self._daemon.simple}nothing-{self._rng.randrange(50)}/", timeout=PAGE_PATIENCE)
        if answer.status == 404:
            self._ledger.count("unknown 404")
        else:
            self._ledger.check_trouble("unknown", answer, here=False)

    def _whole(self, dist: Dist, url: str) -> None:
        path = self._index.file_path(dist)
        here = self._ledger.has(path)
        answer = get(url, timeout=FILE_PATIENCE)
        came = self._ledger.check_whole(dist, path, answer, here=here)
        if not came and answer.status == 200 and answer.body and "etag" in answer.headers:
            self._resume(dist, url, answer)

    def _resume(self, dist: Dist, url: str, first: Answer) -> None:
        """Go on where an answer broke off, as pip does."""
        asked = {"Range": f"bytes={len(first.body)}-", "If-Range": first.headers["etag"]}
        rest = get(url, headers=asked, timeout=FILE_PATIENCE)
        if rest.status != 206 or not rest.complete:
            self._ledger.count(f"resumed {rest.status}")
        elif hashlib.sha256(first.body + rest.body).hexdigest() == dist.sha256:
            self._ledger.count("resumed, right")
        else:
            self._ledger.count("resumed after wrong bytes")

    def _part(self, dist: Dist, url: str) -> None:
        here = self._ledger.has(self._index.file_path(dist))
        size = len(dist.content)
        start = self._rng.randrange(size)
        stop = self._rng.randint(start + 1, min(size, start + 50_000))
        answer = get(url, headers={"Range": f"bytes={start}-{stop - 1}"}, timeout=FILE_PATIENCE)
        self._ledger.check_part(dist, start, stop, answer, here=here)

    def _head(self, dist: Dist, url: str) -> None:
        answer = get(url, method="HEAD", timeout=FILE_PATIENCE)
        if answer.status != 200:
            self._ledger.check_trouble(f"HEAD of {dist.filename}", answer, here=True)
        elif answer.headers.get("content-length") != str(len(dist.content)):
            self._ledger.problem(f"HEAD of {dist.filename} has a wrong length")
        else:
            self._ledger.count("HEAD 200")

    def _leave(self, dist: Dist, url: str) -> None:
        """Ask, perhaps read a little, and be gone."""
        with connect("127.0.0.1", self._daemon.port, timeout=FILE_PATIENCE, receive_buffer=4096) as peer:
            peer.request("GET", urlsplit(url).path, {"Connection": "close"})
            if self._rng.random() < 0.5:
                peer.read(self._rng.randrange(len(dist.content)))
            if self._rng.random() < 0.5:
                peer.reset()
        self._ledger.count("left")

    def _metadata(self, dist: Dist, url: str) -> None:
        path = f"{self._index.file_path(dist)}.metadata"
        here = self._ledger.has(path)
        answer = get(f"{url}.metadata", timeout=FILE_PATIENCE)
        self._ledger.check_metadata(dist, path, answer, here=here)


def install_constantly(daemon: Daemon, ledger: Ledger, directory: Path, stop: threading.Event, every: float) -> None:
    """Have pip and uv, in turns, install what is here, ``every`` so many seconds: there is no excuse for failing."""
    ways = [("pip", "26.*", pip_install), ("uv", "0.13.*", uv_pip_install)]
    number = 0
    while not stop.wait(every):
        tool, version, install = ways[number % len(ways)]
        home = directory / f"installer-{number}"
        client = client_venv(tool, version, home=home)
        result = install(client, make_venv(home / "target"), CONSTANT, index_url=daemon.simple)
        ledger.count(f"{tool} install")
        if result.returncode != 0:
            ledger.problem(f"{tool} failed: {result.stdout}")
        number += 1
