"""Upstreams that take their time: every wait has an end, and cancelling is one."""

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import URI, Agent
from twisted.web.iweb import IAgentEndpointFactory
from zope.interface import implementer

from pypid.domain.errors import UpstreamUnavailable
from tests.kit.dists import wheel
from tests.kit.upstream import Stall, redirect
from tests.upstream.network import ASKING, LIMITS, ROOT, UpstreamTestCase, client_over, start
from tests.upstream.test_files import Sink

PAGE = "/simple/demo/"


class SilentUpstreamTests(UpstreamTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.demo = self.index.add(wheel("demo", size=10_000))
        self.path = self.index.file_path(self.demo)

    def calls(self) -> list[Deferred[object]]:
        return [
            start(self.client.page(ROOT + PAGE, etag=None, last_modified=None)),
            start(self.client.file(ROOT + self.path, Sink())),
            start(self.client.file_size(ROOT + self.path)),
        ]

    def test_no_answer(self) -> None:
        self.index.script("*", Stall(), times=None)
        calls = self.calls()
        self.clock.advance(ASKING.header_timeout - 1)
        for call in calls:
            self.assertNoResult(call)
        self.clock.advance(1)
        for call in calls:
            why = self.failureResultOf(call, UpstreamUnavailable).value
            self.assertIn("10 s", str(why), "it says how long was waited")
        self.assertEqual(self.connections, 0)

    def test_no_body(self) -> None:
        self.index.script("*", Stall(at=1), times=None)
        page, file, size = self.calls()
        self.successResultOf(size)
        self.clock.advance(ASKING.idle_timeout - 1)
        self.assertNoResult(page)
        self.assertNoResult(file)
        self.clock.advance(1)
        for call in (page, file):
            self.assertIn("20 s", str(self.failureResultOf(call, UpstreamUnavailable).value))

    def test_drip_is_cut_at_the_deadline(self) -> None:
        for path, deadline in ((PAGE, LIMITS.page_timeout), (self.path, LIMITS.file_timeout)):
            held = self.index.hold_body(path)
            call = self.calls()[path == self.path]
            for _ in range(int(deadline) // 10 - 1):
                self.clock.advance(10)
                held.send(b"x")
                self.flush()
            self.assertNoResult(call)
            self.clock.advance(10)
            why = self.failureResultOf(call, UpstreamUnavailable).value
            self.assertIn(f"{deadline:g} s", str(why))

    def test_deadline_holds_over_redirections(self) -> None:
        self.index.script(PAGE, redirect(PAGE) | Stall(at=1), times=None)
        page = start(self.client.page(ROOT + PAGE, etag=None, last_modified=None))
        for _ in range(int(LIMITS.page_timeout / ASKING.idle_timeout)):
            self.assertNoResult(page)
            self.clock.advance(ASKING.idle_timeout)
        self.failureResultOf(page, UpstreamUnavailable)

    def test_caller_that_leaves_is_cancelled_not_told_a_story(self) -> None:
        for stall in (Stall(), Stall(at=1)):
            self.index.script(PAGE, stall)
            page = start(self.client.page(ROOT + PAGE, etag=None, last_modified=None))
            self.flush()
            page.cancel()
            self.failureResultOf(page, CancelledError)
            self.assertEqual(self.connections, 0)


@implementer(IAgentEndpointFactory)
class BlackHole:
    """Takes connections, and never says so."""

    def __init__(self) -> None:
        self.reactor = MemoryReactorClock()
        self.agent = Agent.usingEndpointFactory(Clock(), self)

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:
        return TCP4ClientEndpoint(self.reactor, "192.0.2.1", uri.port, timeout=10_000)


class BlackHoleTests(SynchronousTestCase):
    """The first packet is dropped on the way: no refusal, no connection."""

    def setUp(self) -> None:
        self.hole = BlackHole()
        self.clock = Clock()
        self.client = client_over(self.hole.agent, self.clock)
        self.addCleanup(lambda: self.assertEqual(self.clock.getDelayedCalls(), []))

    def page(self) -> Deferred[object]:
        return start(self.client.page(ROOT + PAGE, etag=None, last_modified=None))

    def test_connecting_is_part_of_the_wait_for_an_answer(self) -> None:
        page = self.page()
        self.clock.advance(ASKING.header_timeout)
        self.assertIn("10 s", str(self.failureResultOf(page, UpstreamUnavailable).value))
        self.assertEqual(len(self.hole.reactor.tcpClients), 1)

    def test_leaving_while_connecting(self) -> None:
        page = self.page()
        page.cancel()
        self.failureResultOf(page, CancelledError)
