"""Writing to a client no faster than it reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer, IReactorTime
from twisted.web.http import Request
from zope.interface import implementer


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
