"""One upstream that is mirrored, and what there is to say of each kind of document that it has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from twisted.logger import Logger

from pypid.domain.names import IndexName, NormalizedName
from pypid.indexes.held import PageMemory
from pypid.offload import Offload
from pypid.storage.records import CachedRecords, StoredPage
from pypid.upstream.client import PageTypes, UpstreamClient

T = TypeVar("T")

Now = Callable[[], float]
"""Seconds since 1970. The wall clock, since what it stamps outlives the process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRules:
    """Seconds and bytes; `pypid.config` has the defaults and their reasons."""

    ttl: float
    grace: float
    max_page: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirroring:
    """What everything that is mirrored from one upstream needs."""

    index: IndexName
    upstream: str
    """The base URL, ending in a slash, under which the project pages are."""
    rules: PageRules
    client: UpstreamClient
    records: CachedRecords
    memory: PageMemory
    parse: Offload
    now: Now

    _log = Logger()

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


class Kind(Protocol[T]):
    """What is particular to one kind of document."""

    types: PageTypes

    def url(self, asked: Asked) -> str: ...

    async def read(self, asked: Asked, stored: StoredPage, before: T | None) -> Read[T]:
        """
        Decode and parse ``stored``, which takes the place of ``before``.

        Raises `InvalidPage`.
        """
        ...
