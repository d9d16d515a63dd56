"""A request's body, read by its handler while it arrives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from pypid.domain.errors import BodyTooSlow
from pypid.domain.pace import patience

QUEUE_LIMIT = 256 * 1024
"""Bytes that may wait for the handler before the client is paused: a few reads of the socket."""


@dataclass(frozen=True, slots=True)
class Valve:
    """How to hold the client up, and let it go on."""

    pause: Callable[[], None]
    resume: Callable[[], None]


class RequestBody:
    """
    The bytes that come after a request's headers.

    Nothing is asked of the client before the first `read`: one that waits for
    ``100 Continue`` gets it then, so that a request can be refused unread.
    """

    def __init__(
        self, length: int | None, valve: Valve, send_continue: Callable[[], None] | None, clock: IReactorTime
    ) -> None:
        """``length``: bytes, None when the client does not say; ``send_continue``: None if it does not wait."""
        self.length = length
        self.complete = False
        self._clock = clock
        self._arrived = 0
        self._waited = 0.0
        self._valve = valve
        self._send_continue = send_continue
        self._queue: list[bytes] = []
        self._queued = 0
        self._paused = False
        self._reading: Deferred[None] | None = None

    async def read(self) -> bytes:
        """
        Return what has arrived since the last call, waiting for something; ``b""`` at the end.

        Raises `BodyTooSlow`. It is cancelled, as the handler is, when the
        client goes.
        """
        if self._send_continue is not None:
            send, self._send_continue = self._send_continue, None
            send()
        if not self._queue and not self.complete:
            await self._wait()
        data = b"".join(self._queue)
        self._queue.clear()
        self._queued = 0
        if self._paused:
            self._paused = False
            self._valve.resume()
        return data

    async def _wait(self) -> None:
        began = self._clock.seconds()
        seconds = max(0.0, patience(self._waited, self._arrived))
        self._reading = Deferred()
        try:
            await self._reading.addTimeout(seconds, self._clock, self._too_slow)
        finally:
            self._waited += self._clock.seconds() - began

    def _too_slow(self, _: object, seconds: float) -> None:
        raise BodyTooSlow(f"The body comes too slowly: {self._arrived} bytes in {self._waited + seconds:.0f} s")

    # The channel's side.

    def received(self, data: bytes) -> None:
        """Take bytes in."""
        self._queue.append(data)
        self._arrived += len(data)
        self._queued += len(data)
        if self._queued > QUEUE_LIMIT:
            self._paused = True
            self.hold()
        self._wake()

    def hold(self) -> None:
        """Keep the client paused, if too much waits already."""
        if self._paused:
            self._valve.pause()

    def finished(self) -> None:
        """Be told that the body is all here."""
        self.complete = True
        self._wake()

    def _wake(self) -> None:
        reading, self._reading = self._reading, None
        if reading is not None and not reading.called:
            reading.callback(None)
