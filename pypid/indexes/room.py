"""Room on the disk for what is mirrored: who gets it, and who has to make way."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass

from twisted.internet.defer import Deferred, DeferredLock
from twisted.logger import Logger
from twisted.python.failure import Failure

from pypid.domain.eviction import Limits
from pypid.flight import shield
from pypid.indexes.clearing import Clearing
from pypid.offload import Offload
from pypid.storage.blobs import DirectoryBlobs
from pypid.storage.inventory import free_bytes
from pypid.storage.references import References
from pypid.storage.sidecars import Sidecars

NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})
"""What the disk says when `Room.make` may help."""

RETRY_AFTER = 60.0
"""Seconds after a sweep that could not make enough room in which none is begun for the sake of a file."""

ARRIVAL = 60.0
"""Seconds after which a file that was admitted and is still not in the store is given up: linking it has failed."""


_log = Logger()


@dataclass(frozen=True, slots=True)
class _Arriving:
    """A file that was admitted and may not be in the store yet."""

    size: int
    since: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What a sweep did."""

    removed: int
    """Files."""
    freed: int
    """Bytes."""
    short: int
    """Bytes that should have gone as well."""


def log_failure(failure: Failure) -> None:
    """Log why there was no sweep; a later one will do."""
    if failure.check(OSError):
        _log.error("the disk space could not be looked after: {why}", why=failure.value)
    else:
        _log.failure("the disk space could not be looked after", failure)


class Room:
    """
    Keeps what is mirrored within the limits.

    Uploads may use the reserve that mirrored files leave.
    """

    def __init__(
        self,
        blobs: DirectoryBlobs,
        references: References,
        sidecars: Sidecars,
        *,
        limits: Limits,
        offload: Offload,
        now: Callable[[], float],
    ) -> None:
        """``now``: seconds since 1970."""
        self.limits = limits
        """May be replaced at any time."""
        self._blobs = blobs
        self._references = references
        self._clearing = Clearing(blobs, references, sidecars, offload=offload, now=now)
        self._offload = offload
        self._now = now
        self._lock = DeferredLock()
        self._mirrored: int | None = None
        """Bytes, of those that arrive as well; None before the first sweep."""
        self._arriving: dict[str, _Arriving] = {}
        self._not_before = 0.0

    async def admits(self, sha256: str, size: int) -> bool:
        """
        Say whether a mirrored file, which is in staging, may be kept; make room for it if need be.

        What is not kept has to be fetched again for the next who asks.
        """
        if not self.limits.fits(size):
            return False
        self._arriving[sha256] = _Arriving(size, self._now())
        self._mirrored = None if self._mirrored is None else self._mirrored + size
        if not await self._is_within_limits():
            if not self._is_futile():
                await self.sweep()
            if not await self._is_within_limits():
                self._leaves(sha256)
                return False
        if self._mirrored is not None and self.limits.is_full(self._mirrored) and not self._is_futile():
            self._sweep_behind()
        return True

    async def make(self, size: int) -> bool:
        """
        Make ``size`` bytes free, for which the disk had no space; say whether it is worth trying again.

        Nothing is removed for what cannot have as much even then.
        """
        return not self._is_futile() and (await self.sweep(spare=max(1, size))).freed > 0

    async def sweep(self, *, spare: int = 0) -> Swept:
        """
        Remove what has to go by the limits, and more if that makes ``spare`` bytes free.

        Cancelling lets the caller go, and the sweep goes on.
        """
        swept: Swept = await shield(self._lock.run(lambda: Deferred.fromCoroutine(self._sweep(spare))))
        return swept

    async def stop(self) -> None:
        """Return when no sweep is under way any more, and the last uses are recorded."""
        await self._lock.run(lambda: Deferred.fromCoroutine(self.record_uses()))

    async def record_uses(self) -> None:
        """Write down when blobs were used, so that the order outlives the process."""
        uses = self._blobs.uses.unrecorded()
        if uses:
            await self._references.note_uses(uses)
            self._blobs.uses.recorded(uses)

    async def _is_within_limits(self) -> bool:
        limit = self.limits.cache_size
        if limit is not None and (self._mirrored is None or self._mirrored > limit):
            return False
        return await self._offload(free_bytes, self._blobs.root) >= self.limits.keep_free

    def _leaves(self, sha256: str) -> None:
        """Count what was to arrive no more."""
        left = self._arriving.pop(sha256, None)
        if left is not None and self._mirrored is not None:
            self._mirrored -= left.size

    def _is_futile(self) -> bool:
        """Return whether a sweep would find everything in use, as the last one did."""
        return self._now() < self._not_before

    def _sweep_behind(self) -> None:
        Deferred.fromCoroutine(self.sweep()).addErrback(log_failure)

    async def _sweep(self, spare: int) -> Swept:
        begun = self._now()
        survey = await self._clearing.survey()
        self._arriving = {
            sha256: file
            for sha256, file in self._arriving.items()
            if sha256 not in survey.present and begun - file.since < ARRIVAL
        }
        arriving = sum(file.size for file in self._arriving.values())
        self._mirrored = sum(blob.size for blob in survey.blobs) + arriving
        excess = self.limits.excess(self._mirrored, survey.free)
        going = await self._clearing.plan(survey.blobs, excess)
        # All of them where the disk says that it is full, and not how: by a quota.
        lacking = spare - survey.free if survey.free < spare else spare
        if lacking > excess:
            more = await self._clearing.plan(survey.blobs, lacking)
            going = more if sum(blob.size for blob in more) >= lacking else going
        removed = await self._clearing.remove(going, begun)
        freed = sum(blob.size for blob in removed)
        self._mirrored -= freed
        swept = Swept(removed=len(removed), freed=freed, short=max(0, max(excess, lacking) - freed))
        if removed:
            _log.info("{removed} files nobody used for long made way: {freed} bytes", removed=len(removed), freed=freed)
        if swept.short:
            self._not_before = self._now() + RETRY_AFTER
            _log.warn(
                "there is too little room for mirrored files: {short} bytes more should go and are in use, or are not "
                "pypid's; what is fetched now may not be kept",
                short=swept.short,
            )
        return swept
