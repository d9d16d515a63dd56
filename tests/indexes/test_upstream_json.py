"""Upstream's legacy JSON: asked for, kept and believed as its pages are, and never in the place of what is hosted."""

from packaging.version import Version
from twisted.internet.defer import Deferred

from pypid.domain.breaker import PROBE_INTERVAL
from pypid.domain.errors import ProjectNotFound, UpstreamUnavailable
from pypid.domain.names import IndexName, NormalizedName
from pypid.domain.release_facts import ReleaseFacts
from pypid.indexes.absences import ABSENT_TTL
from pypid.indexes.held import page_memory
from pypid.indexes.layered import LayeredIndex
from pypid.indexes.mirrored import RETRY_AFTER_FAILURE
from pypid.indexes.upstream_json import UpstreamJson
from tests.indexes.stores import DEMO, RULES, StoresTestCase
from tests.indexes.test_publishing import publish
from tests.kit.dists import wheel
from tests.kit.upstream import Barrier, Hold, PageStyle, Rst, Status
from tests.upstream.network import ROOT, start

WHOLE, RELEASE = "/pypi/demo/json", "/pypi/demo/1.0/json"
OLD_ENOUGH = RULES.lifetime.ttl + RULES.lifetime.grace + 1
ONE = Version("1.0")
AS_JSON = {"Content-Type": "application/json"}


class UpstreamJsonTestCase(StoresTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.clock.advance(1_800_000_000)
        self.index.add(wheel("demo", summary="First"))
        self.json = UpstreamJson(self.mirroring())

    def ask(self, version: Version | None = None) -> Deferred[ReleaseFacts]:
        return start(self.json.get(DEMO, version))

    def summary(self, version: Version | None = None) -> object:
        return self.successResultOf(self.ask(version)).info.get("summary")

    def change(self) -> None:
        self.index.add(wheel("demo", summary="Second"))


class FreshnessTests(UpstreamJsonTestCase):
    def test_it_is_fetched_once_while_it_is_fresh(self) -> None:
        self.assertEqual((self.summary(), self.summary()), ("First", "First"))
        self.assertEqual(self.index.paths(), [WHOLE])
        self.assertEqual(self.index.requests[0].headers["accept"], "application/json")

    def test_release_is_a_document_of_its_own(self) -> None:
        self.index.add(wheel("demo", "2.0", summary="Newer"))
        self.assertEqual((self.summary(), self.summary(ONE)), ("Newer", "First"))
        self.assertEqual(self.index.paths(), [WHOLE, RELEASE])

    def test_many_at_once_are_one_request(self) -> None:
        self.index.script(WHOLE, Hold(barrier := Barrier()))
        waiting = [self.ask() for _ in range(10)]
        barrier.release()
        self.flush()
        self.assertEqual({self.successResultOf(each).info["summary"] for each in waiting}, {"First"})
        self.assertEqual(self.index.count(), 1)

    def test_stale_one_is_answered_at_once_and_refreshed_behind(self) -> None:
        self.summary()
        self.change()
        self.clock.advance(RULES.lifetime.ttl + 1)
        self.assertEqual((self.summary(), self.summary()), ("First", "Second"))
        self.assertEqual(self.index.count(), 2)

    def test_old_one_is_confirmed_and_outlives_a_restart(self) -> None:
        self.summary()
        self.clock.advance(OLD_ENOUGH)
        self.json = UpstreamJson(self.mirroring())
        self.assertEqual(self.summary(), "First")
        self.assertIn("if-none-match", self.index.requests[1].headers)
        self.json = UpstreamJson(self.mirroring())
        self.assertEqual((self.summary(), self.index.count()), ("First", 2))

    def test_page_and_json_do_not_take_each_others_place(self) -> None:
        memory = page_memory(2**20)
        for _ in range(2):
            mirroring = self.mirroring(memory=memory)
            index = self.mirror(mirroring=mirroring)
            self.successResultOf(start(index.project_page(DEMO)))
            facts = self.successResultOf(start(index.release_facts(DEMO, ONE, latest=True)))
            self.assertEqual(facts.info["summary"], "First")
            memory = page_memory(2**20)
        self.assertEqual(sorted(self.index.paths()), [WHOLE, "/simple/demo/"])
        self.assertEqual(list(self.successResultOf(start(index.project_list()))), [DEMO])

    def test_devpi_spells_simple_with_a_plus(self) -> None:
        for upstream, asked in (
            (f"{ROOT}/+simple/", [WHOLE]),
            (f"{ROOT}/a/simple/", ["/a/pypi/demo/json"]),
            (f"{ROOT}/own/", []),
            (f"{ROOT}/notsimple/", []),
        ):
            self.index.requests.clear()
            self.json = UpstreamJson(self.mirroring(IndexName(f"i{len(upstream)}"), upstream=upstream))
            self.summary()
            self.assertEqual(self.index.paths(), asked, upstream)


class TroubleTests(UpstreamJsonTestCase):
    def test_old_one_serves_while_upstream_is_in_trouble(self) -> None:
        self.summary()
        for fault in (Rst(), Status(503), Status(200, AS_JSON, b"{"), Status(200, {"Content-Type": "text/html"}, b"")):
            self.clock.advance(OLD_ENOUGH)
            self.index.script(WHOLE, fault)
            before = self.index.count()
            self.assertEqual((self.summary(), self.summary()), ("First", "First"), fault)
            self.assertEqual(self.index.count() - before, 1)
            self.clock.advance(RETRY_AFTER_FAILURE)

    def test_outage_is_no_answer_when_nothing_is_kept(self) -> None:
        """What depends on it would be kept for good: no dependencies (poetry), no vulnerabilities (audits)."""
        for fault in (Rst(), Status(503), Status(429), Status(500)):
            self.index.script(WHOLE, fault)
            self.failureResultOf(self.ask(), UpstreamUnavailable)
            self.clock.advance(PROBE_INTERVAL)
        self.assertEqual(self.summary(), "First", "and is not held against it")

    def test_upstream_that_has_none_is_asked_once_a_minute(self) -> None:
        html = Status(200, {"Content-Type": "text/html"}, b"<html>")
        other = Status(200, AS_JSON, b'{"info": {"name": "other", "version": "1.0"}}')
        for fault in (Status(404), html, Status(200, AS_JSON, b"[]"), Status(403), other):
            self.index.script(WHOLE, fault)
            before = self.index.count()
            for _ in range(3):
                self.assertEqual(self.successResultOf(self.ask()), ReleaseFacts(), fault)
            self.assertEqual(self.index.count() - before, 1)
            self.clock.advance(ABSENT_TTL)
        self.assertEqual(self.summary(), "First")

    def test_one_that_upstream_withdraws_is_gone(self) -> None:
        self.summary()
        self.clock.advance(OLD_ENOUGH)
        self.index.script(WHOLE, Status(404))
        self.assertIsNone(self.summary())
        self.json = UpstreamJson(self.mirroring())
        self.index.script(WHOLE, Status(404))
        self.assertIsNone(self.summary())

    def test_longer_than_a_page_may_be(self) -> None:
        body = b'{"info": {"name": "demo", "version": "1.0", "description": "%s"}}' % (b"x" * 2**21)
        self.index.script(WHOLE, Status(200, AS_JSON, body))
        self.assertIsNone(self.summary())

    def test_full_disk_costs_nobody_the_answer(self) -> None:
        self.cache_writer.full = {"_write"}
        self.assertEqual(self.summary(), "First")


class WithoutJsonTests(UpstreamJsonTestCase):
    style = PageStyle(legacy_json=False)

    def test_nothing_more_is_known(self) -> None:
        self.assertEqual(self.successResultOf(self.ask()), ReleaseFacts())


class LayeredTests(UpstreamJsonTestCase):
    def facts(self, index: LayeredIndex, name: str = "demo") -> Deferred[ReleaseFacts]:
        return start(index.release_facts(NormalizedName(name), ONE, latest=True))

    def test_hosted_project_is_never_asked_for_elsewhere(self) -> None:
        ours = wheel("demo", summary="Ours")
        self.successResultOf(publish(self.publisher(), ours))
        layered = LayeredIndex(IndexName("main"), [self.hosted_index(), self.mirror()])
        facts = self.successResultOf(self.facts(layered))
        self.assertEqual((facts.metadata, facts.info), (ours.metadata, {}))
        self.assertEqual(self.index.requests, [])

    def test_layer_that_has_the_project_answers(self) -> None:
        layered = LayeredIndex(
            IndexName("main"), [self.hosted_index(), self.mirror(IndexName("a")), self.mirror(IndexName("b"))]
        )
        self.index.script("/simple/demo/", Status(404))
        self.assertEqual(self.successResultOf(self.facts(layered)).info["summary"], "First")
        self.assertEqual(self.index.count(glob=WHOLE), 1)
        self.failureResultOf(self.facts(layered, "absent"), ProjectNotFound)
