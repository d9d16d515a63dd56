"""What every index can be asked, and what it answers with."""

from __future__ import annotations

from typing import Protocol

from packaging.version import Version

from pypid.domain.cache_status import CacheStatus
from pypid.domain.changes import Change
from pypid.domain.files import ProjectPage
from pypid.domain.names import IndexName, NormalizedName
from pypid.domain.project_list import ProjectList
from pypid.domain.ranges import ByteRange
from pypid.domain.release_facts import ReleaseFacts
from pypid.domain.search import Hit, Query
from pypid.indexes.held import Told
from pypid.storage.blobs import CHUNK


class FileBody(Protocol):
    """
    A file some of whose bytes may yet have to arrive. `close` it.

    Nothing is fetched before the first `read` that needs it.
    """

    @property
    def index(self) -> IndexName:
        """The index that has it, whichever was asked: where its downloads are counted."""
        ...

    @property
    def sha256(self) -> str | None:
        """None while it is not known: upstream does not say it, and not all has come."""
        ...

    @property
    def cache_status(self) -> CacheStatus:
        """Whether upstream is asked for it, as far as is known before it is read."""
        ...

    @property
    def verified(self) -> bool:
        """Whether the whole file is here and right. Else some of its bytes may turn out wrong."""
        ...

    async def size(self) -> int:
        """Return the file's length in bytes; where nobody says it the file is fetched."""
        ...

    async def announced_size(self) -> int | None:
        """Return the file's length without fetching it, by the page or else by asking upstream."""
        ...

    def narrow(self, part: ByteRange) -> None:
        """
        Promise to read ``part``, from its start on, and nothing else.

        It may then be fetched without the rest: with nothing to vouch for it.
        """
        ...

    async def read(self, offset: int, size: int = CHUNK) -> bytes:
        """
        Return up to ``size`` bytes from ``offset``, waiting for them to arrive.

        Returns ``b""`` only at the verified end. Raises `UpstreamUnavailable`
        when the rest will not come. Cancelling lets this reader go.
        """
        ...

    def close(self) -> None: ...


class Index(Protocol):
    """
    A package index: hosted, mirror, directory and layered are four answers to it.

    `ProjectNotFound`: it does not exist here, a layered index may try its next
    base. `UpstreamUnavailable`: that cannot be known, so nobody may be tried
    instead. `FileNotFound`: the project is here, the file is not.
    """

    @property
    def name(self) -> IndexName: ...

    async def project_list(self) -> ProjectList:
        """Return the projects that the index shows; it may have more. Never fails because of an upstream."""
        ...

    @property
    def hosted_revision(self) -> str:
        """While it stays, `hosted_pages` stays the same. It may change for no reason."""
        ...

    async def hosted_pages(self) -> list[ProjectPage]:
        """Return the projects that were uploaded to this very index, by name."""
        ...

    async def hosted_changes(self) -> list[Change]:
        """Return the last change of each project that was uploaded to this very index, the oldest first."""
        ...

    async def project_page(self, project: NormalizedName, *, newest: bool = False) -> ProjectPage:
        """
        Return the project's page.

        ``newest``: the client wants no page that is more than a few seconds old, if a newer one can be had.
        """
        ...

    async def open_file(self, project: NormalizedName, filename: str, digest_prefix: str) -> FileBody: ...

    async def open_core_metadata(self, project: NormalizedName, filename: str, digest_prefix: str) -> FileBody:
        """Open the METADATA of that file (PEP 658), where it is offered."""
        ...

    async def provenance(self, project: NormalizedName, filename: str, digest_prefix: str) -> Told[bytes]:
        """Return what says where that file came from (PEP 740), where its page names it."""
        ...

    async def signature(self, project: NormalizedName, filename: str, digest_prefix: str) -> bytes:
        """Return the OpenPGP signature that was uploaded with that file. No page names it."""
        ...

    async def release_facts(self, project: NormalizedName, version: Version, *, latest: bool) -> ReleaseFacts:
        """
        Return what is known of the release ``version`` beyond the project page.

        ``latest``: it was chosen as the latest, and if upstream takes another one for that, it may be about it.
        """
        ...

    async def search(self, query: Query) -> list[Hit]:
        """Return the projects known without asking anybody that fit ``query`` best."""
        ...
