"""Reading a stranger's response body: bounded in bytes, in silence, and in what waits to be written."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import cast

from twisted.internet.defer import Deferred
from twisted.internet.error import TimeoutError as SilenceError
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web._newclient import TransportProxyProducer
from twisted.web.client import ResponseDone
from twisted.web.http import PotentialDataLoss
from twisted.web.iweb import IResponse

QUEUE_LIMIT = 1024 * 1024
"""Bytes that may wait to be written before the upstream is paused: some 10 ms of a 100 MB/s disk."""

Write = Callable[[bytes], Awaitable[None]]


class BodyTooLarge(Exception):
    """More bytes came than the limit allows."""


def read_body(
    response: IResponse, write: Write, *, limit: int, idle: float, clock: IReactorTime, close_ends: bool = False
) -> Deferred[None]:
    """
    Pass the body to ``write``, one call at a time, pausing upstream while it cannot keep up.

    Fails with `BodyTooLarge` past ``limit`` bytes, with `SilenceError` after
    ``idle`` seconds in which upstream sent nothing though it could, with
    what ended the connection early, and with whatever ``write`` raises; in
    each case, and when cancelled, the upstream connection is closed.

    ``close_ends``: take the closing of the connection for the end of a body
    without a length; only for those who can tell a whole body by other means.
    """
    reader = _BodyReader(
        write, limit, idle, clock, (ResponseDone, PotentialDataLoss) if close_ends else (ResponseDone,)
    )
    response.deliverBody(reader)
    return reader.done


def close_unread(response: IResponse) -> None:
    """Close the connection of an answer whose body nobody reads."""
    response.deliverBody(_Unread())


class _Unread(Protocol):
    def connectionMade(self) -> None:
        _abort(cast(TransportProxyProducer, self.transport))


class _BodyReader(Protocol):
    def __init__(
        self, write: Write, limit: int, idle: float, clock: IReactorTime, ends: tuple[type[Exception], ...]
    ) -> None:
        self._write = write
        self._left = limit
        self._idle = idle
        self._clock = clock
        self._ends = ends
        self._queue: list[bytes] = []
        self._queued = 0
        self._writing = False
        self._paused = False
        self._ended = False
        self._watchdog: IDelayedCall | None = None
        self.done: Deferred[None] = Deferred(lambda _: self._stop(None))
        self._watch()

    def dataReceived(self, data: bytes) -> None:
        if self.done.called:
            return
        self._left -= len(data)
        if self._left < 0:
            self._stop(Failure(BodyTooLarge("more bytes came than the limit allows")))
            return
        self._queue.append(data)
        self._queued += len(data)
        if not self._writing:
            self._writing = True
            Deferred.fromCoroutine(self._drain()).addErrback(self._stop)
        if self._queued > QUEUE_LIMIT and not self._paused and not self.done.called:
            self._paused = True
            self._proxy().pauseProducing()
        self._watch()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._ended = True
        self._unwatch()
        if not reason.check(*self._ends):
            self._stop(reason)
        elif not self._writing and not self.done.called:
            self.done.callback(None)

    async def _drain(self) -> None:
        while self._queue and not self.done.called:
            data = b"".join(self._queue)
            self._queue.clear()
            self._queued = 0
            await self._write(data)
            self._resume()
        self._writing = False
        if self._ended and not self.done.called:
            self.done.callback(None)

    def _resume(self) -> None:
        if self._paused and not self.done.called:
            self._paused = False
            self._proxy().resumeProducing()
            self._watch()

    def _proxy(self) -> TransportProxyProducer:
        # What deliverBody connects us to is not a whole ITransport.
        return cast(TransportProxyProducer, self.transport)

    def _watch(self) -> None:
        self._unwatch()
        if not (self._ended or self._paused or self.done.called):
            silent = Failure(SilenceError(string=f"no data for {self._idle:g} s"))
            self._watchdog = self._clock.callLater(self._idle, self._stop, silent)

    def _unwatch(self) -> None:
        if self._watchdog is not None and self._watchdog.active():
            self._watchdog.cancel()

    def _stop(self, why: Failure | None) -> None:
        self._unwatch()
        self._queue.clear()
        if not self._ended:
            self._ended = True
            _abort(self._proxy())
        if why is not None and not self.done.called:
            self.done.errback(why)


def _abort(proxy: TransportProxyProducer) -> None:
    """Close the connection now: over TLS, loseConnection waits for a peer that may have gone silent."""
    connection = proxy._producer  # noqa: SLF001 (the proxy offers no abortConnection)
    if connection is not None:
        connection.abortConnection()
