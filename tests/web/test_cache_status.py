"""Cache-Status (RFC 9211) on every answer that an upstream has to do with, and on what was uploaded."""

from __future__ import annotations

from dataclasses import replace

from pypid.indexes.absences import ABSENT_TTL
from pypid.indexes.upstream_list import LIST_TTL, UpstreamList
from pypid.offload import inline
from tests.indexes.stores import MIRROR, RULES
from tests.kit.dists import wheel
from tests.kit.upstream import Barrier, Hold, Rst, Status
from tests.web.world import ALICE, Answer, WebTestCase

TTL, GRACE = RULES.lifetime.ttl, RULES.lifetime.grace
PAGE = "/root/pypi/simple/demo/"
UPSTREAM_PAGE = "/simple/demo/"


def said(answer: Answer) -> str:
    (value,) = answer.headers.get_all("Cache-Status", [])
    name, _, parameters = value.partition("; ")
    assert name == "pypid"
    return parameters


class PageTests(WebTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.clock.advance(1_800_000_000)
        self.demo = self.index.add(wheel("demo"))

    def page(self) -> str:
        return said(self.get(PAGE))

    def test_page_from_first_fetch_to_refresh(self) -> None:
        self.assertEqual(self.page(), "fwd=uri-miss; stored; ttl=600")
        self.clock.advance(100)
        self.assertEqual(self.page(), "hit; ttl=500")
        self.clock.advance(501)
        self.assertEqual(self.page(), "hit; ttl=-1")
        self.assertEqual(self.page(), "hit; ttl=600", "refreshed behind the answer")
        self.clock.advance(TTL + GRACE + 1)
        self.assertEqual(self.page(), "fwd=stale; stored; ttl=600")
        self.clock.advance(5)
        self.assertEqual(said(self.get(PAGE, {"Cache-Control": "no-cache"})), "fwd=request; stored; ttl=600")

    def test_answer_304_says_it_too(self) -> None:
        etag = self.get(PAGE).headers["ETag"]
        answer = self.get(PAGE, {"If-None-Match": etag})
        self.assertEqual((answer.status, said(answer)), (304, "hit; ttl=600"))

    def test_clients_that_share_a_fetch(self) -> None:
        self.index.script(UPSTREAM_PAGE, Hold(barrier := Barrier()))
        peers = [self.connect() for _ in range(2)]
        for peer in peers:
            peer.ask("GET", PAGE)
        barrier.release()
        self.flush()
        values = [said(peer.answer()) for peer in peers]
        self.assertEqual(values, ["fwd=uri-miss; stored; ttl=600", "fwd=uri-miss; stored; collapsed; ttl=600"])

    def test_trouble_is_named_beside_the_old_page(self) -> None:
        self.page()
        for fault, detail in ((Status(503), "status-503"), (Status(403), "auth"), (Status(200), "broken")):
            self.clock.advance(TTL + GRACE + 1)
            self.index.script(UPSTREAM_PAGE, fault)
            value = self.page()
            self.assertRegex(value, rf"^fwd=stale; ttl=-\d+; detail={detail}$")
            self.assertRegex(self.page(), rf"^hit; ttl=-\d+; detail={detail}$")
            self.clock.advance(5)
            self.page()
            self.assertEqual(self.page(), "hit; ttl=600")

    def test_error_names_it_as_well(self) -> None:
        for fault, status, detail in ((Status(503), 503, "status-503"), (Status(401), 502, "auth")):
            self.index.script(UPSTREAM_PAGE, fault)
            answer = self.get(PAGE)
            self.assertEqual((answer.status, said(answer)), (status, f"fwd=uri-miss; detail={detail}"))

    def test_a25_absence(self) -> None:
        for url in ("/root/pypi/simple/missing/", "/simple/missing/"):
            self.assertEqual(said(self.get(url)), "fwd=uri-miss; detail=absent")
            answer = self.get(url)
            self.assertEqual((answer.status, said(answer)), (404, "hit; ttl=60; detail=absent"))
            self.clock.advance(ABSENT_TTL)
        self.index.script("/simple/missing/", Status(451))
        self.assertIn("Unavailable For Legal Reasons", self.get("/simple/missing/").reason)

    def test_layered_index_says_what_its_base_did(self) -> None:
        self.assertEqual(said(self.get("/simple/demo/")), "fwd=uri-miss; stored; ttl=600")

    def test_a57_old_pip_that_always_says_max_age_0_asks_nobody(self) -> None:
        self.page()
        self.clock.advance(10)
        for agent, asked in (("pip/26.1", 1), ("pip/26.3", 2)):
            self.get(PAGE, {"Cache-Control": "max-age=0", "User-Agent": agent})
            self.assertEqual(self.index.count(glob=UPSTREAM_PAGE), asked, agent)


class OtherAnswersTests(WebTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.clock.advance(1_800_000_000)
        self.demo = self.index.add(wheel("demo"), provenance="https://upstream.test/provenance")
        self.url = f"/root/pypi/files/demo/{self.demo.sha256[:16]}/{self.demo.filename}"

    def test_file_and_core_metadata(self) -> None:
        for url in (self.url, f"{self.url}.metadata"):
            self.assertIn("fwd=uri-miss", said(self.get(url)))
            self.assertEqual(said(self.get(url)), "hit")
            self.assertEqual(said(self.get(url, {"Range": "bytes=0-1"})), "hit")
            self.assertEqual(said(self.ask("HEAD", url)), "hit")

    def test_file_that_cannot_be_had(self) -> None:
        self.get(PAGE)
        self.index.script(self.index.file_path(self.demo), Rst(), times=None)
        peer = self.connect()
        peer.ask("GET", self.url)
        self.flush()
        self.clock.pump([0.1] * 20)
        self.assertIn("fwd=uri-miss; detail=", said(peer.answer()))

    def test_legacy_json(self) -> None:
        self.assertEqual(said(self.get("/pypi/demo/json")), "fwd=uri-miss; stored; ttl=600")
        self.clock.advance(1)
        self.assertEqual(said(self.get("/pypi/demo/json")), "hit; ttl=599")

    def test_project_list(self) -> None:
        self.assertEqual(said(self.get("/simple/")), "hit")
        mirror = self.mirror(upstream_list=UpstreamList(self.mirroring(), inline))
        self.current.value = replace(self.current.value, indexes={MIRROR: mirror})
        url = f"/{MIRROR}/simple/"
        self.assertEqual(said(self.get(url)), f"fwd=uri-miss; stored; ttl={LIST_TTL}")
        self.clock.advance(1)
        self.assertEqual(said(self.get(url)), f"hit; ttl={LIST_TTL - 1}")

    def test_what_was_uploaded_is_always_a_hit(self) -> None:
        own = wheel("own")
        self.publish(own, "/own/")
        file = f"/own/files/own/{own.sha256[:16]}/{own.filename}"
        for url in ("/own/simple/own/", "/own/simple/", file, f"{file}.metadata"):
            self.assertEqual(said(self.get(url)), "hit", url)

    def test_answers_that_no_cache_has_to_do_with_say_nothing(self) -> None:
        for answer in (self.get("/"), self.get("/own/simple/missing/"), self.ask("POST", "/", ALICE)):
            self.assertNotIn("Cache-Status", answer.headers)
