"""A file that is read while it still arrives, its end withheld until its digest is known to be right."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from twisted.internet.defer import Deferred, DeferredLock
from twisted.python.failure import Failure

from pypid.domain.errors import DigestMismatch
from pypid.storage.blobs import CHUNK
from pypid.storage.staging import StagedFile

HOLD_BACK = 64 * 1024
"""Bytes withheld until the digest matches: what a Twisted transport may pass on in one write."""

WHOLE = 1024 * 1024
"""A file of up to so many bytes is withheld entirely: its failure can still become a clean 502."""

MakeRoom = Callable[[OSError, int], Awaitable[bool]]
"""Given what the disk refused so many bytes with, says whether it is worth trying again."""


class Spool:
    """
    One writer, any number of readers, each at its own pace.

    Readers see bytes as soon as they are written, but for the last `HOLD_BACK`
    of them, which are released when the digest has been verified: no reader
    can complete a file whose digest is wrong.

    Readers `enter` and `leave`; the staged file is closed when the writing is
    over and the last reader has left.
    """

    def __init__(self, make_room: MakeRoom | None = None) -> None:
        self.finished = False
        self.tapped = False
        """Some reader has been given a byte: what came cannot be taken back."""
        self.size: int | None = None
        """Of the whole file; None: not known, nothing more is released before `finish`."""
        self._staged: StagedFile | None = None
        self._make_room = make_room
        self._writing = DeferredLock()
        self._released = 0
        self._readers = 0
        self._failure: Failure | None = None
        self._waiting: list[Deferred[None]] = []

    # The writer's side.

    def begin(self, staged: StagedFile) -> None:
        """Write to ``staged``, and close it in the end."""
        self._staged = staged

    @property
    def arrived(self) -> int:
        """How many bytes have been written."""
        return 0 if self._staged is None else self._staged.size

    def announce(self, size: int | None) -> None:
        """Expect ``size`` bytes."""
        self.size = size
        self._wake()

    def restart(self) -> None:
        """Forget what came, none of which any reader has: the file begins anew."""
        if self.tapped:
            raise RuntimeError("somebody has some of the bytes")
        self._begun().restart()
        self.size = None
        self._released = 0

    async def write(self, data: bytes) -> None:
        """
        Append ``data``.

        Raises `DigestMismatch` when more comes than was announced, `OSError`
        when the disk refuses it.
        """
        async with self._writing:
            staged = self._begun()
            if self.size is not None and staged.size + len(data) > self.size:
                raise DigestMismatch(f"more than the announced {self.size} bytes came")
            try:
                await staged.write(data)
            except OSError as e:
                missing = max(len(data), (self.size or 0) - staged.size)
                if self._make_room is None or not await self._make_room(e, missing):
                    raise
                await staged.write(data)
        if self.size is not None and self.size > WHOLE:
            self._released = max(0, min(staged.size, self.size - HOLD_BACK))
            self._wake()

    async def settled(self) -> None:
        """Return when no write is under way: the disk may still work on one when upstream has failed."""
        async with self._writing:
            pass

    @property
    def sha256(self) -> str | None:
        """That of the whole file, when it is `finished`."""
        return self._begun().sha256 if self.finished else None

    def verify(self, expected: Mapping[str, str]) -> None:
        """
        Raise `DigestMismatch` unless the bytes that came are all, and have the ``expected`` digests, by algorithm.

        Without a digest and without a length nobody can say that they are all.
        """
        staged = self._begun()
        if self.size is not None and staged.size != self.size:
            raise DigestMismatch(f"{staged.size} bytes came of {self.size}")
        if self.size is None and not expected:
            raise DigestMismatch("nothing says how long it is, nor what its digest is: it may be cut off")
        found = staged.digests()
        for algorithm, digest in expected.items():
            if found[algorithm] != digest:
                raise DigestMismatch(f"its {algorithm} is {found[algorithm]}, not {digest} as the index page says")

    def finish(self) -> None:
        """Release everything. To be called after `verify`."""
        self.size = self._released = self._begun().size
        self.finished = True
        self._over()

    def fail(self, failure: Failure) -> None:
        """Give ``failure`` to every reader that wants more than was released."""
        self._failure = failure
        self._over()

    # The readers' side.

    def enter(self) -> None:
        self._readers += 1

    def leave(self) -> None:
        self._readers -= 1
        self._close_if_done()

    async def announced(self) -> int:
        """Return the size of the whole file, waiting for upstream to say it or to have sent everything."""
        await self._until(lambda: self.size is not None)
        assert self.size is not None
        return self.size

    def missing(self, offset: int) -> int:
        """Return how many bytes have still to arrive before the one at ``offset`` can be read."""
        if offset < self._released or self.finished:
            return 0
        size = self.size
        if size is None:
            return offset + 1
        needed = offset + 1 if size > WHOLE and offset < size - HOLD_BACK else size
        return needed - self.arrived

    async def read(self, offset: int, size: int = CHUNK) -> bytes:
        """
        Return up to ``size`` bytes from ``offset``, waiting for them to arrive.

        Returns ``b""`` at the verified end. Raises what `fail` was given.
        Cancelling lets this reader go and nobody else.
        """
        await self._until(lambda: offset < self._released or self.finished)
        if offset >= self._released:
            return b""
        self.tapped = True
        return await self._begun().read(offset, min(size, self._released - offset))

    async def _until(self, reached: Callable[[], bool]) -> None:
        while not reached():
            if self._failure is not None:
                self._failure.raiseException()
            await self._progress()

    def _progress(self) -> Deferred[None]:
        waiting: Deferred[None] = Deferred(self._give_up)
        self._waiting.append(waiting)
        return waiting

    def _give_up(self, waiting: Deferred[None]) -> None:
        if waiting in self._waiting:  # else it is being woken, and an earlier reader cancelled it
            self._waiting.remove(waiting)

    def _wake(self) -> None:
        woken, self._waiting = self._waiting, []
        for waiting in woken:
            if not waiting.called:
                waiting.callback(None)

    def _over(self) -> None:
        self._wake()
        self._close_if_done()

    def _close_if_done(self) -> None:
        if self._readers == 0 and self._staged is not None and (self.finished or self._failure is not None):
            self._staged.close()

    def _begun(self) -> StagedFile:
        if self._staged is None:
            raise RuntimeError("nothing has begun to arrive")
        return self._staged
