"""
Drive a real `twisted.web.server.Site`, its channel and request classes included, without a socket.

    site = MemorySite(Site(resource, reactor=Clock()))
    response = self.successResultOf(site.client.get("http://pypid.test/simple/"))  # treq's own API
    peer = site.connect_raw(); peer.send(b"GET / HTTP/1.1\\r\\n\\r\\n"); peer.received  # any bytes at all

Give the site a `Clock` as its reactor, or its time-outs land in the global one.
`MemorySite.flush` carries what either end has written since; `client` does so for each new request.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, BinaryIO

from treq.client import HTTPClient
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IConsumer, IProtocol, IProtocolFactory, IStreamClientEndpoint, ITCPTransport
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.test import iosim
from twisted.web.client import URI, Agent
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent, IAgentEndpointFactory, IBodyProducer, IResponse
from twisted.web.server import Site
from zope.interface import implementer

_SERVER = IPv4Address("TCP", "127.0.0.1", 80)
_CLIENT = IPv4Address("TCP", "127.0.0.1", 31337)


class MemorySite:
    """A site, and the connections in memory that lead to it."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.agent = MemoryAgent(site)
        self.client = HTTPClient(self.agent, data_to_body_producer=_WholeBody)

    def flush(self) -> None:
        """Carry bytes both ways until neither end has any to send."""
        self.agent.flush()

    def connect_raw(self) -> RawPeer:
        return connect_raw(self.site)


def agent_for(site: Site) -> MemoryAgent:
    """Return an agent whose every request is a new connection to ``site``."""
    return MemoryAgent(site)


@implementer(IAgent)
class MemoryAgent:
    """Twisted's own `Agent` over connections in memory; the host and the scheme of a URL do not matter."""

    def __init__(self, site: Site) -> None:
        self._endpoints = _Endpoints(site)
        self._agent = Agent.usingEndpointFactory(Clock(), self._endpoints)

    def request(
        self, method: bytes, uri: bytes, headers: Headers | None = None, bodyProducer: IBodyProducer | None = None
    ) -> Deferred[IResponse]:
        response: Deferred[IResponse] = self._agent.request(method, uri, headers, bodyProducer)
        self.flush()
        return response

    def flush(self) -> None:
        """Carry bytes both ways until neither end has any to send."""
        while self._endpoints.pump():
            pass

    @property
    def open_connections(self) -> int:
        """How many connections neither end has closed."""
        return len(self._endpoints.pumps)


@implementer(IAgentEndpointFactory)
class _Endpoints:
    def __init__(self, site: Site) -> None:
        self.site = site
        self.pumps: list[iosim.IOPump] = []

    def endpointForURI(self, uri: URI) -> _Endpoint:  # noqa: ARG002  (every host is this site)
        return _Endpoint(self)

    def pump(self) -> bool:
        """Flush each connection once, and forget those that ended; return whether any byte moved."""
        # A list: every connection must be flushed, whatever the one before it said.
        moved = [pump.flush() for pump in self.pumps]
        self.pumps = [p for p in self.pumps if not (p.clientIO.disconnected and p.serverIO.disconnected)]
        return any(moved)


@implementer(IStreamClientEndpoint)
class _Endpoint:
    def __init__(self, endpoints: _Endpoints) -> None:
        self._endpoints = endpoints

    def connect(self, factory: IProtocolFactory) -> Deferred[IProtocol]:
        client = factory.buildProtocol(_SERVER)
        server = self._endpoints.site.buildProtocol(_CLIENT)
        assert client is not None
        self._endpoints.pumps.append(
            iosim.connect(
                server,
                _Transport(server, isServer=True, hostAddress=_SERVER, peerAddress=_CLIENT),
                client,
                _Transport(client, isServer=False, hostAddress=_CLIENT, peerAddress=_SERVER),
            )
        )
        return succeed(client)


class _Transport(iosim.FakeTransport):
    def reportDisconnect(self) -> None:
        _stop_producer(self)
        super().reportDisconnect()


def _stop_producer(transport: Any) -> None:
    """Do what Twisted's real transports do to a producer when the connection is lost."""
    producer, transport.producer = transport.producer, None
    if producer is not None:
        producer.stopProducing()


@implementer(IBodyProducer)
class _WholeBody:
    """A request's body in one write: treq's own would need a running reactor."""

    def __init__(self, body: str | bytes | BinaryIO) -> None:
        if isinstance(body, str):
            body = body.encode()
        self._body = body if isinstance(body, bytes) else body.read()
        self.length = len(self._body)

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:
        consumer.write(self._body)
        return succeed(None)

    def pauseProducing(self) -> None:
        """All is written already."""

    def resumeProducing(self) -> None:
        """The same."""

    def stopProducing(self) -> None:
        """The same."""


def connect_raw(site: Site) -> RawPeer:
    """Open a connection to ``site`` on which a test writes and reads bytes itself."""
    server = site.buildProtocol(_CLIENT)
    peer = RawPeer(server)
    peer.connect()
    return peer


class RawPeer:
    """The far end of one connection: says what it likes, reads when it likes."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._waiting = b""
        self._told = False
        self._transport = _PeerTransport()

    @property
    def received(self) -> bytes:
        """All that the site has written so far."""
        self.settle()
        return bytes(self._transport.value())

    @property
    def closed(self) -> bool:
        """The site has closed the connection, in whatever way."""
        self.settle()
        return self._transport.disconnecting

    @property
    def aborted(self) -> bool:
        """The site has reset the connection, so that nobody can take an answer for a whole one."""
        self.settle()
        return self._transport.disconnected

    @property
    def paused(self) -> bool:
        """The site asked to be sent no more for now."""
        return self._transport.producerState == "paused"

    def connect(self) -> None:
        self._server.makeConnection(self._transport)

    def send(self, data: bytes) -> None:
        """Give ``data`` to the site, or keep it until the site reads again."""
        self._waiting += data
        self.settle()

    def settle(self) -> None:
        """Let the site have what it now has room for, and know of its own closing: a reactor's next turn."""
        while self._waiting and not self.paused and not self._transport.disconnecting:
            data, self._waiting = self._waiting, b""
            self._server.dataReceived(data)
        if self._transport.disconnecting:
            self._lose(ConnectionAborted() if self._transport.disconnected else ConnectionDone())

    def stop_reading(self) -> None:
        """Be a client whose socket buffers are full."""
        if self._transport.producer is not None:
            self._transport.producer.pauseProducing()

    def read_on(self) -> None:
        """Have room again."""
        if self._transport.producer is not None:
            self._transport.producer.resumeProducing()
        self.settle()

    def leave(self) -> None:
        """Break the connection off, as a killed client does."""
        self._lose(ConnectionLost())

    def _lose(self, reason: Exception) -> None:
        if not self._told:
            self._told = True
            self._transport.connected = False
            _stop_producer(self._transport)
            self._server.connectionLost(Failure(reason))


@implementer(ITCPTransport)
class _PeerTransport(StringTransport):
    """A `StringTransport` on which, as on a real one, what is written after the end is lost."""

    def __init__(self) -> None:
        # Lenient: a channel may resume a transport that it has just closed.
        super().__init__(hostAddress=_SERVER, peerAddress=_CLIENT, lenient=True)

    def write(self, data: bytes) -> None:
        if self.connected and not self.disconnecting:
            super().write(data)

    def writeSequence(self, data: Iterable[bytes]) -> None:
        self.write(b"".join(data))

    def loseWriteConnection(self) -> None:
        self.loseConnection()

    def getTcpNoDelay(self) -> bool:
        return True

    def setTcpNoDelay(self, enabled: object) -> None:
        """Nothing is delayed in memory."""

    def getTcpKeepAlive(self) -> bool:
        return False

    def setTcpKeepAlive(self, enabled: object) -> None:
        """Nothing is lost in memory."""
