from treq.client import HTTPClient
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import ITCPTransport
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import ResponseFailed
from twisted.web.http import HTTPChannel
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

from tests.kit.memory import MemorySite, agent_for

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


class MarkedRequest(Request):
    """Proof that the site's own request class is at work."""

    def process(self) -> None:
        self.setHeader(b"x-marked", b"yes")
        super().process()


class Slow(Resource):
    """Leaves each request for the test to answer."""

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[Request] = []
        self.gone: list[Deferred[None]] = []

    def render(self, request: Request) -> int:
        self.requests.append(request)
        self.gone.append(request.notifyFinish())
        return NOT_DONE_YET


class Producer:
    def __init__(self) -> None:
        self.heard: list[str] = []

    def pauseProducing(self) -> None:
        self.heard.append("pause")

    def resumeProducing(self) -> None:
        self.heard.append("resume")

    def stopProducing(self) -> None:
        self.heard.append("stop")


class MemorySiteTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.resource = Slow()
        site = Site(self.resource, requestFactory=MarkedRequest, reactor=self.clock, timeout=60)
        self.site = MemorySite(site)

    def test_answer_comes_through_real_http(self) -> None:
        waiting = self.site.client.post("https://pypid.test/x?y=1", data=b"form")
        self.assertNoResult(waiting)
        request = self.resource.requests[0]
        self.assertEqual((request.method, request.uri), (b"POST", b"/x?y=1"))
        assert request.content is not None
        self.assertEqual(request.content.read(), b"form")
        request.write(b"hello")
        request.finish()
        self.site.flush()
        response = self.successResultOf(waiting)
        self.assertEqual(response.headers.getRawHeaders("x-marked"), ["yes"])
        self.assertEqual(self.successResultOf(response.text()), "hello")
        self.assertEqual(self.site.agent.open_connections, 0)

    def test_aborted_answer_is_never_whole(self) -> None:
        waiting = self.site.client.get("http://pypid.test/")
        self.resource.requests[0].write(b"some")
        ITCPTransport(self.resource.requests[0].transport).abortConnection()
        self.site.flush()
        self.failureResultOf(self.successResultOf(waiting).content(), ResponseFailed)
        self.failureResultOf(self.resource.gone[0])

    def test_client_that_cancels_is_seen_to_leave(self) -> None:
        waiting = self.site.client.get("http://pypid.test/")
        waiting.cancel()
        self.site.flush()
        self.failureResultOf(self.resource.gone[0])
        self.failureResultOf(waiting)

    def test_two_clients_at_once(self) -> None:
        client = HTTPClient(agent := agent_for(self.site.site))
        both = [client.get("http://pypid.test/") for _ in range(2)]
        for number, request in enumerate(self.resource.requests):
            request.write(b"%d" % number)
            request.finish()
        agent.flush()
        responses = [self.successResultOf(waiting) for waiting in both]
        self.assertEqual([self.successResultOf(r.text()) for r in responses], ["0", "1"])


class RawPeerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.resource = Slow()
        self.site = MemorySite(Site(self.resource, reactor=self.clock, timeout=60))
        self.peer = self.site.connect_raw()

    def test_any_bytes_at_all(self) -> None:
        self.peer.send(b"GET / HTTP/1.1\r\nHost : x\r\n\r\n")
        self.assertTrue(self.peer.received.startswith(b"HTTP/1.1 400 "))
        self.assertTrue(self.peer.closed)
        self.assertFalse(self.peer.aborted)

    def test_request_in_single_bytes(self) -> None:
        for number in GET:
            self.assertEqual(self.resource.requests, [])
            self.peer.send(bytes([number]))
        self.assertEqual(len(self.resource.requests), 1)

    def test_pipelined_request_waits_for_the_first(self) -> None:
        """What comes while the site does not read is kept for it."""
        self.peer.send(GET)
        # The channel asks for no more only once it has more than it can take.
        self.peer.send(GET + b"x" * HTTPChannel._optimisticEagerReadSize)
        self.assertTrue(self.peer.paused)
        self.peer.send(b"y")
        self.assertEqual(len(self.resource.requests), 1)
        self.resource.requests[0].finish()
        self.peer.settle()
        self.assertEqual(len(self.resource.requests), 2)

    def test_silent_client_is_timed_out(self) -> None:
        self.clock.advance(61)
        self.assertTrue(self.peer.closed)

    def test_client_that_stops_reading_pauses_the_producer(self) -> None:
        producer = Producer()
        self.peer.send(GET)
        (request,) = self.resource.requests
        request.registerProducer(producer, True)
        self.peer.stop_reading()
        self.assertEqual(producer.heard, ["pause"])
        self.peer.read_on()
        self.assertEqual(producer.heard, ["pause", "resume"])
        self.peer.leave()
        self.assertEqual(producer.heard, ["pause", "resume", "stop"])
        self.failureResultOf(self.resource.gone[0])

    def test_abort_is_told_from_a_close(self) -> None:
        self.peer.send(GET)
        (request,) = self.resource.requests
        request.write(b"some")
        ITCPTransport(request.transport).abortConnection()
        request.write(b"more")
        self.assertTrue(self.peer.aborted)
        self.assertIn(b"some", self.peer.received)
        self.assertNotIn(b"more", self.peer.received)
        self.failureResultOf(self.resource.gone[0])
