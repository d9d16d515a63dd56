"""Upstream's whole project list: fetched when it is asked for, kept, and nobody's condition for anything (A59)."""

from __future__ import annotations

import gzip
import json

from twisted.internet.defer import Deferred

from pypid.domain.project_list import ProjectList
from pypid.indexes.mirror import MirrorIndex
from pypid.indexes.upstream_list import LIST_TTL, RETRY_LIST_AFTER, UpstreamList
from tests.indexes.stores import DEMO, StoresTestCase
from tests.kit.dists import wheel
from tests.kit.pages import JSON
from tests.kit.upstream import Barrier, Hold, PageStyle, Rst, Status
from tests.upstream.network import start

LIST = "/simple/"


class UpstreamListTestCase(StoresTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.clock.advance(1_800_000_000)
        for name in ("zoo", "demo", "ape"):
            self.index.add(wheel(name))
        self.list = self.new_list()

    def new_list(self, upstream: str | None = None) -> UpstreamList:
        """Return the list as it is after a start."""
        mirroring = self.mirroring() if upstream is None else self.mirroring(upstream=upstream)
        return UpstreamList(mirroring, self.disk)

    def get(self) -> Deferred[ProjectList | None]:
        asking = start(self.list.get())
        self.flush()
        return asking

    def got(self) -> list[str] | None:
        found = self.successResultOf(self.get())
        return None if found is None else list(found)

    def asked(self) -> int:
        return self.index.count(glob=LIST)


class FetchedTests(UpstreamListTestCase):
    def test_nothing_is_fetched_before_the_list_is_asked_for(self) -> None:
        self.assertEqual(self.asked(), 0)
        self.assertEqual(self.got(), ["ape", "demo", "zoo"])
        self.assertEqual(self.asked(), 1)

    def test_each_kind_of_upstream_is_read(self) -> None:
        for style in (PageStyle(), PageStyle(gzip=True), PageStyle(json=False), PageStyle(json=False, gzip=True)):
            self.index.style = style
            self.list = self.new_list(f"http://upstream.test/simple/?{style.json}{style.gzip}")
            self.assertEqual(self.got(), ["ape", "demo", "zoo"], style)

    def test_all_who_ask_meanwhile_share_one_fetch(self) -> None:
        self.index.script(LIST, Hold(barrier := Barrier()))
        asking = [self.get() for _ in range(20)]
        barrier.release()
        self.flush()
        self.assertEqual({len(list(self.successResultOf(each) or ())) for each in asking}, {3})
        self.assertEqual(self.asked(), 1)

    def test_client_that_leaves_does_not_stop_it(self) -> None:
        """It takes longer than most clients wait: the next one is to find it."""
        self.index.script(LIST, Hold(barrier := Barrier()))
        asking = self.get()
        asking.addErrback(lambda _: None)
        asking.cancel()
        barrier.release()
        self.flush()
        self.assertEqual(self.got(), ["ape", "demo", "zoo"])
        self.assertEqual(self.asked(), 1)

    def test_old_list_is_answered_at_once_and_refreshed_behind_the_answer(self) -> None:
        self.got()
        self.index.add(wheel("bee"))
        self.clock.advance(LIST_TTL - 1)
        self.assertEqual(self.got(), ["ape", "demo", "zoo"])
        self.assertEqual(self.asked(), 1)
        self.clock.advance(1)
        self.assertEqual(self.got(), ["ape", "demo", "zoo"])
        self.assertEqual(self.got(), ["ape", "bee", "demo", "zoo"])
        self.assertEqual(self.asked(), 2)

    def test_unchanged_list_is_confirmed_not_sent(self) -> None:
        before = self.successResultOf(self.get())
        self.clock.advance(LIST_TTL)
        self.got()
        after = self.successResultOf(self.get())
        assert before is not None
        assert after is not None
        self.assertIs(after.parts, before.parts)
        self.assertEqual(self.asked(), 2)
        self.assertIn("if-none-match", self.index.requests[-1].headers)

    def test_it_is_kept_over_a_restart_with_its_age(self) -> None:
        self.got()
        self.list = self.new_list()
        self.assertEqual(self.got(), ["ape", "demo", "zoo"])
        self.assertEqual(self.asked(), 1)
        self.clock.advance(LIST_TTL)
        self.list = self.new_list()
        self.assertEqual(self.got(), ["ape", "demo", "zoo"])
        self.assertEqual(self.asked(), 2)
        self.assertIn("if-none-match", self.index.requests[-1].headers)

    def test_list_of_another_upstream_is_not_used(self) -> None:
        self.got()
        self.index.script("/other/", Status(503))
        self.list = self.new_list("http://upstream.test/other/")
        self.assertIsNone(self.got())

    def test_reading_and_sorting_are_done_elsewhere(self) -> None:
        """A million names take seconds."""
        self.disk.held = "*"
        asking = self.get()
        self.assertEqual(self.disk.waiting, 1)
        self.assertNoResult(asking)
        self.disk.release()
        self.flush()
        self.assertEqual(list(self.successResultOf(asking) or ()), ["ape", "demo", "zoo"])


class TroubleTests(UpstreamListTestCase):
    def test_while_it_cannot_be_had_there_is_none_and_upstream_is_left_alone_for_a_while(self) -> None:
        self.index.script(LIST, Status(503), Rst(), Status(404), times=None)
        for number in range(1, 4):
            self.assertIsNone(self.got())
            self.clock.advance(RETRY_LIST_AFTER - 1)
            self.assertIsNone(self.got())
            self.assertEqual(self.asked(), number)
            self.clock.advance(1)
        self.index.heal()
        self.assertEqual(self.got(), ["ape", "demo", "zoo"])

    def test_old_one_goes_on_being_served(self) -> None:
        self.got()
        self.index.script(LIST, Status(503), Status(404), Rst(), times=None)
        for _ in range(4):
            self.clock.advance(LIST_TTL)
            self.assertEqual(self.got(), ["ape", "demo", "zoo"])
        self.assertEqual(self.asked(), 5)

    def test_list_that_cannot_be_used_does_not_replace_the_one_that_can(self) -> None:
        self.got()
        good = json.dumps({"projects": [{"name": "x"}]}).encode()
        bomb = gzip.compress(b" " * 2**20) * 2
        for headers, body in (
            ({"Content-Type": "text/html"}, b"<html><form>"),
            ({"Content-Type": JSON}, good[:-3]),
            ({"Content-Type": JSON, "Content-Encoding": "br"}, good),
            ({"Content-Type": JSON, "Content-Encoding": "gzip"}, bomb),
            ({"Content-Type": "image/png"}, good),
        ):
            self.clock.advance(LIST_TTL)
            self.index.script(LIST, Status(200, headers, body))
            self.assertEqual(self.got(), ["ape", "demo", "zoo"])
            self.assertEqual(self.got(), ["ape", "demo", "zoo"])

    def test_full_disk_costs_no_client_the_list(self) -> None:
        self.cache_writer.full.add("_write")
        self.assertEqual(self.got(), ["ape", "demo", "zoo"])


class MirrorTests(UpstreamListTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.mirrored: MirrorIndex = self.mirror(upstream_list=self.list)

    def listed(self) -> list[str]:
        asking = start(self.mirrored.project_list())
        self.flush()
        found: ProjectList = self.successResultOf(asking)
        return list(found)

    def test_list_has_upstream_s_projects_and_those_that_are_kept(self) -> None:
        """What upstream has withdrawn may still be in a lock file."""
        self.successResultOf(start(self.mirrored.project_page(DEMO)))
        self.index.remove_project("demo")
        self.assertEqual(self.listed(), ["ape", "demo", "zoo"])

    def test_while_there_is_none_it_has_what_is_known_here(self) -> None:
        self.index.script(LIST, Status(503))
        self.successResultOf(start(self.mirrored.project_page(DEMO)))
        self.assertEqual(self.listed(), ["demo"])

    def test_no_page_depends_on_it(self) -> None:
        """A new project is on PyPI's list up to a day late."""
        self.assertEqual(self.listed(), ["ape", "demo", "zoo"])
        self.index.add(wheel("new"))
        self.index.script(LIST, Rst(), times=None)
        for project in ("demo", "new"):
            page = self.successResultOf(start(self.mirrored.project_page(DEMO)))
            self.assertEqual(len(page.files), 1, project)
        self.assertEqual(self.asked(), 1)
