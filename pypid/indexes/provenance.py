"""Upstream's provenance documents (PEP 740)."""

from __future__ import annotations

from pypid.domain.coding import decoded
from pypid.domain.errors import FileNotFound, ProjectNotFound, UpstreamBroken
from pypid.domain.files import DistributionFile
from pypid.domain.names import NormalizedName
from pypid.domain.provenance import MAX_PROVENANCE, checked
from pypid.domain.reach import host_of
from pypid.indexes.held import Told
from pypid.indexes.mirrored import Mirrored
from pypid.indexes.mirroring import Asked, Mirroring, Read
from pypid.storage.cached import PROVENANCE, StoredPage
from pypid.upstream.client import PROVENANCE_TYPES


class MirroredProvenance:
    """
    One upstream's provenance documents, asked for, kept and believed as its pages are.

    No digest covers one, and it may gain attestations: so it is never kept for good.
    """

    types = PROVENANCE_TYPES

    def __init__(self, mirroring: Mirroring) -> None:
        self._mirroring = mirroring
        self._documents = Mirrored(mirroring, self)

    async def get(self, project: NormalizedName, file: DistributionFile) -> Told[bytes]:
        """
        Return the provenance of ``file``.

        Raises `FileNotFound` where its page names none, `UpstreamUnavailable`
        where what it names cannot be had: a file that has attestations must
        not look as if it had none.
        """
        if file.provenance is None:
            raise FileNotFound(f"{file.filename} has no provenance")
        if not self._mirroring.allowed.allow(file.provenance):
            host = host_of(file.provenance)
            raise UpstreamBroken(f"its provenance is on {host}, a host that allow_hosts does not name")
        try:
            return await self._documents.get(Asked(project, f"{PROVENANCE}/{file.provenance}"))
        except ProjectNotFound as e:
            raise UpstreamBroken(f"upstream has no provenance of {file.filename}, though its page names one") from e

    # The particulars of this kind of document.

    def url(self, asked: Asked) -> str:
        return asked.kind.removeprefix(f"{PROVENANCE}/")

    async def read(self, asked: Asked, stored: StoredPage) -> Read[bytes]:  # noqa: ARG002
        body = await self._mirroring.parse(_parsed, stored)
        return Read(value=body, weight=1024 + len(body))

    async def settle(
        self,
        asked: Asked,  # noqa: ARG002
        stored: StoredPage,  # noqa: ARG002
        read: Read[bytes],
        before: bytes | None,  # noqa: ARG002
    ) -> Read[bytes]:
        return read


def _parsed(stored: StoredPage) -> bytes:
    return checked(decoded(stored.body, stored.encoding, limit=MAX_PROVENANCE))
