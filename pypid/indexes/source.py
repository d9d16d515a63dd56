"""A file that is not here yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from pypid.domain.digests import Digest
from pypid.domain.names import IndexName
from pypid.domain.ranges import ByteRange
from pypid.upstream.body import Write
from pypid.upstream.client import FileSink, Resumption

NO_INDEX = IndexName("")


class Fetcher(Protocol):
    """Where a file's bytes come from; `UpstreamClient` is one."""

    async def file(
        self, url: str, sink: FileSink, *, resumption: Resumption | None = None, no_cache: bool = False
    ) -> None: ...

    async def part(self, url: str, part: ByteRange, take: Write) -> None: ...

    async def file_size(self, url: str) -> int | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file that is not here yet."""

    url: str
    sha256: str | None
    """None: upstream does not say it, and the file was never fetched."""
    size: int | None
    """Bytes, where the index page says."""
    fetcher: Fetcher
    other_digest: Digest | None = None
    """What upstream says in place of the sha256."""
    index: IndexName = NO_INDEX
    """The one that it is fetched for."""
    identity: str = ""
    """Where upstream does not say the sha256: which file of `index` it is, whatever its sha256 turns out to be."""

    @property
    def key(self) -> str:
        """
        What all who want these very bytes have in common, and nobody else.

        Without a sha256 nothing is shared between indexes: what a page claims proves nothing.
        """
        return self.sha256 or f"{self.index} {self.identity} {self.url}"

    @property
    def digests(self) -> dict[str, str]:
        """What its bytes must have, by algorithm; nothing where nobody says any."""
        if self.sha256 is not None:
            return {"sha256": self.sha256}
        return {} if self.other_digest is None else {self.other_digest.algorithm: self.other_digest.value}
