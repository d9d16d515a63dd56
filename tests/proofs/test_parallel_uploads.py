"""Uploads side by side, and those who list meanwhile: F07 and F19."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import urljoin

import pytest

from tests.kit.daemon import Daemon, DaemonFactory
from tests.kit.dists import wheel
from tests.kit.ledger import Ledger
from tests.kit.pages import JSON
from tests.kit.processes import eventually
from tests.kit.rawclient import get


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path)


def _listed(d: Daemon, project: str) -> dict[str, Any]:
    """Return the files of the project's page, by name."""
    answer = get(f"{d.simple}{project}/", headers={"Accept": JSON})
    return {file["filename"]: file for file in json.loads(answer.body)["files"]} if answer.status == 200 else {}


@contextmanager
def _locked(d: Daemon) -> Iterator[None]:
    """Keep hosted.db locked, as a shell or a backup does, for a good deal less than a writer waits."""
    with closing(sqlite3.connect(d.data / "hosted.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def test_f19_a_hundred_at_once_are_all_there(daemon: DaemonFactory, ledger: Ledger) -> None:
    d = daemon(ledger.config)
    dists = [wheel("demo", f"1.{number}") for number in range(100)]
    with ThreadPoolExecutor(100) as pool:
        with _locked(d):
            uploads = [pool.submit(ledger.upload, d, dist) for dist in dists]
            # Of some the bytes are there: they wait for the lock.
            eventually(lambda: len(list((d.data / "blobs").glob("*/*"))) > 10, 3)
        assert [upload.result() for upload in uploads] == [200] * 100
    ledger.check(d)
    events = [json.loads(line) for line in (d.data / "audit.jsonl").read_text().splitlines()]
    assert [event["serial"] for event in events] == list(range(1, 101))
    assert len({event["filename"] for event in events}) == 100
    assert len({event["group"] for event in events}) < 100, "those that waited were committed together"
    assert get(f"{d.url}pypi/demo/json").headers["x-pypi-last-serial"] == "100"


def test_f07_what_is_listed_can_be_fetched_and_what_was_acknowledged_is_listed(
    daemon: DaemonFactory, ledger: Ledger
) -> None:
    d = daemon(ledger.config)
    over = Event()

    def read() -> int:
        """Fetch whatever is listed, as soon as it is."""
        seen: set[str] = set()
        while not over.is_set():
            for filename, file in _listed(d, "demo").items():
                if filename not in seen:
                    answer = get(urljoin(f"{d.simple}demo/", file["url"]))
                    assert answer.status == 200, filename
                    assert hashlib.sha256(answer.body).hexdigest() == file["hashes"]["sha256"], filename
                    seen.add(filename)
        return len(seen)

    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        try:
            for number in range(30):
                demo = wheel("demo", f"1.{number}")
                assert ledger.upload(d, demo) == 200
                assert demo.filename in _listed(d, "demo")
        finally:
            over.set()
        assert all(reader.result() > 0 for reader in readers)
