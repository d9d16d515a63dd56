"""Faults of an upstream's page, row by row: the page from before, or a 502 or 503 that says when to come back."""

from __future__ import annotations

from twisted.logger import ILogObserver, LogEvent, LogLevel, formatEvent, globalLogPublisher
from zope.interface import implementer

from tests.indexes.stores import RULES
from tests.kit.dists import wheel
from tests.kit.pages import JSON
from tests.kit.upstream import Barrier, Fault, Hold, SetHeaders, Status, wrong_type
from tests.web.test_cache_status import said
from tests.web.world import Answer, WebTestCase

PAGE = "/simple/demo/"
EXPIRED = RULES.lifetime.ttl + RULES.lifetime.grace + 1
IN_JSON = {"Content-Type": JSON}

BROKEN: dict[str, Fault] = {
    "A13 401": Status(401),
    "A13 403": Status(403),
    "A13 407": Status(407),
    "A20 captive portal": Status(200, {"Content-Type": "text/plain"}, b"welcome"),
    "A20 JSON that is none of ours": Status(200, {"Content-Type": "application/json"}, b"{}"),
    "A20 no type": Status(200, {}, b'{"files": []}') | wrong_type(None),
    "A20 garbage": Status(200, IN_JSON, b"\x00garbage"),
    "A21 empty": Status(200, IN_JSON, b""),
    "A22 204": Status(204, body=b""),
    "A22 206": Status(206, IN_JSON, b"{"),
}
UNAVAILABLE: dict[str, Fault] = {
    f"A11 {status}": Status(status, {"Retry-After": "7"}) for status in (500, 502, 503, 504)
}


class PageFaultTests(WebTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.clock.advance(1_800_000_000)
        self.index.add(wheel("demo"))

    def page(self) -> Answer:
        return self.get(PAGE, {"Accept": JSON})

    def test_page_that_is_here_goes_on_being_served(self) -> None:
        before = self.page()
        for why, fault in (BROKEN | UNAVAILABLE).items():
            self.clock.advance(EXPIRED)
            self.index.script(PAGE, fault)
            answer = self.page()
            self.assertEqual((answer.status, answer.body), (200, before.body), why)
            self.clock.advance(5)
            self.page()
            self.assertIn("hit; ttl=6", said(self.page()), why)

    def test_page_that_is_not_here_is_an_error_with_a_time_to_come_back(self) -> None:
        faults = BROKEN | UNAVAILABLE | {"A22 304 unasked": Status(304, body=b"")}
        for why, fault in faults.items():
            self.clock.advance(60)
            self.index.script(PAGE, fault)
            answer = self.page()
            self.assertEqual(answer.status, 503 if why in UNAVAILABLE else 502, why)
            self.assertGreater(int(answer.headers["Retry-After"]), 0, why)
            self.assertEqual(answer.headers["Cache-Control"], "no-store", why)
        self.assertEqual(self.page().status, 200)

    def test_a11_time_to_come_back_is_upstreams(self) -> None:
        for said_by_upstream, ours in (("7", "7"), ("999999", "600"), ("0", "1")):
            self.clock.advance(600)
            self.index.script(PAGE, Status(503, {"Retry-After": said_by_upstream}))
            self.assertEqual(self.page().headers["Retry-After"], ours)

    def test_a08_body_that_stalls(self) -> None:
        """Nobody who has the page waits for it to the end; who has not is told so before pip gives up."""
        before = self.page()
        self.clock.advance(EXPIRED)
        self.index.script(PAGE, Hold(Barrier(), at=20), times=None)
        peer = self.connect()
        peer.ask("GET", PAGE, {"Accept": JSON})
        self.clock.advance(2)
        self.assertEqual(peer.answer().body, before.body)
        missing = self.connect()
        self.index.script("/simple/other/", Hold(Barrier(), at=1), times=None)
        self.index.add(wheel("other"))
        missing.ask("GET", "/simple/other/")
        self.clock.pump([1] * 60)
        self.flush()
        self.assertEqual(missing.answer().status, 503)

    def test_a23_confirmed_page_is_fresh_and_keeps_its_body(self) -> None:
        before = self.page()
        self.clock.advance(EXPIRED)
        after = self.page()
        self.assertEqual((after.body, said(after)), (before.body, "fwd=stale; stored; ttl=600"))
        self.assertIn("if-none-match", self.index.requests[-1].headers)

    def test_a60_clocks_of_upstream_say_nothing(self) -> None:
        skewed = {
            "Date": "Fri, 01 Jan 2100 00:00:00 GMT",
            "Expires": "Thu, 01 Jan 1970 00:00:00 GMT",
            "Age": "999999999",
        }
        self.index.script(PAGE, SetHeaders(skewed))
        self.assertEqual(said(self.page()), "fwd=uri-miss; stored; ttl=600")
        self.clock.advance(RULES.lifetime.ttl - 1)
        self.assertEqual(said(self.page()), "hit; ttl=1")

    def test_a60_our_own_clock_set_back_makes_a_page_fresh_for_one_more_time_at_most(self) -> None:
        self.page()
        self.clock.rightNow -= 10 * 365 * 86400
        self.assertEqual(said(self.page()), "hit; ttl=600")
        self.clock.advance(RULES.lifetime.ttl + 1)
        self.assertEqual(said(self.page()), "hit; ttl=-1")
        self.assertEqual(said(self.page()), "hit; ttl=600")


@implementer(ILogObserver)
class _Warnings:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, event: LogEvent) -> None:
        if event["log_level"] is LogLevel.warn:
            self.lines.append(formatEvent(event))


class LogTests(WebTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.log = _Warnings()
        globalLogPublisher.addObserver(self.log)
        self.addCleanup(globalLogPublisher.removeObserver, self.log)
        for number in range(10):
            self.index.add(wheel(f"project-{number}"))

    def ask_for_all(self) -> None:
        for number in range(10):
            self.get(f"/simple/project-{number}/")

    def test_a13_refusal_of_our_credentials_is_logged_once(self) -> None:
        self.index.script("/simple/*", Status(401), times=None)
        self.ask_for_all()
        self.ask_for_all()
        self.assertEqual(len(self.log.lines), 1)
        self.index.heal()
        self.ask_for_all()
        self.index.script("/simple/*", Status(401), times=None)
        self.clock.advance(EXPIRED)
        self.ask_for_all()
        self.assertEqual(len(self.log.lines), 2, "and again when it had worked between")

    def test_nonsense_is_logged_once_for_each_page(self) -> None:
        self.index.script("/simple/*", Status(200, IN_JSON, b"{"), times=None)
        self.ask_for_all()
        self.ask_for_all()
        self.assertEqual(len(self.log.lines), 10)
