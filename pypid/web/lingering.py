"""Connections that are closed without losing their last answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IDelayedCall, IHalfCloseableProtocol, ITCPTransport
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel
from zope.interface import implementer

if TYPE_CHECKING:
    from pypid.web.site import PypidSite

LINGER = 30.0
"""Seconds for which the rest of what was refused is read and dropped (nginx's lingering_time)."""

LINGER_IDLE = 5.0
"""Seconds of silence that end it sooner (nginx's lingering_timeout)."""


@implementer(IHalfCloseableProtocol)
class LingeringChannel(HTTPChannel):
    """
    `HTTPChannel`, which may go on reading for a while what it drops, and writing to who says no more.

    A client that is still sending would lose an answer to the reset that
    closing with unread data causes. And one that has closed its own side (as
    ``nc`` does) is sent what it has asked for; one that has left altogether looks
    the same, until something is written to it.
    """

    site: PypidSite
    transport: ITCPTransport
    _networkProducer: Any

    _lingering: IDelayedCall | None = None
    _linger_end: IDelayedCall | None = None

    def readConnectionLost(self) -> None:
        # Said again when, after an answer, the connection is to be read on.
        if self._lingering is not None or not self._handlingRequest:
            self.loseConnection()

    def writeConnectionLost(self) -> None:
        """Nothing to do: it was `linger` that closed that side."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        for call in (self._lingering, self._linger_end):
            if call is not None and call.active():
                call.cancel()
        super().connectionLost(reason)

    def dataReceived(self, data: bytes) -> None:
        if self._lingering is None:
            super().dataReceived(data)
        elif self._lingering.active():
            self._lingering.reset(LINGER_IDLE)

    def rawDataReceived(self, data: bytes) -> None:
        if self._lingering is None:
            super().rawDataReceived(data)

    def allContentReceived(self) -> None:
        # Else the request was answered on what its last bytes said, and is gone.
        if self._lingering is None:
            super().allContentReceived()

    def linger(self) -> None:
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
