"""Releases in the databases of a data directory, with times of the test's own; and what retention makes of them."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from pypid.domain.actor import Actor
from pypid.domain.filenames import parse_filename
from pypid.domain.names import IndexName, NormalizedName
from pypid.domain.retention import Retention
from pypid.indexes.curating import Curator
from pypid.indexes.download_counts import DownloadCounts
from pypid.indexes.retention import Retainer
from pypid.offload import inline
from pypid.storage.audit import AuditLog
from pypid.storage.database import Database
from pypid.storage.download_records import DownloadRecords
from pypid.storage.hosted import HostedRecords
from pypid.storage.hosted_file import iso
from pypid.storage.journal import Journal
from pypid.storage.replacing import Replacing
from pypid.storage.sidecars import Sidecars
from pypid.storage.tokens import TokenStore
from tests.storage.rows import a_row

T = TypeVar("T")

DAY = 86400.0
MAIN, OWN = IndexName("main"), IndexName("own")
ALICE = Actor("alice", "192.0.2.1")


class Shelf:
    """What a daemon knows of its releases. Time stands still unless somebody changes `now`."""

    def __init__(self, data: Path, now: float) -> None:
        self.now = now
        self.data = data
        self._open = ExitStack()
        (data / "staging").mkdir(exist_ok=True)
        sidecars, self.audit = Sidecars(data / "records", inline), AuditLog(data / "audit.jsonl")
        for part in (sidecars, self.audit):
            part.prepare()
        self.journal = Journal(sidecars, self.audit, Replacing(sidecars.root, data / "staging"))
        self.database = self._database("hosted", companion=self.journal)
        self.records = HostedRecords(self.database, self.journal)
        self.curator = Curator(records=self.records, now=lambda: self.now)
        self._downloads = DownloadRecords(self._database("counts"))
        self.counts = DownloadCounts(self._downloads, keep_days=400, now=lambda: self.now)
        self._access = self._database("access")
        self.tokens = TokenStore(self._access, lambda: self.now)
        self.retainer = Retainer(self.database, self.counts, self.curator, offload=inline, now=lambda: self.now)

    def _database(self, schema: str, **kwargs: Any) -> Database:
        path = self.data / f"{schema}.db"
        database = Database(path, schema, durability="NORMAL", write=inline, read=inline, **kwargs)
        database.open()
        self._open.callback(database.close)
        return database

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._open.close()

    def publish(self, *filenames: str, age: float = 0.0, index: IndexName = MAIN) -> None:
        """``age``: days ago."""
        for filename in filenames:
            named = parse_filename(filename)
            row = a_row(
                filename,
                index_name=index,
                project=named.project,
                version=str(named.version),
                filetype=named.kind.value,
                uploaded_at=iso(self.now - age * DAY),
            )
            result(self.records.publish(row, {}, ALICE))

    def count_for(self, days: int) -> None:
        """Let as many days pass, over which downloads are counted."""
        for _ in range(days):
            result(self.counts.record())
            self.now += DAY
        result(self.counts.record())

    def rule(self, rules: Mapping[IndexName, Retention]) -> None:
        self.retainer.rules = rules

    def recorded(self, project: str = "demo", index: IndexName = MAIN) -> int:
        """Return the downloads of the project that are on the disk."""
        files = result(self._downloads.of_project(index, NormalizedName(project)))
        return sum(file.total for file in files.values())

    def used_tokens(self) -> dict[str, float | None]:
        """Return when each token was last used, as far as that is on the disk."""
        on_disk = TokenStore(self._access, lambda: self.now)
        return {kept.token.id: kept.last_used for kept in result(on_disk.listed())}

    def files(self, project: str = "demo", index: IndexName = MAIN) -> list[str]:
        page = result(self.records.page(index, NormalizedName(project)))
        return [] if page is None else sorted(file.filename for file in page.files)


def result(call: Coroutine[Deferred[Any], Any, T]) -> T:
    """Return what ``call`` does at once."""
    outcome: list[T | Failure] = []
    Deferred.fromCoroutine(call).addBoth(outcome.append)
    (only,) = outcome
    if isinstance(only, Failure):
        only.raiseException()
    return only
