"""The way to an upstream, in memory: to a scripted index, or to a test that answers with bytes of its own."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

from treq.testing import RequestTraversalAgent
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.internet.protocol import connectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import URI, Agent
from twisted.web.iweb import IAgent, IAgentEndpointFactory
from zope.interface import implementer

from pypid.domain.reach import AllowedHosts
from pypid.upstream.client import UpstreamClient, UpstreamLimits
from pypid.upstream.exchange import Exchange, ExchangeRules
from pypid.upstream.hosts import Hosts
from pypid.upstream.pool import UpstreamPool
from tests.kit.pages import PYPI, PageStyle
from tests.kit.upstream import ScriptedIndex, upstream_resource

T = TypeVar("T")

ROOT = "http://upstream.test"

LIMITS = UpstreamLimits(page_timeout=60, file_timeout=600, max_page=2**20, max_file=2**24)

ASKING = ExchangeRules(header_timeout=10, idle_timeout=20, max_connections=20, allowed=AllowedHosts([ROOT], ["*"]))


def client_over(
    agent: IAgent, clock: Clock, limits: UpstreamLimits = LIMITS, *, rules: ExchangeRules = ASKING
) -> UpstreamClient:
    """Return a client that asks by way of ``agent``, and has no time for second tries."""
    exchange = Exchange(agent, clock, Hosts(clock), rules, delay=lambda: rules.header_timeout)
    return UpstreamClient(exchange, clock, limits)


def start(work: Coroutine[Deferred[Any], Any, T]) -> Deferred[T]:
    """Run ``work`` as far as it goes."""
    return Deferred.fromCoroutine(work)


class UpstreamTestCase(SynchronousTestCase):
    """A client of a scripted index; when a test is over, no timer and no connection may be left."""

    style: PageStyle = PYPI

    def setUp(self) -> None:
        self.clock = Clock()
        self.index = ScriptedIndex(self.style)
        self.agent = RequestTraversalAgent(upstream_resource(self.index))
        self.client = client_over(self.agent, self.clock)
        self.addCleanup(self.check_nothing_left)

    def flush(self) -> None:
        """Carry what either end has sent to the other."""
        self.agent.flush()

    @property
    def connections(self) -> int:
        """How many connections to upstream are open."""
        self.flush()
        return len(self.agent._pumps)

    def check_nothing_left(self) -> None:
        self.assertEqual(self.clock.getDelayedCalls(), [], "timers")
        self.assertEqual(self.connections, 0, "open connections")


class WireTestCase(SynchronousTestCase):
    """The test is the server: it reads what Twisted's own `Agent` asks, and answers with any bytes."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.wire = Wire()
        self.client = client_over(self.wire.agent, self.clock)
        self.addCleanup(lambda: self.assertEqual(self.clock.getDelayedCalls(), [], "timers"))


@implementer(IStreamClientEndpoint, IAgentEndpointFactory)
class Wire:
    """The server's end of one connection."""

    def __init__(self) -> None:
        clock = Clock()
        self.agent = Agent.usingEndpointFactory(clock, self, UpstreamPool(clock, persistent=False))
        self.transport = StringTransport()
        self._client: Any = None

    def endpointForURI(self, uri: URI) -> Wire:  # noqa: ARG002  (every host is this test)
        return self

    def connect(self, factory: IProtocolFactory) -> Deferred[IProtocol]:
        self._client = factory.buildProtocol(IPv4Address("TCP", "127.0.0.1", 80))
        self.transport = StringTransport()
        self._client.makeConnection(self.transport)
        return succeed(self._client)

    @property
    def asked(self) -> bytes:
        """The request so far."""
        return bytes(self.transport.value())

    @property
    def paused(self) -> bool:
        return self.transport.producerState == "paused"

    @property
    def aborted(self) -> bool:
        """The client has closed the connection without waiting for the far end."""
        return bool(self.transport.disconnected)

    def send(self, data: bytes) -> None:
        self._client.dataReceived(data)

    def close(self, reason: Failure = connectionDone) -> None:
        """End the connection, or tell the client that it is ended."""
        self._client.connectionLost(reason)
