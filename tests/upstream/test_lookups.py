"""Names looked up, by name servers that answer, refuse, or are silent."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address
from socket import EAI_AGAIN, EAI_NONAME, gaierror
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from pypid.domain.addresses import Address
from pypid.upstream.lookups import AT_ONCE, Lookups, ask_system
from pypid.upstream.network import NETWORK_ERRORS, Unreachable, detail, reason

PUBLIC = ip_address("151.101.0.223")


class HandOffload:
    """Calls that run until the test ends them."""

    def __init__(self) -> None:
        self._running: dict[str, tuple[Deferred[Any], Callable[[], object]]] = {}
        self.begun: list[str] = []

    def __call__(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Deferred[Any]:
        assert not kwargs
        host = args[-1]
        self.begun.append(host)
        done: Deferred[Any] = Deferred()
        self._running[host] = done, lambda: function(*args)
        return done

    @property
    def running(self) -> list[str]:
        return list(self._running)

    def end(self, host: str) -> None:
        done, call = self._running.pop(host)
        done.callback(call())


class Names:
    """A resolver: what it says is ``answers``, by name."""

    def __init__(self, **answers: list[str] | OSError) -> None:
        self._answers = {name.replace("_", "."): answer for name, answer in answers.items()}

    def __call__(self, host: str) -> tuple[Address, ...]:
        answer = self._answers.get(host, [str(PUBLIC)])
        if isinstance(answer, OSError):
            raise answer
        return tuple(ip_address(text) for text in answer)


class LookupTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.threads = HandOffload()
        self.lookups = Lookups(
            self.threads,
            ask=Names(
                gone_test=gaierror(EAI_NONAME, "Name or service not known"),
                broken_test=gaierror(EAI_AGAIN, "Temporary failure in name resolution"),
                two_test=["2a04:4e42::223", "151.101.0.223"],
            ),
        )

    def give_up(self, waiting: Deferred[Any]) -> None:
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)

    def test_a_name(self) -> None:
        found = self.lookups.addresses("two.test")
        self.assertNoResult(found)
        self.threads.end("two.test")
        self.assertEqual(self.successResultOf(found), (IPv6Address("2a04:4e42::223"), PUBLIC))

    def test_an_address_is_its_own(self) -> None:
        for text in ("10.0.0.1", "::1", "::ffff:10.0.0.1"):
            self.assertEqual(self.successResultOf(self.lookups.addresses(text)), (ip_address(text),))
        self.assertEqual(self.threads.begun, [])

    def test_a01_a_name_that_does_not_exist_or_whose_server_fails(self) -> None:
        for host, why in (("gone.test", "not known"), ("broken.test", "Temporary failure")):
            found = self.lookups.addresses(host)
            self.threads.end(host)
            error = self.failureResultOf(found, Unreachable).value
            self.assertIn(f"{host} has no address", reason(error))
            self.assertIn(why, reason(error))
            self.assertEqual(detail(error), "dns")
            self.assertIsInstance(error, NETWORK_ERRORS)

    def test_one_lookup_of_a_name_at_a_time(self) -> None:
        found = [self.lookups.addresses("up.test") for _ in range(10)]
        self.assertEqual(self.threads.begun, ["up.test"])
        self.threads.end("up.test")
        for each in found:
            self.assertEqual(self.successResultOf(each), (PUBLIC,))

    def test_nothing_is_remembered(self) -> None:
        for _ in range(2):
            found = self.lookups.addresses("up.test")
            self.threads.end("up.test")
            self.successResultOf(found)
        self.assertEqual(self.threads.begun, ["up.test"] * 2)

    def test_a02_silent_servers_hold_a_few_threads_whoever_asks_how_often(self) -> None:
        hosts = [f"silent{number}.test" for number in range(20)]
        for _ in range(3):
            for waiting in [self.lookups.addresses(host) for host in hosts]:
                self.give_up(waiting)
        self.assertEqual(self.threads.running, hosts[:AT_ONCE])

    def test_a02_a_name_waits_only_for_those_that_are_being_asked(self) -> None:
        """Those that waited before it and were given up on have lost their turn."""
        for waiting in [self.lookups.addresses(f"silent{number}.test") for number in range(20)]:
            self.give_up(waiting)
        found = self.lookups.addresses("up.test")
        self.assertNoResult(found)
        self.threads.end("silent2.test")
        self.assertIn("up.test", self.threads.running)
        self.threads.end("up.test")
        self.assertEqual(self.successResultOf(found), (PUBLIC,))

    def test_a_late_answer_is_for_whoever_asks_by_then(self) -> None:
        self.give_up(self.lookups.addresses("slow.test"))
        found = self.lookups.addresses("slow.test")
        self.threads.end("slow.test")
        self.assertEqual(self.successResultOf(found), (PUBLIC,))
        self.assertEqual(self.threads.begun, ["slow.test"])

    def test_a_late_failure_disturbs_nobody(self) -> None:
        self.give_up(self.lookups.addresses("gone.test"))
        self.threads.end("gone.test")
        self.assertEqual(self.threads.running, [])


class SystemTests(SynchronousTestCase):
    """The system's resolver, with what it knows without a network."""

    def test_a38_numbers_in_many_forms_are_addresses(self) -> None:
        for text in ("127.0.0.1", "2130706433", "0x7f.1", "017700000001", "127.1"):
            self.assertEqual(ask_system(text), (IPv4Address("127.0.0.1"),))

    def test_localhost(self) -> None:
        self.assertTrue(all(address.is_loopback for address in ask_system("localhost")))

    def test_names_that_cannot_be(self) -> None:
        for text in ("a" * 64 + ".test", "a..test"):
            self.assertRaises(OSError, ask_system, text)
