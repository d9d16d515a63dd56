"""One upstream that is mirrored, and what there is to say of each kind of document that it has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from pypid.domain.freshness import JITTER, Lifetime
from pypid.domain.names import IndexName, NormalizedName
from pypid.domain.reach import AllowedHosts
from pypid.indexes.drifts import Drifts
from pypid.indexes.held import PageMemory
from pypid.offload import Offload
from pypid.storage.cached import CachedRecords, StoredPage
from pypid.upstream.client import SIMPLE_TYPES, Absent, FetchedPage, PageTypes, TakePage, Unchanged

T = TypeVar("T")

Now = Callable[[], float]
"""Seconds since 1970. The wall clock, since what it stamps outlives the process."""


class PageClient(Protocol):
    """Where an upstream's pages come from; `UpstreamClient` is one."""

    async def page(
        self, url: str, types: PageTypes = SIMPLE_TYPES, *, etag: str | None, last_modified: str | None
    ) -> FetchedPage | Unchanged | Absent: ...

    async def long_page(
        self, url: str, take: TakePage, *, etag: str | None, last_modified: str | None, limit: int
    ) -> FetchedPage | Unchanged | Absent: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRules:
    """`pypid.config` has the defaults and their reasons."""

    lifetime: Lifetime
    max_page: int
    """Bytes."""
    serve_quarantined: bool = False
    """Whether files that were fetched before are served though their project is in quarantine."""
    jitter: float = JITTER
    """Share of its time to live."""

    def expired_at(self, now: float) -> float:
        """Return when a page was fetched, at the latest, that is to be asked for again before it is answered."""
        return now - (self.lifetime.ttl * (1 + self.jitter) + self.lifetime.grace + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirroring:
    """What everything that is mirrored from one upstream needs."""

    index: IndexName
    upstream: str
    """The base URL, ending in a slash, under which the project pages are."""
    allowed: AllowedHosts
    rules: PageRules
    client: PageClient
    records: CachedRecords
    memory: PageMemory
    parse: Offload
    now: Now
    clock: IReactorTime
    drifts: Drifts
    mark: str
    """By which this mirror knows its own questions, should they come back to it."""
    offline: bool = False
    """Upstream is not asked, and what is here is answered however old it is."""

    _log = Logger()

    @property
    def reading(self) -> str:
        """What becomes of a document depends on this beside its text: a reload may change it."""
        return f"{self.upstream} {self.allowed}"

    async def record(self, writing: Awaitable[None]) -> None:
        """Wait for ``writing``: what is lost with a full disk can be fetched again, and costs no client its answer."""
        try:
            await writing
        except OSError as e:
            self._log.error("{index}: a page could not be recorded: {why}", index=self.index, why=e)


@dataclass(frozen=True, slots=True)
class Asked:
    """One document that upstream may have."""

    project: NormalizedName
    kind: str
    """As `CachedRecords` has it: ``simple``, ``json``, ``json/1.0`` and so on."""

    def __str__(self) -> str:
        return f"{self.project} ({self.kind})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Read(Generic[T]):
    """What a document was found to say."""

    value: T
    weight: int
    """About how many bytes it takes in memory."""
    version: str | None = None
    """The latest, for the search."""
    summary: str | None = None
    serial: int | None = None
    """Which of upstream's changes it shows: it only grows."""


class Kind(Protocol[T]):
    """What is particular to one kind of document."""

    types: PageTypes

    def url(self, asked: Asked) -> str: ...

    async def read(self, asked: Asked, stored: StoredPage) -> Read[T]:
        """Decode and parse ``stored``. Raises `InvalidPage`."""
        ...

    async def settle(self, asked: Asked, stored: StoredPage, read: Read[T], before: T | None) -> Read[T]:
        """
        Complete what was ``read`` in ``stored`` by what is known here, and note what it changes.

        It takes the place of ``before``. Raises `InvalidPage` where it cannot.
        """
        ...
