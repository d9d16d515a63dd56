"""The HTTP server: its connections, and how they end."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.web.resource import IResource
from twisted.web.server import Site

from pypid.web.admission import Admission
from pypid.web.channel import Channel
from pypid.web.proxied import is_trusted
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
        max_connections: int | None = None,
    ) -> None:
        """
        ``header_timeout``: seconds for the head of a request; ``idle_timeout``:
        seconds of silence after which a connection with nothing to answer is closed;
        ``max_connections``: None where their number is not limited here.
        """
        super().__init__(
            resource, requestFactory=Request, timeout=idle_timeout, reactor=reactor, parsePOSTFormSubmission=False
        )
        self.current = current
        self.header_timeout = header_timeout
        self.draining = False
        self._connections: dict[Channel, str | None] = {}
        self._admission = Admission(max_connections)
        self._drained: Deferred[None] | None = None

    def connected(self, channel: Channel) -> bool:
        """Return whether the connection may stay."""
        address = self._counted_address(channel)
        admitted = self._admission.enter(address, self.current.value.connections_per_address)
        if admitted:
            self._connections[channel] = address
        return admitted

    def disconnected(self, channel: Channel) -> None:
        self._admission.leave(self._connections.pop(channel))
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

    def _counted_address(self, channel: Channel) -> str | None:
        peer = channel.transport.getPeer()
        # All clients of a proxy come from its address, as those of a socket of this machine come from none.
        is_proxy = is_trusted(peer, self.current.value.trusted_proxies)
        return None if is_proxy else getattr(peer, "host", None)

    def _abort_all(self) -> None:
        for channel in list(self._connections):
            channel.transport.abortConnection()
