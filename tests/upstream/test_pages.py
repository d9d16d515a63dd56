"""One upstream page, as `UpstreamClient` reports it."""

import gzip
import json
from typing import Any

from twisted.internet.defer import Deferred

from pypid.domain.errors import UpstreamBroken, UpstreamUnavailable
from pypid.upstream.client import Absent, FetchedPage, Unchanged
from tests.kit.dists import wheel
from tests.kit.pages import JSON, PageStyle
from tests.kit.upstream import Chunked, Fin, FlipByte, Rst, SetHeaders, Stall, Status, redirect, wrong_type
from tests.upstream.network import ASKING, LIMITS, ROOT, UpstreamTestCase, start

PAGE = "/simple/demo/"


LONGEST_WAIT = 600
"""Seconds for which an upstream may ask to be left alone."""


class PageTestCase(UpstreamTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.demo = self.index.add(wheel("demo"))

    def ask(
        self, etag: str | None = None, last_modified: str | None = None, path: str = PAGE
    ) -> Deferred[FetchedPage | Unchanged | Absent]:
        return start(self.client.page(ROOT + path, etag=etag, last_modified=last_modified))

    def fetched(self) -> FetchedPage:
        page = self.successResultOf(self.ask())
        assert isinstance(page, FetchedPage)
        return page

    def refused(self, *expected: type[Exception]) -> Any:
        """Return how the next page fails; the one after it must be right again."""
        failure = self.failureResultOf(self.ask(), *expected)
        self.clock.advance(LONGEST_WAIT)
        self.assertIn(b"demo-1.0", self.fetched().body)
        return failure


class PageTests(PageTestCase):
    def test_page_comes_with_what_confirms_it_later(self) -> None:
        page = self.fetched()
        self.assertEqual(json.loads(page.body)["files"][0]["filename"], self.demo.filename)
        self.assertEqual((page.url, page.content_type, page.encoding), (ROOT + PAGE, JSON, "identity"))
        self.assertIsInstance(self.successResultOf(self.ask(page.etag)), Unchanged)
        self.index.add(wheel("demo", "2.0"))
        self.assertIsInstance(self.successResultOf(self.ask(page.etag)), FetchedPage)

    def test_request_says_who_asks_and_no_secret(self) -> None:
        self.fetched()
        (seen,) = self.index.requests
        self.assertTrue(seen.headers["user-agent"].startswith("pypid/"))
        self.assertLessEqual(set(seen.headers), {"host", "accept", "accept-encoding", "user-agent", "connection"})

    def test_time_is_the_validator_where_there_is_no_tag(self) -> None:
        when = "Thu, 01 Jan 2026 00:00:00 GMT"
        self.index.script(PAGE, Status(304))
        self.assertIsInstance(self.successResultOf(self.ask(None, when)), Unchanged)
        self.assertEqual(self.index.requests[0].headers["if-modified-since"], when)

    def test_a25_absence_that_is_to_last_says_why(self) -> None:
        for status, reason in ((410, "410 Gone"), (451, "451 Unavailable For Legal Reasons")):
            self.index.script(PAGE, Status(status))
            self.assertEqual(self.successResultOf(self.ask()), Absent(lasting=True, reason=reason))

    def test_no_such_project(self) -> None:
        self.assertIsInstance(self.successResultOf(self.ask(path="/simple/other/")), Absent)
        for status in (404, 410):
            self.index.script(PAGE, Status(status))
            self.assertIsInstance(self.successResultOf(self.ask()), Absent)

    def test_any_framing(self) -> None:
        whole = self.fetched().body
        self.index.script(PAGE, Chunked())
        self.assertEqual(self.fetched().body, whole)

    def test_empty_page_is_handed_on_as_empty(self) -> None:
        self.index.script(PAGE, Status(200, {"Content-Type": JSON}, b""))
        self.assertEqual(self.fetched().body, b"")


class CompressedPageTests(PageTestCase):
    style = PageStyle(gzip=True)

    def test_coding_is_left_for_whoever_can_bound_it(self) -> None:
        page = self.fetched()
        self.assertEqual(page.encoding, "gzip")
        self.assertIn(b"demo-1.0", gzip.decompress(page.body))

    def test_cut_page_is_never_a_page(self) -> None:
        self.index.script(PAGE, Fin(at=50))
        self.failureResultOf(self.ask(), UpstreamUnavailable)


class NoPageTests(PageTestCase):
    def test_server_in_trouble_is_unavailable_not_broken(self) -> None:
        for status in (429, 500, 502, 503, 504):
            self.index.script(PAGE, Status(status, {"Retry-After": "7"}))
            why = self.refused(UpstreamUnavailable).value
            self.assertNotIsInstance(why, UpstreamBroken)
            self.assertEqual((why.retry_after, str(status) in str(why)), (7, True))

    def test_retry_after_is_believed_within_reason(self) -> None:
        for said, believed in (
            ("0", 1),
            ("1", 1),
            ("600", 600),
            ("601", 600),
            ("9" * 400, 600),
            ("-5", 5),
            ("soon", 5),
            ("\u0663", 5),
            ("Fri, 31 Dec 1999 23:59:59 GMT", 1),
        ):
            self.index.script(PAGE, Status(503, {"Retry-After": said.encode().decode("latin-1")}))
            self.assertEqual(self.refused(UpstreamUnavailable).value.retry_after, believed, said)

    def test_refusals_meant_for_us_are_not_the_clients(self) -> None:
        """A 401 or 403 is our operator's business: it must not become the client's "not found"."""
        for status in (400, 401, 403, 407):
            self.index.script(PAGE, Status(status))
            self.refused(UpstreamBroken)

    def test_other_successes_are_no_page(self) -> None:
        for status in (201, 202, 204, 206):
            self.index.script(PAGE, Status(status, body=b""))
            self.refused(UpstreamBroken)

    def test_unasked_not_modified_is_nonsense(self) -> None:
        self.index.script(PAGE, Status(304, body=b""))
        self.refused(UpstreamBroken)

    def test_other_types_are_no_page(self) -> None:
        for kind in ("application/json", "text/plain", "image/png", ""):
            self.index.script(PAGE, wrong_type(kind))
            self.refused(UpstreamBroken)

    def test_type_is_read_as_http_defines_it(self) -> None:
        self.index.script(PAGE, wrong_type(f"  {JSON.upper()} ; charset=utf-8"))
        self.assertEqual(self.fetched().content_type, JSON)

    def test_header_that_is_not_text_is_no_crash(self) -> None:
        for name, status in (("Content-Type", 200), ("Retry-After", 503), ("Location", 302)):
            self.index.script(PAGE, Status(status, {name: "\xff\xfe"}))
            self.refused(UpstreamUnavailable)
        self.index.script(PAGE, SetHeaders({"ETag": '"\xff"'}))
        self.assertIn(b"demo-1.0", self.fetched().body)

    def test_page_over_the_limit(self) -> None:
        body = bytes(LIMITS.max_page + 1)
        for fault in (Status(200, {"Content-Type": JSON}, body), Status(200, {"Content-Type": JSON}, body) | Chunked()):
            self.index.script(PAGE, fault)
            self.refused(UpstreamBroken)

    def test_broken_bodies(self) -> None:
        for fault in (Fin(at=0), Fin(at=10), Rst(at=1), Chunked() | Fin(at=10)):
            self.index.script(PAGE, fault)
            self.refused(UpstreamUnavailable)

    def test_damage_without_a_trace_is_for_the_parser(self) -> None:
        self.index.script(PAGE, FlipByte(0))
        self.assertNotEqual(self.fetched().body[:1], b"{")

    def test_reset_before_any_answer(self) -> None:
        self.index.script(PAGE, Rst())
        self.refused(UpstreamUnavailable)

    def test_endless_error_page_is_not_read(self) -> None:
        self.index.script(PAGE, Status(503, body=bytes(2**20)))
        self.refused(UpstreamUnavailable)

    def test_error_page_that_stalls_costs_one_silence(self) -> None:
        self.index.script(PAGE, Status(503, {"Retry-After": "9"}) | Stall(at=3))
        asked = self.ask()
        self.assertNoResult(asked)
        self.clock.advance(ASKING.idle_timeout)
        self.assertEqual(self.failureResultOf(asked, UpstreamUnavailable).value.retry_after, 9)

    def test_answer_that_is_not_read_keeps_no_connection(self) -> None:
        for fault in (wrong_type("text/plain"), redirect("/simple/other/"), Status(404), Status(403), Status(500)):
            self.index.script(PAGE, fault | Stall(at=1))
            asked = self.ask()
            self.clock.advance(ASKING.idle_timeout)
            self.assertEqual(self.connections, 0)
            asked.addErrback(lambda failure: failure.trap(UpstreamUnavailable))
            self.successResultOf(asked)
