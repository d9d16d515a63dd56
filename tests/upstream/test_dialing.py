"""Which address is connected to, if any."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocol
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.trial.unittest import SynchronousTestCase

from pypid.domain.errors import UpstreamBroken
from pypid.offload import Offload, inline
from pypid.upstream.dialing import Dialer
from pypid.upstream.fastest import HEAD_START
from pypid.upstream.lookups import Lookups, ask_system
from pypid.upstream.network import Unreachable, detail
from tests.upstream.test_lookups import HandOffload, Names

ADDRESS = IPv4Address("TCP", "192.0.2.1", 443)
FACTORY = Factory.forProtocol(Protocol)
INSIDE = ["10.0.0.1", "127.0.0.1", "169.254.169.254", "100.64.0.1", "::1", "fe80::1", "fd00::1", "::ffff:a00:1"]


def nobody(host: str) -> bool:  # noqa: ARG001
    return False


class DialerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = MemoryReactorClock()
        self.addCleanup(lambda: self.assertEqual(self.reactor.getDelayedCalls(), [], "timers"))

    def dial(
        self,
        host: str,
        names: Callable[[str], Any],
        *,
        may_be_private: Callable[[str], bool] = nobody,
        offload: Offload = inline,
    ) -> Deferred[IProtocol]:
        lookups = Lookups(offload, ask=names)
        dialer = Dialer(lookups, self.reactor, timeout=5, may_be_private=may_be_private)
        return dialer(host, 443).connect(FACTORY)

    @property
    def tried(self) -> list[tuple[str, int]]:
        return [(host, port) for host, port, *_ in self.reactor.tcpClients]

    def answer(self, number: int = -1) -> None:
        """Have the server there take the connection."""
        protocol: Any = self.reactor.tcpClients[number][2].buildProtocol(ADDRESS)
        protocol.makeConnection(StringTransport())

    def test_the_address_is_connected_to_and_not_the_name(self) -> None:
        """A38: a name that means another address a moment later (rebinding) is not asked a second time."""
        asked: list[str] = []

        def rebinding(host: str) -> Any:
            asked.append(host)
            return Names(up_test=["151.101.0.223"] if len(asked) == 1 else ["10.0.0.1"])(host)

        connecting = self.dial("up.test", rebinding)
        self.assertEqual(self.tried, [("151.101.0.223", 443)])
        self.answer()
        self.assertIsInstance(self.successResultOf(connecting), Protocol)
        self.assertEqual(asked, ["up.test"])

    def test_a38_addresses_inside_are_refused(self) -> None:
        for address in INSIDE:
            for host in ("up.test", address):
                error = self.failureResultOf(self.dial(host, Names(up_test=[address])), UpstreamBroken).value
                self.assertEqual(error.detail, "private")
                self.assertIn(address, str(error))
                self.assertIn("allow_private", str(error))
        self.assertEqual(self.tried, [])

    def test_a38_numbers_for_a_host_are_seen_through(self) -> None:
        for host in ("2130706433", "0x7f.1", "017700000001", "0xa9fea9fe"):
            error = self.failureResultOf(self.dial(host, ask_system), UpstreamBroken).value
            self.assertEqual(error.detail, "private")
        self.assertEqual(self.tried, [])

    def test_a38_of_several_addresses_only_the_public_ones_are_tried(self) -> None:
        connecting = self.dial("up.test", Names(up_test=["10.0.0.1", "::1", "151.101.0.223"]))
        self.reactor.advance(HEAD_START)
        self.assertEqual(self.tried, [("151.101.0.223", 443)])
        self.answer()
        self.successResultOf(connecting)

    def test_a_host_that_may_be_anywhere(self) -> None:
        for address in ("192.168.1.5", "::1"):
            names = Names(lan_test=[address], other_test=[address])
            connecting = self.dial("lan.test", names, may_be_private=lambda host: host == "lan.test")
            self.assertEqual(self.tried[-1], (address, 443))
            self.answer()
            self.successResultOf(connecting)
            self.failureResultOf(self.dial("other.test", names, may_be_private=lambda host: host == "lan.test"))

    def test_a04_a_dead_ipv6_beside_a_living_ipv4(self) -> None:
        connecting = self.dial("up.test", Names(up_test=["2a04:4e42::223", "2a04:4e42::224", "151.101.0.223"]))
        self.reactor.advance(HEAD_START)
        self.assertEqual(self.tried, [("2a04:4e42::223", 443), ("151.101.0.223", 443)])
        self.answer()
        self.successResultOf(connecting)
        self.assertTrue(self.reactor.connectors[0].stoppedConnecting)

    def test_a04_nobody_answers(self) -> None:
        connecting = self.dial("up.test", Names())
        self.reactor.advance(4.9)
        self.assertNoResult(connecting)
        self.reactor.advance(0.1)
        error = self.failureResultOf(connecting, Unreachable).value
        self.assertEqual((str(error), detail(error)), ("up.test does not connect within 5 s", "timeout"))
        self.assertTrue(self.reactor.connectors[0].stoppedConnecting)

    def test_a02_the_name_server_does_not_answer(self) -> None:
        """Whoever waits is told after 5 s; what is there without a name is reached all the same."""
        threads = HandOffload()
        connecting = self.dial("silent.test", Names(), offload=threads)
        self.reactor.advance(5)
        error = self.failureResultOf(connecting, Unreachable).value
        self.assertEqual(detail(error), "dns")
        self.assertEqual(threads.running, ["silent.test"])
        self.dial("151.101.0.223", Names(), offload=threads)
        self.assertEqual(self.tried, [("151.101.0.223", 443)])
        self.answer()

    def test_leaving(self) -> None:
        connecting = self.dial("up.test", Names())
        connecting.cancel()
        self.failureResultOf(connecting)
        self.assertTrue(self.reactor.connectors[0].stoppedConnecting)
