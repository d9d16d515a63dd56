"""Asking once more, leaving a server alone, and who is sent what."""

from __future__ import annotations

from dataclasses import replace

from twisted.internet.defer import CancelledError, Deferred

from pypid.domain.breaker import FAILURES, PROBE_INTERVAL
from pypid.domain.credentials import Authorization
from pypid.domain.errors import UpstreamBroken, UpstreamUnavailable
from pypid.domain.reach import AllowedHosts, origin_of
from pypid.upstream.exchange import Exchange, ExchangeRules
from pypid.upstream.hosts import Hosts, Kind
from tests.kit.dists import wheel
from tests.kit.upstream import Rst, Stall, Status, redirect
from tests.upstream.network import ROOT, UpstreamTestCase, start

PAGE = "/simple/demo/"
DELAY = 0.25

RULES = ExchangeRules(
    header_timeout=10,
    idle_timeout=20,
    max_connections=2,
    allowed=AllowedHosts([ROOT], ["files.test"]),
    authorization=Authorization(origin=origin_of(ROOT), value="Basic c2VjcmV0"),
)


class ExchangeTestCase(UpstreamTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.index.add(wheel("demo"))
        self.hosts = Hosts(self.clock)
        self.exchange = self.exchange_by(RULES)

    def exchange_by(self, rules: ExchangeRules) -> Exchange:
        return Exchange(self.agent, self.clock, self.hosts, rules, delay=lambda: DELAY)

    def ask(self, path: str = PAGE, root: str = ROOT) -> Deferred[int]:
        """Ask, read nothing, and fire with the status."""

        async def asked() -> int:
            async with self.exchange.answer(b"GET", root + path, {}, Kind.BRIEF) as (response, _):
                await self.exchange.discard(response)
                return int(response.code)

        return start(asked())


class SecondTryTests(ExchangeTestCase):
    def test_a51_broken_connection_is_tried_once_more(self) -> None:
        """A server may close an idle connection in the very moment in which it is used again."""
        self.index.script(PAGE, Rst())
        asking = self.ask()
        self.flush()
        self.clock.advance(DELAY)
        self.flush()
        self.assertEqual(self.successResultOf(asking), 200)
        self.assertEqual(len(self.index.requests), 2)

    def test_a51_but_not_for_ever(self) -> None:
        self.index.script(PAGE, Rst(), times=None)
        asking = self.ask()
        self.flush()
        self.clock.advance(DELAY)
        self.flush()
        why = self.failureResultOf(asking, UpstreamUnavailable).value
        self.assertEqual((why.detail, len(self.index.requests)), ("connection", 2))

    def test_silence_is_not_asked_again(self) -> None:
        """Its time is up: a second try would take as long again."""
        self.index.script(PAGE, Stall(), times=None)
        asking = self.ask()
        self.clock.advance(RULES.header_timeout)
        why = self.failureResultOf(asking, UpstreamUnavailable).value
        self.assertEqual((why.detail, len(self.index.requests)), ("timeout", 1))

    def test_second_try_has_what_time_is_left(self) -> None:
        self.index.script(PAGE, Rst(), Stall())
        asking = self.ask()
        self.flush()
        self.clock.advance(DELAY)
        self.clock.advance(RULES.header_timeout - DELAY)
        self.assertEqual(self.failureResultOf(asking, UpstreamUnavailable).value.detail, "timeout")

    def test_cancelled_between_two_tries(self) -> None:
        self.index.script(PAGE, Rst())
        asking = self.ask()
        self.flush()
        asking.cancel()
        self.failureResultOf(asking, CancelledError)
        self.clock.advance(DELAY)
        self.assertEqual(len(self.index.requests), 1)


class LeftAloneTests(ExchangeTestCase):
    def fail(self, times: int) -> None:  # type: ignore[override]
        self.index.script(PAGE, Status(503), times=times)
        for _ in range(times):
            self.assertEqual(self.successResultOf(self.ask()), 503)

    def test_a54_a_server_that_is_down_is_left_alone(self) -> None:
        self.fail(FAILURES)
        self.assertEqual(self.failureResultOf(self.ask(), UpstreamUnavailable).value.detail, "breaker")
        self.assertEqual(len(self.index.requests), FAILURES)

    def test_a54_other_servers_are_asked(self) -> None:
        self.fail(FAILURES)
        self.assertEqual(self.successResultOf(self.ask(root="http://files.test")), 200)

    def test_a55_and_asked_again_soon(self) -> None:
        self.fail(FAILURES)
        self.clock.advance(PROBE_INTERVAL)
        self.assertEqual(self.successResultOf(self.ask()), 200)
        self.assertEqual(self.successResultOf(self.ask()), 200)

    def test_a54_silence_counts(self) -> None:
        self.index.script(PAGE, Stall(), times=FAILURES)
        for _ in range(FAILURES):
            asking = self.ask()
            self.clock.advance(RULES.header_timeout)
            self.failureResultOf(asking, UpstreamUnavailable)
        self.assertEqual(self.failureResultOf(self.ask(), UpstreamUnavailable).value.detail, "breaker")

    def test_a12_a_server_that_has_too_much_to_do_says_for_how_long(self) -> None:
        self.index.script(PAGE, Status(429, {"Retry-After": "60"}))
        self.assertEqual(self.successResultOf(self.ask()), 429)
        self.assertEqual(self.failureResultOf(self.ask(), UpstreamUnavailable).value.retry_after, 60)
        self.clock.advance(60)
        self.assertEqual(self.successResultOf(self.ask()), 200)

    def test_its_mistakes_are_no_outage(self) -> None:
        """One project's page that is a 500, or missing, says nothing of the others."""
        self.index.script(PAGE, Status(500), Status(404), Status(403), times=FAILURES)
        for _ in range(3 * FAILURES):
            self.successResultOf(self.ask())
        self.assertEqual(self.successResultOf(self.ask()), 200)

    def test_a_client_that_leaves_says_nothing_of_the_server(self) -> None:
        self.index.script(PAGE, Stall(), times=FAILURES)
        for _ in range(FAILURES):
            asking = self.ask()
            self.flush()
            asking.cancel()
            self.failureResultOf(asking, CancelledError)
        self.assertEqual(self.successResultOf(self.ask()), 200)


class WhereToTests(ExchangeTestCase):
    def test_a33_credentials_go_to_their_own_server_only(self) -> None:
        self.index.script(PAGE, redirect(f"http://files.test{PAGE}"))
        self.assertEqual(self.successResultOf(self.ask()), 200)
        own, other = self.index.requests
        self.assertEqual(own.headers["authorization"], "Basic c2VjcmV0")
        self.assertNotIn("authorization", other.headers)

    def test_a33_a_server_that_is_not_allowed_is_not_asked(self) -> None:
        self.index.script(PAGE, redirect(f"http://elsewhere.test{PAGE}"))
        why = self.failureResultOf(self.ask(), UpstreamBroken).value
        self.assertIn("allow_hosts", str(why), "the setting that would allow it")
        self.assertEqual(len(self.index.requests), 1)

    def test_a34_ports_of_other_services_are_not_asked(self) -> None:
        for port in (22, 25, 6379):
            self.index.script(PAGE, redirect(f"http://upstream.test:{port}/"))
            self.failureResultOf(self.ask(), UpstreamBroken)

    def test_a34_addresses_are_not_asked(self) -> None:
        for host in ("127.0.0.1", "[::1]", "8.8.8.8", "2130706433"):
            self.index.script(PAGE, redirect(f"http://{host}/"))
            self.failureResultOf(self.ask(), UpstreamBroken)
        self.assertEqual({request.headers["host"] for request in self.index.requests}, {"upstream.test"})

    def test_no_credentials_no_header(self) -> None:
        self.exchange = self.exchange_by(replace(RULES, authorization=None))
        self.successResultOf(self.ask())
        self.assertNotIn("authorization", self.index.requests[0].headers)


class TurnTests(ExchangeTestCase):
    def test_a53_a_turn_lasts_until_the_body_is_read(self) -> None:
        held = self.index.hold_body(PAGE), self.index.hold_body(PAGE)
        first, _, third = self.ask(), self.ask(), self.ask()
        self.flush()
        self.assertEqual(len(self.index.requests), 2)
        held[0].finish()
        self.flush()
        self.assertEqual(self.successResultOf(first), 200)
        self.assertEqual(self.successResultOf(third), 200)
        held[1].finish()
        self.flush()
