"""Writing to a client no faster than it reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer, IReactorTime
from twisted.web.http import Request
from zope.interface import implementer

PIECE = 64 * 1024
"""Bytes written at once: what a Twisted transport buffers before it asks for a pause."""


@implementer(IPushProducer)
class Flow:
    """A push producer whose producing is a coroutine: await `open` before each write."""

    def __init__(self, stall: float, clock: IReactorTime) -> None:
        self._stall = stall
        self._clock = clock
        self._paused: Deferred[None] | None = None

    def pauseProducing(self) -> None:
        if self._paused is None:
            self._paused = Deferred()

    def resumeProducing(self) -> None:
        paused, self._paused = self._paused, None
        if paused is not None and not paused.called:
            paused.callback(None)

    def stopProducing(self) -> None:
        """Nothing to do: Klein cancels the coroutine when its client goes."""

    async def open(self) -> None:
        """
        Return once the client wants more.

        Raises `twisted.internet.defer.TimeoutError` when it reads nothing for too long.
        """
        if self._paused is not None:
            await self._paused.addTimeout(self._stall, self._clock)


@contextmanager
def flow_to(request: Request, *, stall: float, clock: IReactorTime) -> Iterator[Flow]:
    """Register a `Flow` with ``request`` for the length of a with-block; ``stall``: seconds."""
    flow = Flow(stall, clock)
    request.registerProducer(flow, streaming=True)
    try:
        yield flow
    finally:
        # Without a channel the client has left, and taken the producer along.
        if getattr(request, "channel", None) is not None:
            request.unregisterProducer()


async def paced(request: Request, content: bytes, *, stall: float, clock: IReactorTime) -> bytes:
    """
    Write ``content`` no faster than the client reads it, and return what is still to be written: of a short one, all.

    Written in one go, a long answer would be cut off by the time-out of idle
    connections, which begins when the last byte is handed over, not when it is out.
    """
    if len(content) <= PIECE or request.method == b"HEAD":
        return content
    with flow_to(request, stall=stall, clock=clock) as flow:
        for start in range(0, len(content), PIECE):
            request.write(content[start : start + PIECE])
            await flow.open()
    return b""
