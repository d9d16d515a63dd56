"""One host, several addresses: which of them are tried, and when."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionRefusedError as Refused
from twisted.internet.error import NoRouteError
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from pypid.upstream.fastest import HEAD_START, FastestEndpoint, alternating

FACTORY = Factory.forProtocol(Protocol)


@implementer(IStreamClientEndpoint)
class HandEndpoint:
    """Connects, or does not, when the test says so."""

    def __init__(self) -> None:
        self.state = "untried"
        self._attempt: Deferred[IProtocol] = Deferred(self._cancelled)

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        assert self.state == "untried"
        self.state = "tried"
        self.factory = protocolFactory
        return self._attempt

    def succeed(self) -> IProtocol:
        protocol = self.factory.buildProtocol(None)  # type: ignore[arg-type]
        assert protocol is not None
        self._attempt.callback(protocol)
        return protocol

    def fail(self, error: Exception) -> None:
        self._attempt.errback(error)

    def _cancelled(self, _: Deferred[Any]) -> None:
        self.state = "cancelled"


class FastestTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.ends = [HandEndpoint() for _ in range(3)]
        self.connecting = FastestEndpoint(self.ends, self.clock).connect(FACTORY)
        self.addCleanup(lambda: self.assertEqual(self.clock.getDelayedCalls(), [], "timers"))

    def check(self, *states: str) -> None:
        self.assertEqual([end.state for end in self.ends], list(states))

    def test_one_that_connects_is_enough(self) -> None:
        self.check("tried", "untried", "untried")
        protocol = self.ends[0].succeed()
        self.assertIs(self.successResultOf(self.connecting), protocol)
        self.check("tried", "untried", "untried")

    def test_a03_after_a_refusal_nothing_is_waited_for(self) -> None:
        for end in self.ends:
            self.assertEqual(end.state, "tried")
            end.fail(Refused())
        self.failureResultOf(self.connecting, Refused)

    def test_a04_a_silent_address_does_not_keep_the_next_one_from_being_tried(self) -> None:
        self.clock.advance(HEAD_START)
        self.check("tried", "tried", "untried")
        protocol = self.ends[1].succeed()
        self.assertIs(self.successResultOf(self.connecting), protocol)
        self.check("cancelled", "tried", "untried")

    def test_the_first_may_still_win(self) -> None:
        self.clock.advance(HEAD_START)
        self.clock.advance(HEAD_START)
        self.check("tried", "tried", "tried")
        protocol = self.ends[0].succeed()
        self.assertIs(self.successResultOf(self.connecting), protocol)
        self.check("tried", "cancelled", "cancelled")

    def test_a_failure_gives_the_next_one_its_whole_head_start(self) -> None:
        self.clock.advance(HEAD_START / 2)
        self.ends[0].fail(NoRouteError())
        self.clock.advance(HEAD_START / 2)
        self.check("tried", "tried", "untried")
        self.connecting.cancel()
        self.failureResultOf(self.connecting, CancelledError)

    def test_a_late_refusal_waits_for_those_that_are_still_tried(self) -> None:
        self.ends[0].fail(NoRouteError())
        self.ends[1].fail(Refused())
        self.assertNoResult(self.connecting)
        self.ends[2].fail(NoRouteError())
        self.failureResultOf(self.connecting, Refused)

    def test_giving_up_ends_every_attempt(self) -> None:
        self.clock.advance(HEAD_START)
        self.connecting.cancel()
        self.failureResultOf(self.connecting, CancelledError)
        self.check("cancelled", "cancelled", "untried")


class OrderTests(SynchronousTestCase):
    def test_versions_take_turns(self) -> None:
        for given, wanted in (
            ("::1 ::2 ::3 1.1.1.1 1.1.1.2", "::1 1.1.1.1 ::2 1.1.1.2 ::3"),
            ("1.1.1.1 ::1 1.1.1.2", "1.1.1.1 ::1 1.1.1.2"),
            ("1.1.1.1", "1.1.1.1"),
        ):
            ordered = alternating(ip_address(text) for text in given.split())
            self.assertEqual([str(address) for address in ordered], wanted.split())
