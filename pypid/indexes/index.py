"""What every index can be asked, and what it answers with."""

from __future__ import annotations

from typing import Protocol

from pypid.domain.files import ProjectPage
from pypid.domain.names import IndexName, NormalizedName
from pypid.storage.blobs import CHUNK


class FileBody(Protocol):
    """
    A file some of whose bytes may yet have to arrive. `close` it.

    Nothing is fetched before the first `read` that needs it.
    """

    sha256: str

    async def size(self) -> int:
        """Return the file's length in bytes; upstream is asked only where nobody else knows."""
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
    A package index: hosted, mirror and layered are three answers to it.

    `ProjectNotFound`: it does not exist here, a layered index may try its next
    base. `UpstreamUnavailable`: that cannot be known, so nobody may be tried
    instead. `FileNotFound`: the project is here, the file is not.
    """

    @property
    def name(self) -> IndexName: ...

    async def project_list(self) -> list[NormalizedName]:
        """Return the names of the projects that are known without asking anybody, sorted."""
        ...

    async def hosted_projects(self) -> list[NormalizedName]:
        """Return the names of the projects that were uploaded to this very index, sorted."""
        ...

    async def project_page(self, project: NormalizedName) -> ProjectPage: ...

    async def open_file(self, project: NormalizedName, filename: str, digest_prefix: str) -> FileBody: ...

    async def open_core_metadata(self, project: NormalizedName, filename: str, digest_prefix: str) -> FileBody:
        """Open the METADATA of that file (PEP 658), where it is offered."""
        ...
