"""
What was uploaded to a daemon that may die at any moment, and what must be true of it from then on.

    ledger = Ledger(tmp_path)          # it has a user of its own
    d = daemon(ledger.config)
    status = ledger.upload(d, demo)    # None if no answer came
    d.kill(); d.start()
    ledger.check(d)                    # what was acknowledged is there; anything else is there whole, or not at all
"""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from copy import copy
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any
from urllib.parse import quote, urljoin

import bcrypt

from tests.kit.daemon import Config, Daemon
from tests.kit.dists import Dist
from tests.kit.pages import JSON
from tests.kit.processes import eventually
from tests.kit.rawclient import Answer, get
from tests.web.forms import fields_of, multipart

_USER, _PASSWORD = "alice", "correct horse battery staple"
_CREDENTIALS = base64.b64encode(f"{_USER}:{_PASSWORD}".encode()).decode()
_CHEAP = 4
"""bcrypt's cost: the password is checked again after each of very many starts."""


class Ledger:
    """Uploads, from any number of threads, of files that have names of their own each."""

    def __init__(self, directory: Path) -> None:
        """``directory``: where the file of users is kept, which is not in the daemon's: that may lose its power."""
        users = directory / "htpasswd"
        hashed = bcrypt.hashpw(_PASSWORD.encode(), bcrypt.gensalt(_CHEAP)).decode()
        users.write_text(f"{_USER}:{hashed}\n", encoding="ascii")
        self.config: Config = {
            "users": {"htpasswd": str(users)},
            "index": {"main": {"bases": [], "admin": ["authenticated"]}, "pypi": {"enabled": False}},
        }
        """One hosted index, for the user."""
        self.acknowledged: dict[str, Dist] = {}
        """By filename."""
        self._tried: dict[str, Dist] = {}
        self._lock = Lock()

    def upload(self, d: Daemon, dist: Dist) -> int | None:
        """Return the status of the answer, None if there was none."""
        with self._lock:
            self._tried[dist.filename] = dist
        content_type, body = multipart(fields_of(dist), dist)
        headers = {"Content-Type": content_type}
        answer = self.ask(d, "legacy/", method="POST", headers=headers, body=body)
        if answer is not None and answer.status == 200:
            with self._lock:
                self.acknowledged[dist.filename] = dist
        return None if answer is None else answer.status

    def ask(
        self, d: Daemon, path: str, *, method: str, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> Answer | None:
        """Make a request as the user; None if it had no whole answer."""
        own = {"Authorization": f"Basic {_CREDENTIALS}", **(headers or {})}
        try:
            answer = get(urljoin(d.url, path), method=method, headers=own, body=body, timeout=60)
        except (ConnectionError, EOFError):
            return None
        return answer if answer.complete else None

    def as_it_is(self) -> Ledger:
        """Return a ledger that knows of nothing that is uploaded from now on."""
        with self._lock:
            copied = copy(self)
            copied.acknowledged, copied._tried = dict(self.acknowledged), dict(self._tried)
        return copied

    def check(self, d: Daemon) -> None:
        """Raise `AssertionError` with all that is not as it must be."""
        with self._lock:
            acknowledged, tried = dict(self.acknowledged), dict(self._tried)
        problems = [*_problems_of_files(d, acknowledged, tried), *problems_on_disk(seen_by(d))]
        assert problems == [], "\n".join([*problems, "--- the log:", d.log()])


def seen_by(d: Daemon) -> Path:
    """Return the data directory as the running daemon has it, which may have mounts of its own."""
    return Path(f"/proc/{d.pid}/root") / d.data.relative_to("/")


def problems_on_disk(data: Path) -> Iterator[str]:
    """Yield what is wrong in the data directory, for whatever was done to its daemon."""
    if not eventually(lambda: not any((data / "staging").iterdir()), 5):
        yield f"left in staging: {[path.name for path in (data / 'staging').iterdir()]}"
    for blob in (data / "blobs").rglob("*"):
        if blob.is_file() and hashlib.sha256(blob.read_bytes()).hexdigest() != blob.name:
            yield f"the blob {blob.name} has other bytes"
    with _copy_of(data / "hosted.db") as connection:
        for statement in ("PRAGMA integrity_check", "PRAGMA foreign_key_check"):
            for row in connection.execute(statement):
                if row != ("ok",):
                    yield f"{statement}: {row}"
        rows = set(connection.execute("SELECT filename, sha256, yanked FROM file"))
    for filename, sha256, _ in rows:
        if not (data / "blobs" / sha256[:2] / sha256).is_file():
            yield f"{filename}: its row has no blob"
    sidecars = set(_sidecars(data / "records"))
    yield from (f"a row without its sidecar: {row}" for row in rows - sidecars)
    yield from (f"a sidecar without its row: {row}" for row in sidecars - rows)


def _sidecars(records: Path) -> Iterator[tuple[str, str, str | None]]:
    """Yield what they say of each file that is there."""
    for path in records.glob("*/*/[!.]*.json"):
        record = json.loads(path.read_bytes())
        if "deleted_at" not in record and not record.get("undone"):
            yield record["filename"], record["sha256"], record["yanked"]


@contextmanager
def _copy_of(database: Path) -> Iterator[sqlite3.Connection]:
    """Open what a power cut would leave of it now; SQLite would resolve the path to another file system's."""
    with TemporaryDirectory() as directory:
        for suffix in ("", "-wal"):
            with suppress(FileNotFoundError):
                shutil.copyfile(f"{database}{suffix}", f"{directory}/hosted.db{suffix}")
        with closing(sqlite3.connect(f"{directory}/hosted.db")) as connection:
            yield connection


def _problems_of_files(d: Daemon, acknowledged: dict[str, Dist], tried: dict[str, Dist]) -> Iterator[str]:
    listed: dict[str, Any] = {}
    for project in {dist.project for dist in tried.values()}:
        answer = get(f"{d.simple}{project}/", headers={"Accept": JSON})
        if answer.status == 200:
            listed |= {file["filename"]: file for file in json.loads(answer.body)["files"]}
    for filename, dist in tried.items():
        if filename in listed:
            yield from _problems_of_listed(d, dist, listed[filename])
        elif filename in acknowledged:
            yield f"{filename}: acknowledged, and lost"
    yield from (f"{filename}: nobody uploaded that" for filename in listed.keys() - tried.keys())


def _problems_of_listed(d: Daemon, dist: Dist, file: dict[str, Any]) -> Iterator[str]:
    if file["hashes"]["sha256"] != dist.sha256:
        yield f"{dist.filename}: listed with another digest"
    answer = get(urljoin(f"{d.simple}{dist.project}/", quote(file["url"], safe="/:%")))
    if (answer.status, answer.complete, answer.body) != (200, True, dist.content):
        yield f"{dist.filename}: {answer.status} with {len(answer.body)} bytes, not the file that was uploaded"
