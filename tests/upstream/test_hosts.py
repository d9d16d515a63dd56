"""Taking turns at a server, and leaving alone one that is down."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from pypid.domain.breaker import FAILURES, PROBE_INTERVAL
from pypid.domain.errors import UpstreamUnavailable
from pypid.upstream.hosts import PATIENCE, Hosts, Kind

URL = "http://upstream.test/simple/demo/"


class TurnTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.host = Hosts(self.clock).of(URL)
        self.begun: list[str] = []
        self.requests: list[Deferred[None]] = []
        self.addCleanup(self.leave)

    def leave(self) -> None:
        """End whatever a test has left under way, those that wait first."""
        for request in reversed(self.requests):
            request.addErrback(lambda _: None)
            request.cancel()

    def ask(self, name: str, kind: Kind = Kind.LONG) -> tuple[Deferred[None], Deferred[None]]:
        """Return what ends the request's work, and the request."""
        work: Deferred[None] = Deferred()

        async def request() -> None:
            async with self.host.turn(kind, 2):
                self.begun.append(name)
                await work

        self.requests.append(Deferred.fromCoroutine(request()))
        return work, self.requests[-1]

    def test_a53_first_come_first_served(self) -> None:
        (first, _), *_ = [self.ask(name) for name in "abcd"]
        self.assertEqual(self.begun, ["a", "b"])
        first.callback(None)
        self.assertEqual(self.begun, ["a", "b", "c"])

    def test_a53_nobody_waits_for_ever(self) -> None:
        waiting = [self.ask(name)[1] for name in "abc"][2]
        self.clock.advance(PATIENCE[Kind.LONG])
        why = self.failureResultOf(waiting, UpstreamUnavailable).value
        self.assertEqual(why.detail, "queue")
        self.assertEqual(self.begun, ["a", "b"])

    def test_pages_do_not_wait_behind_files(self) -> None:
        for name in "abc":
            self.ask(name)
        self.ask("page", Kind.BRIEF)
        self.assertEqual(self.begun, ["a", "b", "page"])

    def test_f21_a_turn_is_given_back_however_it_ends(self) -> None:
        """Leaving the queue, being cancelled at work and failing at work: each time the next one's turn comes."""
        (_, first), (second, failing), (_, leaving), *_ = [self.ask(name) for name in "abcde"]
        failing.addErrback(lambda failure: failure.trap(ValueError))
        for ended in (leaving, first):
            ended.cancel()
            self.failureResultOf(ended, CancelledError)
        second.errback(ValueError())
        self.assertEqual(self.begun, ["a", "b", "d", "e"])

    def test_no_timer_is_left(self) -> None:
        self.ask("a")[0].callback(None)
        self.assertEqual(self.clock.getDelayedCalls(), [])


class LeftAloneTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.hosts = Hosts(self.clock)
        self.host = self.hosts.of(URL)
        for _ in range(FAILURES):
            self.host.breaker.failed(self.host.attempt(), self.clock.seconds())

    def test_a54_refused_at_once(self) -> None:
        why = self.assertRaises(UpstreamUnavailable, self.host.attempt)
        self.assertEqual((why.detail, why.retry_after), ("breaker", PROBE_INTERVAL))
        self.assertIn("http://upstream.test:80", str(why))

    def test_the_same_server_by_every_url_of_it(self) -> None:
        self.assertIs(self.hosts.of("http://UPSTREAM.test:80/other/"), self.host)
        self.assertIsNot(self.hosts.of("https://upstream.test/"), self.host)

    def test_a55_asked_again_in_time(self) -> None:
        self.clock.advance(PROBE_INTERVAL)
        self.host.attempt()
        self.assertRaises(UpstreamUnavailable, self.host.attempt)
