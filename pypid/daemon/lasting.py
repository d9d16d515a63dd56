"""What lives as long as the process, whatever a reload changes."""

from __future__ import annotations

import os
import sqlite3
import time
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from pypid.config import Config
from pypid.daemon.data import DataDirectory
from pypid.daemon.failure import StartFailed
from pypid.indexes.downloads import Downloads
from pypid.indexes.drifts import Drifts
from pypid.indexes.held import page_memory
from pypid.indexes.publishing import Publisher
from pypid.indexes.room import Room
from pypid.inspection.apart import inspect_apart
from pypid.offload import LooseThreads, Threads
from pypid.storage.blobs import DirectoryBlobs
from pypid.storage.cached import CachedRecords
from pypid.storage.database import READERS, Database, SchemaTooNew
from pypid.storage.hosted import HostedRecords
from pypid.storage.references import References
from pypid.storage.sidecars import Sidecars
from pypid.storage.staging import Staging
from pypid.storage.switch import OfflineSwitch
from pypid.upstream.hosts import Hosts
from pypid.upstream.lookups import Lookups
from pypid.upstream.pool import UpstreamPool
from pypid.web.password_checks import PasswordChecks

IDLE_UPSTREAM = 50
"""Seconds for which an idle upstream connection is kept: less than the usual server's 60."""

IDLE_UPSTREAM_CONNECTIONS = 20
"""Idle connections kept for each host of a mirror: what one `uv` asks for at once, and then asks again."""


class Lasting:
    """Threads, databases, blobs and what is under way. Nothing is touched before `open`."""

    _log = Logger()

    def __init__(self, reactor: Any, config: Config) -> None:
        data = config.server.data
        self.directory = DataDirectory(data)
        self.reactor = reactor
        self.disk = Threads(reactor, "disk", 8)
        self._passwords = Threads(reactor, "passwords", max(1, (os.cpu_count() or 2) - 1))
        self.password_checks = PasswordChecks(self._passwords, reactor)
        self.pages = Threads(reactor, "pages", 2)
        self.lists = Threads(reactor, "lists", 1)
        self._inspections = Threads(reactor, "inspections", os.cpu_count() or 2)
        self._hosted_writer = Threads(reactor, "hosted-writer", 1)
        self._cache_writer = Threads(reactor, "cache-writer", 1)
        self._readers = Threads(reactor, "readers", READERS)
        self._hosted = Database(
            data / "hosted.db", "hosted", durability="FULL", write=self._hosted_writer, read=self._readers
        )
        self._cache = Database(
            data / "cache.db", "cache", durability="NORMAL", write=self._cache_writer, read=self._readers
        )
        self.hosted = HostedRecords(self._hosted)
        self.cached = CachedRecords(self._cache)
        self.staging = Staging(data / "staging", self.disk)
        self.blobs = DirectoryBlobs(data / "blobs", self.disk)
        self._sidecars = Sidecars(data / "records", self.disk)
        self.room = Room(
            self.blobs,
            References(self._hosted, self._cache),
            self._sidecars,
            limits=config.server.room,
            offload=self.disk,
            now=time.time,
        )
        self.page_memory = page_memory(config.server.page_memory)
        self.downloads = Downloads(self.staging, self.blobs, reactor, self.room)
        self.publisher = Publisher(
            staging=self.staging,
            blobs=self.blobs,
            sidecars=self._sidecars,
            records=self.hosted,
            inspect=lambda path, question: self._inspections(inspect_apart, path, question),
            now=time.time,
            room=self.room,
        )
        self.pool = UpstreamPool(reactor)
        self.pool.maxPersistentPerHost = IDLE_UPSTREAM_CONNECTIONS
        self.pool.cachedConnectionTimeout = IDLE_UPSTREAM
        self.lookups = Lookups(LooseThreads(reactor, "lookup"))
        self.hosts = Hosts(reactor)
        self.drifts = Drifts()
        self.offline = OfflineSwitch(data)

    def open(self) -> None:
        """Lock the data directory, clear what was unfinished, open the databases. Raises `StartFailed`."""
        self.directory.open()
        try:
            for part in (self.staging, self.blobs, self._sidecars):
                part.prepare()
            self._open_hosted()
            self._open_cache()
        except OSError as e:
            self.directory.close()
            raise StartFailed(f"{e.filename}: {e.strerror}", os.EX_DATAERR) from e
        except StartFailed:
            self.directory.close()
            raise
        for threads in self._threads():
            threads.start()

    def _open_hosted(self) -> None:
        try:
            self._hosted.open()
        except (sqlite3.Error, SchemaTooNew) as e:
            raise StartFailed(f"hosted.db, which knows what was uploaded, cannot be opened: {e}", os.EX_DATAERR) from e

    def _open_cache(self) -> None:
        try:
            self._cache.open()
        except SchemaTooNew as e:
            raise StartFailed(f"cache.db cannot be opened: {e}; it may be deleted", os.EX_DATAERR) from e
        except sqlite3.DatabaseError as e:
            aside = self._cache.move_aside(f"corrupt-{int(time.time())}")
            self._log.error(
                "cache.db is damaged ({why}): it was moved to {aside} and is begun anew", why=e, aside=aside
            )
            self._cache.open()

    def stop(self) -> Deferred[object]:
        """End what is under way, so that nothing is half done. Fires when it is safe to `close`."""
        self.pool.closeCachedConnections()
        stopped = self.downloads.stop()
        return stopped.addCallback(lambda _: self.publisher.stop())

    def close(self) -> None:
        """Give everything back. Blocks while threads end what they are doing."""
        for threads in self._threads():
            threads.stop()
        self._hosted.close()
        self._cache.close()
        self.directory.close()

    def _threads(self) -> tuple[Threads, ...]:
        return (
            self.disk,
            self._passwords,
            self.pages,
            self.lists,
            self._inspections,
            self._hosted_writer,
            self._cache_writer,
            self._readers,
        )
