"""The HTTP server: its connections, and how they end."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.web.resource import IResource
from twisted.web.server import Site

from pypid.web.channel import Channel
from pypid.web.request import Request
from pypid.web.snapshot import Current


class PypidSite(Site):
    """A `Site` with our own channel and requests, that can be drained."""

    protocol = Channel  # type: ignore[assignment]
    noisy = False
    requestFactory = Request  # type: ignore[assignment]

    def __init__(
        self,
        resource: IResource,
        current: Current,
        *,
        reactor: IReactorTime,
        header_timeout: float,
        idle_timeout: float,
    ) -> None:
        """
        ``header_timeout``: seconds for the head of a request; ``idle_timeout``:
        seconds of silence after which a connection with nothing to answer is closed.
        """
        super().__init__(
            resource, requestFactory=Request, timeout=idle_timeout, reactor=reactor, parsePOSTFormSubmission=False
        )
        self.current = current
        self.header_timeout = header_timeout
        self.draining = False
        self._connections: set[Channel] = set()
        self._drained: Deferred[None] | None = None

    def connected(self, channel: Channel) -> None:
        self._connections.add(channel)

    def disconnected(self, channel: Channel) -> None:
        self._connections.discard(channel)
        if self._drained is not None and not self._connections and not self._drained.called:
            self._drained.callback(None)

    def drain(self, seconds: float) -> Deferred[None]:
        """
        Close every connection: idle ones now, the others when their answer is out, all after ``seconds``.

        Fires when none is left. Call it when nothing new can connect.
        """
        self.draining = True
        self._drained = Deferred()
        for channel in list(self._connections):
            channel.end()
        late = self.reactor.callLater(seconds, self._abort_all)
        if not self._connections and not self._drained.called:
            self._drained.callback(None)
        return self._drained.addCallback(lambda _: late.cancel() if late.active() else None)

    def _abort_all(self) -> None:
        for channel in list(self._connections):
            channel.transport.abortConnection()
