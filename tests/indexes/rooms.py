"""Real blobs, sidecars and databases, and a `Room` that looks after them, with a clock of the test's own."""

from __future__ import annotations

import errno
import hashlib
import os
import time
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from twisted.internet.defer import Deferred, fail

from pypid.domain.eviction import Limits
from pypid.indexes.room import Room, Swept
from pypid.offload import Offload, inline
from pypid.storage.audit import AuditLog
from pypid.storage.blobs import DirectoryBlobs
from pypid.storage.cached import CachedRecords
from pypid.storage.database import Database
from pypid.storage.group_commit import Companion
from pypid.storage.hosted import HostedRecords
from pypid.storage.journal import Journal
from pypid.storage.references import References
from pypid.storage.replacing import Replacing
from pypid.storage.sidecars import Sidecars
from pypid.storage.staging import Staging
from pypid.storage.uses import Uses
from tests.indexes.stores import Disk
from tests.storage.case import StorageCase
from tests.storage.rows import ALICE, DEMO, MAIN, a_row

P = ParamSpec("P")
T = TypeVar("T")

DAY = 86400.0
UNLIMITED = Limits(cache_size=None, keep_free=0)
NOTHING = Limits(cache_size=1, keep_free=0)


class FullOnce:
    """An `Offload` whose first call finds a full disk."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Deferred[T]:
        self.calls += 1
        if self.calls == 1:
            return fail(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
        return inline(function, *args, **kwargs)


class RoomCase(StorageCase):
    def setUp(self) -> None:
        super().setUp()
        # Later than anything that the file system knows.
        self.now = time.time() + DAY
        self.disk, self.cache_writer, self.hosted_reader, self.sidecar_disk = Disk(), Disk(), Disk(), Disk()
        self.hosted_writer = Disk()
        self.sidecars = Sidecars(self.directory / "records", self.sidecar_disk)
        self.staging = Staging(self.directory / "staging", inline)
        self.sidecars.prepare()
        audit = AuditLog(self.directory / "audit.jsonl")
        audit.prepare()
        journal = Journal(self.sidecars, audit, Replacing(self.sidecars.root, self.directory / "staging"))
        hosted = self.database("hosted", write=self.hosted_writer, read=self.hosted_reader, companion=journal)
        cache = self.database("cache", write=self.cache_writer)
        self.hosted, self.cached = HostedRecords(hosted, journal), CachedRecords(cache)
        self.references = References(hosted, cache)
        self.start(UNLIMITED)

    def database(
        self, schema: str, *, write: Offload = inline, read: Offload = inline, companion: Companion | None = None
    ) -> Database:
        path = self.directory / f"{schema}.db"
        database = Database(path, schema, durability="NORMAL", write=write, read=read, companion=companion)
        database.open()
        self.addCleanup(database.close)
        return database

    def start(self, limits: Limits) -> None:
        """Begin as a new process does, which knows what is recorded."""
        self.blobs = DirectoryBlobs(self.directory / "blobs", self.disk, Uses(lambda: self.now))
        for part in (self.staging, self.blobs, self.sidecars):
            part.prepare()
        self.room = Room(
            self.blobs, self.references, self.sidecars, limits=limits, offload=self.disk, now=lambda: self.now
        )

    def add(self, content: bytes) -> str:
        """Put a blob into the store that no record names."""
        staged = self.result(self.staging.create())
        self.result(staged.write(content))
        sha256 = self.result(self.blobs.add(staged))
        staged.close()
        return sha256

    def fetch(self, content: bytes) -> str:
        """Do what a transfer does at its end; a while passes."""
        sha256 = self.add(content)
        self.result(self.cached.keep_file(MAIN, DEMO, f"demo-{sha256[:8]}.tar.gz", sha256))
        self.pass_time()
        return sha256

    def upload(self, content: bytes, **values: Any) -> str:
        sha256 = self.add(content)
        filename = f"demo-1.{int(sha256[:8], 16)}.tar.gz"
        self.result(self.hosted.publish(a_row(filename, sha256=sha256, **values), {}, ALICE))
        self.pass_time()
        return sha256

    def read(self, sha256: str) -> bytes:
        blob = self.result(self.blobs.open(sha256))
        content = self.result(blob.read(0))
        blob.close()
        self.pass_time()
        return content

    def pass_time(self, seconds: float = 600.0) -> None:
        self.now += seconds

    def sweep(self, **kwargs: int) -> Swept:
        return self.result(self.room.sweep(**kwargs))

    def sweep_all(self) -> Swept:
        """Sweep as if there were no room at all."""
        return self.successResultOf(self.sweeping_all())

    def sweeping_all(self) -> Deferred[Swept]:
        self.room.limits = NOTHING
        return Deferred.fromCoroutine(self.room.sweep())

    def has(self, *blobs: str) -> list[bool]:
        return [(self.directory / "blobs" / sha256[:2] / sha256).exists() for sha256 in blobs]

    def recorded(self, *blobs: str) -> list[bool]:
        cached = self.result(self.references.cached())
        return [sha256 in cached for sha256 in blobs]


def content_of(number: int, size: int = 100) -> bytes:
    return hashlib.sha256(str(number).encode()).digest() * (size // 32) + b"x" * (size % 32)
