"""Which blobs are in use now, and when each was last: what may not go, and what goes first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from twisted.internet.defer import Deferred

GRACE = 60.0
"""Seconds for which a blob counts as in use after its last use: between looking for it and opening or recording it."""

MEMORY = 3600.0
"""Seconds for which a use is remembered here after it was recorded: longer than any sweep takes."""


class Hold:
    """One use of a blob, which cannot be removed meanwhile. `release` it; more than once does no harm."""

    def __init__(self, end: Callable[[], None]) -> None:
        self._end: Callable[[], None] | None = end

    def release(self) -> None:
        end, self._end = self._end, None
        if end is not None:
            end()


class Uses:
    """
    The uses of blobs by this process, on the reactor's thread alone.

    A blob is either held, by any number, or being removed: who wants to hold
    one that is being removed waits until it is gone.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        """``now``: seconds since 1970."""
        self._now = now
        self._held: Counter[str] = Counter()
        self._last: dict[str, float] = {}
        self._unrecorded: dict[str, float] = {}
        self._removing: dict[str, list[Deferred[None]]] = {}

    async def hold(self, sha256: str) -> Hold:
        """Begin to use the blob, which need not be there."""
        while (waiting := self._removing.get(sha256)) is not None:
            gone: Deferred[None] = Deferred()
            waiting.append(gone)
            await gone
        self._held[sha256] += 1
        self._note(sha256)
        return Hold(lambda: self._end(sha256))

    def _end(self, sha256: str) -> None:
        self._held[sha256] -= 1
        if not self._held[sha256]:
            del self._held[sha256]
        self._note(sha256)

    def _note(self, sha256: str) -> None:
        self._last[sha256] = self._unrecorded[sha256] = self._now()

    def __contains__(self, sha256: object) -> bool:
        """Return whether the blob is in use, or was a moment ago."""
        last = self._last.get(str(sha256))
        # Either way: a clock that was set back says nothing about the order of things.
        return sha256 in self._held or (last is not None and abs(self._now() - last) < GRACE)

    # For those who remove.

    def in_use(self) -> frozenset[str]:
        """Return the blobs that could not be claimed now."""
        return frozenset(sha256 for sha256 in {*self._held, *self._last} if sha256 in self)

    def claim(self, sha256: str, *, planned: float) -> bool:
        """Begin to remove the blob; False if it is in use, or was since ``planned``. `disclaim` it in the end."""
        if sha256 in self or sha256 in self._removing or planned < self._last.get(sha256, 0.0) <= self._now():
            return False
        self._removing[sha256] = []
        return True

    def disclaim(self, sha256: str) -> None:
        """Let those go on who wait for its removal."""
        for waiting in self._removing.pop(sha256):
            if not waiting.called:
                waiting.callback(None)

    # For those who record.

    def unrecorded(self) -> dict[str, float]:
        """Return when each blob was last used, of those used since the last `recorded`."""
        return dict(self._unrecorded)

    def recorded(self, uses: Mapping[str, float]) -> None:
        """Note that ``uses`` are recorded."""
        for sha256, used_at in uses.items():
            if self._unrecorded.get(sha256) == used_at:
                del self._unrecorded[sha256]
        before = self._now() - MEMORY
        self._last = {
            sha256: used_at for sha256, used_at in self._last.items() if used_at > before or sha256 in self._unrecorded
        }
