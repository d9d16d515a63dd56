"""The beginning of a TLS connection: within a time, and not by plain HTTP."""

from __future__ import annotations

from twisted.internet.interfaces import IDelayedCall, IProtocolFactory, IReactorTime, ITCPTransport
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.protocols.tls import BufferingTLSTransport, TLSMemoryBIOFactory
from twisted.python.failure import Failure

from pypid.daemon.tls import CurrentTls

_SAID = b"This port speaks TLS only: use https://.\n"
NOT_HTTP = b"\r\n".join(
    (
        b"HTTP/1.1 400 This port speaks TLS only: use https",
        b"Content-Type: text/plain; charset=utf-8",
        b"Content-Length: %d" % len(_SAID),
        b"Connection: close",
        b"",
        _SAID,
    )
)
"""What a client of plain HTTP is told, as it is by nginx and Go: else it would show bytes of an alert, or nothing."""


class TlsTransport(BufferingTLSTransport):
    """Twisted's, with a limit on the time that the handshake takes and an answer to plain HTTP."""

    factory: TlsFactory
    transport: ITCPTransport

    _log = Logger()
    _deadline: IDelayedCall | None = None
    _has_begun = False
    _is_refused = False

    def makeConnection(self, transport: ITCPTransport) -> None:
        self._deadline = self.factory.clock.callLater(self.factory.handshake_timeout, self._late)
        super().makeConnection(transport)

    def dataReceived(self, data: bytes) -> None:
        if self._is_refused:
            return
        # Every method is in capitals, and no TLS begins so (RFC 8446, 5.1).
        if not self._has_begun and data[:1].isupper():
            self._is_refused = True
            self.transport.write(NOT_HTTP)
            self.transport.loseConnection()
            return
        self._has_begun = True
        super().dataReceived(data)
        if self._deadline is not None and self._is_done():
            self._end_deadline()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._end_deadline()
        super().connectionLost(reason)

    def _is_done(self) -> bool:
        connection = self.getHandle()
        return connection is not None and connection.get_peer_finished() is not None

    def _late(self) -> None:
        self._deadline = None
        self._log.info("{peer} took too long to begin with TLS", peer=str(self.transport.getPeer()))
        self.abortConnection()

    def _end_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class TlsFactory(TLSMemoryBIOFactory):
    """Connections of ``wrapped`` with TLS on them, for whose handshake there are ``handshake_timeout`` seconds."""

    protocol = TlsTransport

    def __init__(
        self, current: CurrentTls, wrapped: IProtocolFactory, *, clock: IReactorTime, handshake_timeout: float
    ) -> None:
        super().__init__(current, isClient=False, wrappedFactory=wrapped, clock=clock)
        self.clock = clock
        self.handshake_timeout = handshake_timeout
