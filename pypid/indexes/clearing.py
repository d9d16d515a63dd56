"""What could make way, what does, and how it is removed under everybody's eyes."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass

from twisted.logger import Logger

from pypid.domain.eviction import BlobUse, plan_eviction
from pypid.offload import Offload
from pypid.storage.blobs import DirectoryBlobs
from pypid.storage.inventory import mirrored_blobs, take_inventory
from pypid.storage.references import References
from pypid.storage.sidecars import Sidecars

BATCH = 100
"""Blobs removed at a time: so many lose their records in one transaction, and wait for each other's removal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What there is."""

    blobs: Sequence[BlobUse]
    """Those that no upload names by hosted.db."""
    present: Container[str]
    """The sha256 of all that are on the disk."""
    free: int
    """Bytes left on the disk."""


class Clearing:
    """
    Removes mirrored blobs.

    What was uploaded is never touched: neither what hosted.db names nor what a
    sidecar does, so that an older hosted.db put back from a backup costs no
    upload its bytes.
    """

    _log = Logger()

    def __init__(
        self,
        blobs: DirectoryBlobs,
        references: References,
        sidecars: Sidecars,
        *,
        offload: Offload,
        now: Callable[[], float],
    ) -> None:
        self._blobs = blobs
        self._references = references
        self._sidecars = sidecars
        self._offload = offload
        self._now = now

    async def survey(self) -> Survey:
        hosted, cached = await self._references.hosted(), await self._references.cached()
        uses = await self._references.last_uses() | self._blobs.uses.unrecorded()
        inventory = await self._offload(take_inventory, self._blobs.root)
        blobs = await self._offload(mirrored_blobs, inventory, hosted=hosted, cached=cached, uses=uses)
        return Survey(blobs=blobs, present=inventory.blobs.keys(), free=inventory.free)

    async def plan(self, blobs: Sequence[BlobUse], excess: int) -> Sequence[BlobUse]:
        """Return which of ``blobs`` go, so that ``excess`` bytes are won or all that can be."""
        going = await self._chosen(blobs, excess)
        if all(blob.recorded for blob in going):
            return going
        try:
            uploaded = await self._sidecars.blobs()
        except (OSError, ValueError) as e:
            self._log.error("files that no record names are left alone, for they may be uploads: {why}", why=e)
            return await self._chosen([blob for blob in blobs if blob.recorded], excess)
        return await self._chosen([blob for blob in blobs if blob.sha256 not in uploaded], excess)

    async def _chosen(self, blobs: Sequence[BlobUse], excess: int) -> Sequence[BlobUse]:
        busy = self._blobs.uses.in_use()
        return (await self._offload(plan_eviction, blobs, excess=excess, busy=busy, now=self._now())).blobs

    async def remove(self, blobs: Sequence[BlobUse], planned: float) -> Sequence[BlobUse]:
        """Remove ``blobs`` but for those that were used since ``planned``; return what is gone."""
        batches = [blobs[start : start + BATCH] for start in range(0, len(blobs), BATCH)]
        return [blob for batch in batches for blob in await self._remove(batch, planned)]

    async def _remove(self, blobs: Sequence[BlobUse], planned: float) -> Sequence[BlobUse]:
        uses = self._blobs.uses
        claimed = [blob for blob in blobs if uses.claim(blob.sha256, planned=planned)]
        try:
            # Asked again: an upload may have brought the same bytes. From here on it would wait.
            hosted = await self._references.hosted()
            going = [blob for blob in claimed if blob.sha256 not in hosted]
            await self._drop([blob.sha256 for blob in going])
        finally:
            for blob in claimed:
                uses.disclaim(blob.sha256)
        return going

    async def _drop(self, blobs: Sequence[str]) -> None:
        """Drop records and bytes, in this order: a crash in between leaves an orphan."""
        try:
            await self._references.forget(blobs)
        except OSError:
            # On a full disk SQLite finds no room to write down that there is more of it: bytes first. A record
            # without its blob does no harm, the file is fetched anew.
            await self._blobs.remove(blobs)
            await self._references.forget(blobs)
        else:
            await self._blobs.remove(blobs)
