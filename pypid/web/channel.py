"""The server's side of one HTTP/1.1 connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IDelayedCall, ITCPTransport
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel

from pypid.web.body import RequestBody, Valve
from pypid.web.request import Request

if TYPE_CHECKING:
    from pypid.web.site import PypidSite

LINGER = 30.0
"""Seconds for which the rest of a refused body is read and dropped (nginx's lingering_time)."""

LINGER_IDLE = 5.0
"""Seconds of silence that end it sooner (nginx's lingering_timeout)."""

TLS_HANDSHAKE = b"\x16"
"""
How a client begins that speaks TLS (RFC 8446, 5.1), as uv does before an upload to ask for trusted publishing.

It would wait for an answer as long as it has patience, and then try again.
"""

MAX_LENGTH_DIGITS = 18
"""Digits of a Content-Length: below 2**63, and nowhere near what int() refuses to parse."""


class Channel(HTTPChannel):
    """
    `HTTPChannel`, changed in four ways.

    The whole head of a request must come within a time, not each byte of it.
    A request with a body is handled when its head is in: who may not upload,
    or uploads too much, is told so before a byte of the body is stored, and
    before ``100 Continue``.  After such an answer the rest of the body is read
    and dropped for a while: a client that is still sending would lose the
    answer to the reset that closing with unread data causes.  And what is found
    wrong with a body never gets into an answer that has begun.
    """

    requestFactory = Request  # type: ignore[assignment]
    site: PypidSite
    transport: ITCPTransport
    _networkProducer: Any

    _head_deadline: IDelayedCall | None = None
    _lingering: IDelayedCall | None = None
    _linger_end: IDelayedCall | None = None

    def connectionMade(self) -> None:
        super().connectionMade()
        self.site.connected(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.site.disconnected(self)
        for call in (self._head_deadline, self._lingering, self._linger_end):
            if call is not None and call.active():
                call.cancel()
        super().connectionLost(reason)

    def dataReceived(self, data: bytes) -> None:
        if self._lingering is not None:
            if self._lingering.active():
                self._lingering.reset(LINGER_IDLE)
            return
        if self._head_deadline is None and not self._handlingRequest and self._transferDecoder is None:
            if data.startswith(TLS_HANDSHAKE):
                self._respondToBadRequestAndDisconnect()
                return
            self._head_deadline = self.callLater(self.site.header_timeout, self._head_late)
        super().dataReceived(data)

    def rawDataReceived(self, data: bytes) -> None:
        if self._lingering is None:
            super().rawDataReceived(data)

    def headerReceived(self, line: bytes) -> bool:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length" and len(value.strip()) > MAX_LENGTH_DIGITS:
            self._respondToBadRequestAndDisconnect()
            return False
        return bool(super().headerReceived(line))

    def allHeadersReceived(self) -> None:
        # Not the inherited one, which sends 100 Continue to everybody.
        self._head_in()
        request = self.requests[-1]
        request.parseCookies()
        self.persistent = self.checkPersistence(request, self._version)
        request.gotLength(self.length)
        if self.length != 0:
            valve = Valve(self._networkProducer.pauseProducing, self._networkProducer.resumeProducing)
            waits = self._version == b"HTTP/1.1" and "100-continue" in request.expectations
            body = RequestBody(self.length, valve, self._send100Continue if waits else None, self.site.reactor)
            # Who reads the body says how long it may pause; the connection, when it is over, may as long as before.
            self.setTimeout(None)
            request.begin(self._command, self._path, self._version, body)

    def allContentReceived(self) -> None:
        # Else the request was answered on what its last bytes said, and is gone.
        if self._lingering is None:
            super().allContentReceived()

    def resumeProducing(self) -> None:
        super().resumeProducing()
        if self.requests and self.requests[0].body is not None:
            # There is room for more of the answer; that makes none for more of the body.
            self.requests[0].body.hold()

    def requestDone(self, request: Request) -> None:
        if request.body is not None and not request.body.complete:
            del self.requests[0]
            self._linger()
        else:
            self._savedTimeOut = self.site.timeOut
            super().requestDone(request)

    def end(self) -> None:
        """Close when what is being answered has been, or now if there is nothing."""
        self.persistent = False
        if not self.requests:
            self.transport.loseConnection()

    def _respondToBadRequestAndDisconnect(self) -> None:
        if self.requests and self.requests[0].startedWriting:
            # What is broken is the body of a request that is being answered: a 400 would be part of the answer.
            self.transport.abortConnection()
        else:
            super()._respondToBadRequestAndDisconnect()

    def _head_in(self) -> None:
        if self._head_deadline is not None and self._head_deadline.active():
            self._head_deadline.cancel()
        self._head_deadline = None

    def _head_late(self) -> None:
        self._head_deadline = None
        self._log.info("{peer} took too long to send a request", peer=str(self.transport.getPeer()))
        self.transport.abortConnection()

    def _linger(self) -> None:
        """Close for writing, and drop what still comes."""
        self.setTimeout(None)
        self._lingering = self.callLater(LINGER_IDLE, self.transport.abortConnection)
        self._linger_end = self.callLater(LINGER, self.transport.abortConnection)
        self._networkProducer.unregisterProducer()
        self._networkProducer.resumeProducing()
        if self.isSecure():
            self.transport.loseConnection()  # TLS has no half-closed state
        else:
            self.transport.loseWriteConnection()
