"""The server's side of one HTTP/1.1 connection."""

from __future__ import annotations

from http import HTTPStatus

from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure

from pypid.web.body import RequestBody, Valve
from pypid.web.head import HeadChannel, bare_answer
from pypid.web.request import Request

MAX_CHUNK = 2**63 - 1
"""Bytes that a chunk may say to have: others could read a larger number as a smaller one (RFC 9112, section 7.1)."""


class Channel(HeadChannel):
    """
    A channel that handles a request with a body when its head is in.

    Who may not upload, or uploads too much, is told so before a byte of the
    body is stored, and before ``100 Continue``; the rest of the body is dropped.
    What is found wrong with a body never gets into an answer that has begun.
    And no request is begun while the answers to those before it are not read.
    """

    requestFactory = Request  # type: ignore[assignment]

    _admitted = False

    def connectionMade(self) -> None:
        super().connectionMade()
        self._admitted = self.site.connected(self)
        if not self._admitted:
            self.transport.abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._admitted:
            self.site.disconnected(self)
        super().connectionLost(reason)

    def allHeadersReceived(self) -> None:
        # Not that of HTTPChannel, which sends 100 Continue to everybody.
        super().allHeadersReceived()
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

    def rawDataReceived(self, data: bytes) -> None:
        super().rawDataReceived(data)
        if getattr(self._transferDecoder, "length", 0) > MAX_CHUNK and not getattr(
            self.transport, "disconnecting", False
        ):
            self._respondToBadRequestAndDisconnect()

    def resumeProducing(self) -> None:
        super().resumeProducing()
        if self.requests and self.requests[0].body is not None:
            # There is room for more of the answer; that makes none for more of the body.
            self.requests[0].body.hold()
        if self.paused:
            self.paused = False
            if self._buffer:
                self.dataReceived(b"")

    def requestDone(self, request: Request) -> None:
        if request.body is not None and not request.body.complete:
            del self.requests[0]
            self.linger()
        else:
            self._savedTimeOut = self.site.timeOut
            # Requests that came together are a few bytes each, and their answers many.
            self.paused = self._waitingForTransport
            super().requestDone(request)

    def end(self) -> None:
        """Close when what is being answered has been, or now if there is nothing."""
        self.persistent = False
        if not self.requests:
            self.transport.loseConnection()

    def _respondToBadRequestAndDisconnect(self) -> None:
        if not self.requests or self.requests[-1].body is None:
            super()._respondToBadRequestAndDisconnect()
        elif self.requests[0].startedWriting:
            # What is broken is the body of a request that is being answered: a 400 would be part of the answer.
            self.transport.abortConnection()
        else:
            self.transport.write(bare_answer(HTTPStatus.BAD_REQUEST))
            self.loseConnection()
