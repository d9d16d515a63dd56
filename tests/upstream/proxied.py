"""
Upstreams and proxies in memory, TLS included: for the way that requests take.

    world = ProxiedWorld(); world.index.add(wheel("demo"))
    page = start(world.client(rules).page("https://upstream.test/simple/demo/", etag=None, last_modified=None))
    world.flush(); assert world.dialled == [("proxy.test", 3128)]

Every host is the one scripted index, with TLS on port 443; ``proxy.test`` is a proxy, with TLS on port 3129.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import trustme
from OpenSSL import SSL
from twisted.internet._sslverify import IOpenSSLTrustRoot
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import (
    IOpenSSLServerConnectionCreator,
    IProtocol,
    IProtocolFactory,
    IStreamClientEndpoint,
)
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import Clock
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.failure import Failure
from twisted.test import iosim
from twisted.web.client import BrowserLikePolicyForHTTPS, HTTPConnectionPool
from twisted.web.server import Site
from zope.interface import implementer

from pypid.domain.proxies import ProxyRules
from pypid.upstream.agent import UpstreamAgent
from pypid.upstream.client import UpstreamClient
from tests.kit.upstream import ScriptedIndex, upstream_resource
from tests.upstream.network import client_over

PROXY_HOST = "proxy.test"
TLS_PORTS = {443, 3129}
_ADDRESS = IPv4Address("TCP", "192.0.2.1", 443)


class ProxiedWorld:
    """
    What is reached, and how: ``dialled`` has host and port of every connection that was made.

    ``answers`` are what the proxy says instead of what it should, one each.
    ``asked`` are the heads of the requests that it got.
    """

    def __init__(self) -> None:
        self.clock = Clock()
        self.index = ScriptedIndex()
        self.dialled: list[tuple[str, int]] = []
        self.asked: list[str] = []
        self.answers: list[bytes] = []
        self.authority = trustme.CA()
        self.site = Site(upstream_resource(self.index), reactor=Clock())
        self.pool = HTTPConnectionPool(self.clock)
        self._pumps: list[iosim.IOPump] = []

    def client(self, rules: ProxyRules, *, trusting: trustme.CA | None = None, key: Hashable = None) -> UpstreamClient:
        return client_over(self.agent(rules, trusting=trusting, key=key), self.clock)

    def agent(self, rules: ProxyRules, *, trusting: trustme.CA | None = None, key: Hashable = None) -> UpstreamAgent:
        return UpstreamAgent(
            rules,
            dial=self.dial,
            dial_proxy=self.dial,
            tls=BrowserLikePolicyForHTTPS(_Trust(trusting or self.authority)),
            pool=self.pool,
            key=key,
            connect_timeout=5,
            clock=self.clock,
        )

    def dial(self, host: str, port: int) -> Dialled:
        return Dialled(self, host, port)

    def server_at(self, host: str, port: int) -> IProtocolFactory:
        """Return what listens there."""
        if host != PROXY_HOST:
            return self.upstream_at(host, port)
        proxy = Factory.forProtocol(lambda: ScriptedProxy(self))
        return self._with_tls(host, proxy) if port in TLS_PORTS else proxy

    def upstream_at(self, host: str, port: int) -> IProtocolFactory:
        return self._with_tls(host, self.site) if port in TLS_PORTS else self.site

    def _with_tls(self, host: str, factory: IProtocolFactory) -> IProtocolFactory:
        identity = _Identity(self.authority.issue_cert("other.test" if host == "impostor.test" else host))
        return TLSMemoryBIOFactory(identity, False, factory, clock=self.clock)

    def connect(self, client: Any, server: Any) -> None:
        """Connect both; no byte is carried before `flush`, as on a network."""
        ends = iosim.FakeTransport(client, isServer=False), iosim.FakeTransport(server, isServer=True)
        self._pumps.append(iosim.connect(server, ends[1], client, ends[0], greet=False))

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return sum(not pump.clientIO.disconnected for pump in self._pumps)

    def flush(self) -> None:
        """Carry bytes both ways until nobody has any to send; TLS writes them in the clock's next turn."""
        moved = True
        while moved:
            self.clock.advance(0)
            # A list: every connection must be flushed, whatever the one before it said.
            moved = any([pump.flush() for pump in self._pumps])  # noqa: C419


@implementer(IOpenSSLTrustRoot)
class _Trust:
    def __init__(self, authority: trustme.CA) -> None:
        self._authority = authority

    def _addCACertsToContext(self, context: SSL.Context) -> None:
        self._authority.configure_trust(context)


@implementer(IOpenSSLServerConnectionCreator)
class _Identity:
    """A server's certificate."""

    def __init__(self, issued: trustme.LeafCert) -> None:
        self._context = SSL.Context(SSL.TLS_METHOD)
        issued.configure_cert(self._context)

    def serverConnectionForTLS(self, tlsProtocol: IProtocol) -> SSL.Connection:  # noqa: ARG002
        return SSL.Connection(self._context, None)


@implementer(IStreamClientEndpoint)
class Dialled:
    def __init__(self, world: ProxiedWorld, host: str, port: int) -> None:
        self._world = world
        self._host = host
        self._port = port

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        self._world.dialled.append((self._host, self._port))
        client = protocolFactory.buildProtocol(_ADDRESS)
        assert client is not None
        self._world.connect(client, self._world.server_at(self._host, self._port).buildProtocol(_ADDRESS))
        return succeed(client)


class ScriptedProxy(Protocol):
    """An HTTP proxy of requests without a body."""

    def __init__(self, world: ProxiedWorld) -> None:
        self._world = world
        self._unread = b""
        self._upstream: Any = None
        self._is_tunnel = False

    def dataReceived(self, data: bytes) -> None:
        self._unread += data
        while self._unread and not self._is_tunnel:
            head, end, rest = self._unread.partition(b"\r\n\r\n")
            if not end:
                return
            self._unread = rest
            self._world.asked.append(head.decode("ascii"))
            self._request(head)
        if self._is_tunnel and self._unread:
            data, self._unread = self._unread, b""
            self._upstream.dataReceived(data)

    def _request(self, head: bytes) -> None:
        assert self.transport is not None
        method, target, _ = head.split(b"\r\n")[0].split(b" ")
        if self._world.answers:
            self.transport.write(self._world.answers.pop(0))
        elif method == b"CONNECT":
            host, _, port = target.decode("ascii").rpartition(":")
            self.transport.write(b"HTTP/1.1 200 OK\r\n\r\n")
            self._is_tunnel = True
            self._open(self._world.upstream_at(host, int(port)))
        else:
            scheme, _, rest = target.partition(b"://")
            assert scheme == b"http"
            if self._upstream is None:
                self._open(self._world.site)
            path = b"/" + rest.partition(b"/")[2]
            self._upstream.dataReceived(head.replace(target, path, 1) + b"\r\nVia: 1.1 proxy.test\r\n\r\n")

    def _open(self, factory: IProtocolFactory) -> None:
        self._upstream = factory.buildProtocol(_ADDRESS)
        self._upstream.makeConnection(self.transport)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._upstream is not None:
            self._upstream.connectionLost(reason)
