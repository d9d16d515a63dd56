"""Real storage in a temporary directory, a scripted upstream in memory, and what no test may leave behind."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ParamSpec, TypeVar

from twisted.internet.defer import Deferred, execute, fail

from pypid.domain.freshness import Lifetime
from pypid.domain.names import IndexName, NormalizedName
from pypid.domain.reach import AllowedHosts
from pypid.domain.validation.distribution import Question, Verdict
from pypid.indexes.core_metadata import CoreMetadata
from pypid.indexes.curating import Curator
from pypid.indexes.download_counts import DownloadCounts
from pypid.indexes.downloads import Downloads
from pypid.indexes.drifts import Drifts
from pypid.indexes.fetched import FetchedFiles
from pypid.indexes.held import PageMemory, page_memory
from pypid.indexes.hosted import HostedIndex
from pypid.indexes.index import FileBody
from pypid.indexes.mirror import MirrorIndex
from pypid.indexes.mirroring import Mirroring, PageRules
from pypid.indexes.pages import MirroredPages
from pypid.indexes.provenance import MirroredProvenance
from pypid.indexes.publishing import Publisher
from pypid.indexes.shadowing import Shadows
from pypid.indexes.upstream_json import UpstreamJson
from pypid.indexes.upstream_list import UpstreamList
from pypid.indexes.wheels import Wheels
from pypid.inspection.files import inspect_file
from pypid.offload import Offload, inline
from pypid.storage.audit import AuditLog
from pypid.storage.blobs import DirectoryBlobs
from pypid.storage.cached import CachedRecords
from pypid.storage.database import Database
from pypid.storage.download_records import DownloadRecords
from pypid.storage.group_commit import Companion, Pending
from pypid.storage.hosted import HostedRecords
from pypid.storage.journal import Journal
from pypid.storage.overlays import Overlays
from pypid.storage.replacing import Replacing
from pypid.storage.sidecars import Sidecars
from pypid.storage.staging import Staging
from tests.upstream.network import ROOT, UpstreamTestCase, client_over, start

P = ParamSpec("P")
T = TypeVar("T")

DEMO = NormalizedName("demo")
MIRROR = IndexName("root/pypi")
MARK = "pypid-0123456789abcdef"
RULES = PageRules(lifetime=Lifetime(ttl=600, grace=300, max_stale=7 * 86400), max_page=2**20, jitter=0)


class Disk:
    """An `Offload` that works at once, unless the test holds it or lets it refuse."""

    def __init__(self) -> None:
        self.held = ""
        """Which functions wait: a name, ``*`` for all."""
        self.full: set[str] = set()
        """Which functions, by name, find no space left in place of being called."""
        self._waiting: list[Callable[[], object]] = []

    def __call__(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Deferred[T]:
        done: Deferred[Any] = Deferred()
        name = function.__name__

        def call() -> None:
            outcome = _no_space(args) if name in self.full else execute(function, *args, **kwargs)
            outcome.chainDeferred(done)

        if self.held in {name, "*"}:
            self._waiting.append(call)
        else:
            call()
        return done

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def step(self) -> None:
        """Do the first of what waits."""
        self._waiting.pop(0)()

    def release(self) -> None:
        """Do what waits, and go on at once from now on."""
        self.held = ""
        waiting, self._waiting = self._waiting, []
        for call in waiting:
            call()


def _no_space(args: Sequence[object]) -> Deferred[Any]:
    error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    for pending in args:
        if isinstance(pending, Pending):
            pending.fail(error)  # else it would be in the next transaction
    return fail(error)


class StoresTestCase(UpstreamTestCase):
    """Adds storage; when a test is over nothing may be in staging, under way, or open."""

    def setUp(self) -> None:
        self.descriptors = _open_descriptors()
        self.addCleanup(self.check_descriptors)
        super().setUp()
        temporary = TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.data = Path(temporary.name)
        self.disk = Disk()
        self.staging = Staging(self.data / "staging", self.disk)
        self.blobs = DirectoryBlobs(self.data / "blobs", self.disk)
        self.sidecars = Sidecars(self.data / "records", self.disk)
        for part in (self.staging, self.blobs, self.sidecars):
            part.prepare()
        self.downloads = Downloads(self.staging, self.blobs, self.clock)
        self.audit = AuditLog(self.data / "audit.jsonl")
        self.audit.prepare()
        journal = Journal(self.sidecars, self.audit, Replacing(self.sidecars.root, self.data / "staging"))
        self.hosted_writer = Disk()
        self.hosted_database = self.database("hosted", self.hosted_writer, journal)
        self.hosted = HostedRecords(self.hosted_database, journal)
        self.overlays = Overlays(self.hosted_database, journal)
        self.cache_writer = Disk()
        self.cached = CachedRecords(self.database("cache", self.cache_writer))
        self.counts_writer = Disk()
        self.counts = DownloadCounts(
            DownloadRecords(self.database("counts", self.counts_writer)), keep_days=400, now=self.clock.seconds
        )
        self.drifts = Drifts()
        self.addCleanup(self.check_stores)

    def database(self, schema: str, write: Offload = inline, companion: Companion | None = None) -> Database:
        database = Database(
            self.data / f"{schema}.db", schema, durability="NORMAL", write=write, read=inline, companion=companion
        )
        database.open()
        self.addCleanup(database.close)
        return database

    # What is built on it.

    def mirroring(
        self,
        name: IndexName = MIRROR,
        *,
        upstream: str = f"{ROOT}/simple/",
        records: CachedRecords | None = None,
        memory: PageMemory | None = None,
        rules: PageRules = RULES,
        allow_hosts: Sequence[str] = ("*",),
    ) -> Mirroring:
        """``records`` and ``memory`` of another object are those of an earlier run."""
        return Mirroring(
            index=name,
            upstream=upstream,
            allowed=AllowedHosts([upstream], allow_hosts),
            rules=rules,
            client=self.client,
            records=records or self.cached,
            memory=page_memory(2**20) if memory is None else memory,
            parse=inline,
            now=self.clock.seconds,
            clock=self.clock,
            drifts=self.drifts,
            mark=MARK,
        )

    def mirror_pages(
        self,
        name: IndexName = MIRROR,
        *,
        root: str = ROOT,
        records: CachedRecords | None = None,
        memory: PageMemory | None = None,
        rules: PageRules = RULES,
    ) -> MirroredPages:
        return MirroredPages(
            self.mirroring(name, upstream=f"{root}/simple/", records=records, memory=memory, rules=rules)
        )

    def mirror(
        self,
        name: IndexName = MIRROR,
        pages: MirroredPages | None = None,
        mirroring: Mirroring | None = None,
        upstream_list: UpstreamList | None = None,
    ) -> MirrorIndex:
        mirroring = mirroring or self.mirroring(name)
        pages = pages or MirroredPages(mirroring)
        files = FetchedFiles(name, self.downloads, self.cached, self.blobs, learned=pages.learn)
        core_metadata = CoreMetadata(
            name,
            pages,
            files,
            Wheels(files, blobs=self.blobs, inspect=inline),
            records=self.cached,
            staging=self.staging,
            blobs=self.blobs,
        )
        fetcher = self.client if mirroring.offline else client_over(self.agent, self.clock)
        return MirrorIndex(
            name,
            pages,
            files,
            core_metadata,
            UpstreamJson(mirroring),
            provenance=MirroredProvenance(mirroring),
            fetcher=fetcher,
            upstream_list=upstream_list,
        )

    def curator(self) -> Curator:
        return Curator(records=self.hosted, now=self.clock.seconds)

    def hosted_index(self, name: str = "main") -> HostedIndex:
        return HostedIndex(IndexName(name), self.hosted, self.blobs)

    def publisher(self) -> Publisher:
        return Publisher(
            staging=self.staging,
            blobs=self.blobs,
            records=self.hosted,
            inspect=self.inspect,
            now=self.clock.seconds,
            shadows=Shadows(self.hosted, self.cached),
        )

    def inspect(self, path: Path, question: Question) -> Deferred[Verdict]:
        """Look into a file that is uploaded, at once."""
        return inline(inspect_file, path, question)

    # What is in it.

    def staged(self) -> list[str]:
        return [path.name for path in (self.data / "staging").iterdir()]

    def kept_blobs(self) -> set[str]:
        return {path.name for path in (self.data / "blobs").glob("*/*")}

    def kept_sidecars(self) -> list[Path]:
        return [path for path in (self.data / "records").rglob("*") if path.is_file()]

    def read_all(self, body: FileBody) -> Deferred[bytes]:
        """Read ``body`` to its end, and close it whatever happens."""
        return start(_read_all(body))

    # What must hold in the end.

    def check_stores(self) -> None:
        self.assertEqual(self.staged(), [], "in staging")
        self.assertEqual(len(self.downloads), 0, "transfers")
        self.assertEqual(self.disk.waiting + self.hosted_writer.waiting, 0, "calls to the disk")

    def check_descriptors(self) -> None:
        self.assertEqual(_open_descriptors() - self.descriptors, set(), "open files")


async def _read_all(body: FileBody) -> bytes:
    got = b""
    try:
        while part := await body.read(len(got)):
            got += part
    finally:
        body.close()
    return got


def _open_descriptors() -> set[tuple[str, str]]:
    links = list(Path("/proc/self/fd").iterdir())
    # Without the one that read the directory.
    return {(link.name, str(link.readlink())) for link in links if link.is_symlink()}
