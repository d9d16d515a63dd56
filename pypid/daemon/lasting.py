"""What lives as long as the process, whatever a reload changes."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from pypid.config import Config
from pypid.daemon.data import DataDirectory
from pypid.daemon.failure import StartFailed, end_at_once
from pypid.domain.attestations import Attestation
from pypid.domain.errors import StorageBusy
from pypid.domain.names import IndexName
from pypid.indexes.curating import Curator
from pypid.indexes.download_counts import DownloadCounts
from pypid.indexes.downloads import Downloads
from pypid.indexes.drifts import Drifts
from pypid.indexes.held import page_memory
from pypid.indexes.looks import Looks
from pypid.indexes.overlaying import OverlayCurator
from pypid.indexes.publishing import Publisher
from pypid.indexes.reporting import Reporter
from pypid.indexes.retention import Retainer
from pypid.indexes.room import Room
from pypid.indexes.shadowing import Shadows
from pypid.indexes.tokens import Tokens
from pypid.indexes.vouching import Vouching
from pypid.inspection.apart import inspect_apart
from pypid.inspection.verifying import can_verify, verify_apart
from pypid.offload import LooseThreads, Threads
from pypid.storage.audit import AuditLog
from pypid.storage.blobs import DirectoryBlobs
from pypid.storage.cached import CachedRecords
from pypid.storage.database import READERS, Database, SchemaTooNew, check_sound
from pypid.storage.download_records import DownloadRecords
from pypid.storage.hosted import HostedRecords
from pypid.storage.journal import Journal
from pypid.storage.loose_memory import LooseMemory
from pypid.storage.overlays import Overlays
from pypid.storage.recovery import OlderDatabase, recover
from pypid.storage.references import References
from pypid.storage.replacing import Replacing
from pypid.storage.sidecars import Sidecars
from pypid.storage.staging import Staging
from pypid.storage.switch import OfflineSwitch
from pypid.storage.tokens import TokenStore
from pypid.upstream.hosts import Hosts
from pypid.upstream.lookups import Lookups
from pypid.upstream.pool import UpstreamPool
from pypid.web.password_checks import PasswordChecks

REBUILD = "'pypid rebuild' makes it anew from the files in records/"

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
        self._directories = Threads(reactor, "directories", 1)
        self._inspections = Threads(reactor, "inspections", os.cpu_count() or 2)
        self._hosted_writer = Threads(reactor, "hosted-writer", 1)
        self._cache_writer = Threads(reactor, "cache-writer", 1)
        self._access_writer = Threads(reactor, "access-writer", 1)
        self._readers = Threads(reactor, "readers", READERS)
        self._sidecars = Sidecars(data / "records", self.disk)
        self.audit = AuditLog(data / "audit.jsonl")
        self._journal = Journal(self._sidecars, self.audit, Replacing(self._sidecars.root, data / "staging"))
        self._hosted = Database(
            data / "hosted.db",
            "hosted",
            durability="FULL",
            write=self._hosted_writer,
            read=self._readers,
            companion=self._journal,
            unsynced=end_at_once,
        )
        self._cache = Database(
            data / "cache.db", "cache", durability="NORMAL", write=self._cache_writer, read=self._readers
        )
        self.hosted = HostedRecords(self._hosted, self._journal)
        self.cached = CachedRecords(self._cache)
        self._looks: dict[tuple[IndexName, Sequence[Path]], Looks] = {}
        self.staging = Staging(data / "staging", self.disk)
        self.blobs = DirectoryBlobs(data / "blobs", self.disk)
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
            records=self.hosted,
            inspect=lambda path, question: self._inspections(inspect_apart, path, question),
            now=time.time,
            room=self.room,
            vouching=Vouching(self._verify if can_verify() else None),
            shadows=Shadows(self.hosted, self.cached),
        )
        self.sigstore_root = config.server.sigstore_root
        self.curator = Curator(records=self.hosted, now=time.time)
        self.overlays = Overlays(self._hosted, self._journal)
        self.overlay_curator = OverlayCurator(overlays=self.overlays, now=time.time)
        self._counts = Database(
            data / "counts.db", "counts", durability="NORMAL", write=self._cache_writer, read=self._readers
        )
        self.counts = DownloadCounts(
            DownloadRecords(self._counts), keep_days=config.server.download_days, now=time.time
        )
        self.retainer = Retainer(self._hosted, self.counts, self.curator, offload=self.lists, now=time.time)
        self._access = Database(
            data / "access.db",
            "access",
            durability="FULL",
            write=self._access_writer,
            read=self._readers,
            unsynced=end_at_once,
        )
        self.token_store = TokenStore(self._access, time.time)
        self.tokens = Tokens(self.token_store, now=time.time)
        self.reporter = Reporter(
            hosted=self._hosted, overlays=self.overlays, counts=self.counts, audit=self.audit, offload=self.disk
        )
        self.pool = UpstreamPool(reactor)
        self.pool.maxPersistentPerHost = IDLE_UPSTREAM_CONNECTIONS
        self.pool.cachedConnectionTimeout = IDLE_UPSTREAM
        self.lookups = Lookups(LooseThreads(reactor, "lookup"))
        self.hosts = Hosts(reactor)
        self.drifts = Drifts()
        self.offline = OfflineSwitch(data)

    def _verify(self, filename: str, attestations: Sequence[Attestation]) -> Deferred[tuple[str, ...]]:
        return self._inspections(verify_apart, filename, attestations, self.sigstore_root)

    def open(self) -> None:
        """Lock the data directory, clear what was unfinished, open the databases. Raises `StartFailed`."""
        self.directory.open()
        try:
            for part in (self.staging, self.blobs, self._sidecars, self.audit):
                part.prepare()
            self._open_hosted()
            self._open_access()
            self._open_disposable(self._cache, "cache.db")
            self._open_disposable(self._counts, "counts.db")
        except OSError as e:
            self.directory.close()
            raise StartFailed(f"{e.filename}: {e.strerror}", os.EX_DATAERR) from e
        except StartFailed:
            self.directory.close()
            raise
        for threads in self._threads():
            threads.start()

    def _open_hosted(self) -> None:
        if self._hosted.is_missing() and self._sidecars.any():
            # An empty index would have its names asked for elsewhere.
            raise StartFailed(f"hosted.db is gone, which knows what was uploaded: {REBUILD}", os.EX_DATAERR)
        unopened = "hosted.db, which knows what was uploaded, cannot be opened"
        try:
            self._hosted.open(self._begin_hosted)
        except StorageBusy as e:
            raise StartFailed(f"{unopened}: {e}", os.EX_TEMPFAIL) from e
        except (sqlite3.OperationalError, SchemaTooNew) as e:
            raise StartFailed(f"{unopened}: {e}", os.EX_DATAERR) from e
        except (sqlite3.Error, OlderDatabase) as e:
            raise StartFailed(f"{unopened}: {e}; {REBUILD}", os.EX_DATAERR) from e

    def _open_access(self) -> None:
        try:
            self._access.open(self.token_store.read)
        except StorageBusy as e:
            raise StartFailed(f"access.db cannot be opened: {e}", os.EX_TEMPFAIL) from e
        except (sqlite3.Error, SchemaTooNew) as e:
            # Never begun anew: a token that was revoked would be unknown again, but so would be all others.
            raise StartFailed(
                f"access.db, which knows the API tokens, cannot be opened: {e}; put a backup in its place, "
                "or move it away, and no token works any more",
                os.EX_DATAERR,
            ) from e

    def _begin_hosted(self, connection: sqlite3.Connection) -> None:
        check_sound(connection)
        recover(connection, self._journal)

    def _open_disposable(self, database: Database, name: str) -> None:
        try:
            database.open()
        except SchemaTooNew as e:
            raise StartFailed(f"{name} cannot be opened: {e}; it may be deleted", os.EX_DATAERR) from e
        except sqlite3.DatabaseError as e:
            aside = database.move_aside(f"corrupt-{int(time.time())}")
            self._log.error(
                "{name} is damaged ({why}): it was moved to {aside} and is begun anew", name=name, why=e, aside=aside
            )
            database.open()

    def looks(self, index: IndexName, roots: Sequence[Path]) -> Looks:
        """Return what looks at the directories of an index: the same for the same ones, so that it goes on."""
        if (index, roots) not in self._looks:
            self._looks[index, roots] = Looks(
                index,
                roots,
                memory=LooseMemory(self._cache),
                offload=self._directories,
                now=time.time,
                clock=self.reactor,
            )
        return self._looks[index, roots]

    def stop(self) -> Deferred[object]:
        """End what is under way, so that nothing is half done. Fires when it is safe to `close`."""
        self.pool.closeCachedConnections()
        stopped = self.downloads.stop()
        stopped.addCallback(lambda _: self.publisher.stop())
        stopped.addCallback(lambda _: Deferred.fromCoroutine(self.retainer.stop()))
        return stopped.addCallback(lambda _: Deferred.fromCoroutine(self.counts.stop()))

    def close(self) -> None:
        """Give everything back. Blocks while threads end what they are doing."""
        for threads in self._threads():
            threads.stop()
        self._access.close()
        self._hosted.close()
        self._cache.close()
        self._counts.close()
        self.directory.close()

    def _threads(self) -> tuple[Threads, ...]:
        return (
            self.disk,
            self._passwords,
            self.pages,
            self.lists,
            self._directories,
            self._inspections,
            self._hosted_writer,
            self._cache_writer,
            self._access_writer,
            self._readers,
        )
