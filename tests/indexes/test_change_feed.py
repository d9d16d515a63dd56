"""The change feed of an upstream: pages that did not change are not asked for, those that did are."""

from __future__ import annotations

from dataclasses import replace

from pypid.domain.errors import ProjectNotFound
from pypid.domain.xml_rpc import Fault, render_answer, render_fault
from pypid.indexes.change_feed import ChangeFeed
from pypid.indexes.pages import MirroredPages
from pypid.offload import Offload, inline
from pypid.upstream.calls import CallClient
from pypid.upstream.exchange import Exchange
from pypid.upstream.hosts import Hosts
from tests.indexes.stores import MIRROR, RULES, Disk
from tests.indexes.test_pages import FILES_1, FILES_2, PAGE, PagesTestCase, names
from tests.kit.dists import wheel
from tests.kit.upstream import Fault as Wrong
from tests.kit.upstream import Rst, SetHeaders, Status
from tests.upstream.network import ASKING, ROOT, start

XML = {"Content-Type": "text/xml"}
HOURS = replace(RULES, lifetime=replace(RULES.lifetime, ttl=6 * 3600, grace=3600))
FEED = "/pypi"


class FeedTests(PagesTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.restart()

    def restart(self, parse: Offload = inline) -> None:
        mirroring = self.mirroring(rules=HOURS)
        self.pages = MirroredPages(replace(mirroring, parse=parse))
        exchange = Exchange(self.agent, self.clock, Hosts(self.clock), ASKING, delay=lambda: ASKING.header_timeout)
        client = CallClient(exchange, self.clock, f"{ROOT}{FEED}", timeout=20, limit=2**20)
        self.feed = ChangeFeed(mirroring, client, self.pages)

    def poll(self, *answers: Wrong) -> None:
        if answers:
            self.index.script(FEED, *answers)
        self.successResultOf(start(self.feed.poll()))

    def begin(self) -> None:
        self.poll(said(self.index.serial))
        self.got()

    def change(self, version: str) -> None:
        self.index.add(wheel("demo", version))

    def changes(self, *names: str) -> Status:
        return said([[name, "1.0", 1_800_000_000, "new release", self.index.serial] for name in names])

    def test_page_that_changed_is_asked_for_when_it_is_next_wanted(self) -> None:
        self.begin()
        self.change("2.0")
        self.poll(self.changes("other", "Demo"))
        self.assertEqual((self.got(), self.asked()), (FILES_2, 2))

    def test_page_that_did_not_change_is_not_asked_for(self) -> None:
        self.begin()
        for _ in range(300):
            self.clock.advance(60)
            self.poll(self.changes("other"))
            self.got()
        self.assertEqual(self.asked(), 1)

    def test_page_that_shows_the_change_already_is_not_asked_for(self) -> None:
        self.begin()
        self.poll(self.changes("demo"))
        self.got()
        self.assertEqual(self.asked(), 1)

    def test_next_question_is_about_what_came_since(self) -> None:
        self.begin()
        self.change("2.0")
        self.poll(self.changes("demo"))
        kept = self.successResultOf(start(self.cached.feed_serial(MIRROR, f"{ROOT}{FEED}")))
        self.assertEqual(kept, self.index.serial)

    def test_change_counts_after_a_restart(self) -> None:
        self.begin()
        self.change("2.0")
        self.poll(self.changes("demo"))
        self.restart()
        self.assertEqual((self.got(), self.asked()), (FILES_2, 2))

    def test_cache_that_is_behind_the_feed_is_not_believed_for_hours(self) -> None:
        """A27: neither where it sends the old page, nor where it confirms it."""
        self.begin()
        old = SetHeaders({"X-PyPI-Last-Serial": str(self.index.serial), "ETag": None})
        self.index.script(PAGE, Status(304))
        self.change("2.0")
        self.poll(self.changes("demo"))
        self.assertEqual(self.got(), FILES_1)
        self.clock.advance(6)
        self.index.script(PAGE, old)
        self.assertEqual(self.got(), FILES_1)
        self.clock.advance(6)
        self.assertEqual(self.got(), FILES_2)

    def test_page_that_is_being_read_from_the_disk_when_its_change_is_announced(self) -> None:
        self.begin()
        self.restart(parse=(worker := Disk()))
        worker.held = "*"
        reading = self.get()
        self.change("2.0")
        self.poll(self.changes("demo"))
        worker.release()
        self.assertEqual((names(self.successResultOf(reading)), self.asked()), (FILES_2, 2))

    def test_project_that_was_missing_is_looked_for_again(self) -> None:
        self.poll(said(self.index.serial))
        self.index.script(PAGE, Status(410))
        self.failureResultOf(self.get(), ProjectNotFound)
        self.change("2.0")
        self.poll(self.changes("demo"))
        self.assertEqual(self.got(), FILES_2)

    def test_pages_of_before_the_feed_are_asked_for_once(self) -> None:
        self.got()
        self.change("2.0")
        self.poll(said(self.index.serial))
        self.assertEqual([self.got(), self.got(), self.asked()], [FILES_2, FILES_2, 2])

    def test_answer_that_is_too_long_makes_every_page_doubtful(self) -> None:
        self.begin()
        self.change("2.0")
        long = Status(200, XML, b"x" * (2**20 + 1))
        self.poll(long, said(self.index.serial))
        self.assertEqual((self.got(), self.asked()), (FILES_2, 2))

    def test_failure_leaves_pages_to_their_time_to_live(self) -> None:
        self.begin()
        hostile = b"<!DOCTYPE a [<!ENTITY b 'c'>]><methodResponse/>"
        for wrong in (
            Rst(),
            Status(503),
            Status(404),
            Status(200, {"Content-Type": "text/html"}, b"<html>"),
            Status(200, XML, b"<methodResponse>"),
            Status(200, XML, hostile),
            Status(200, XML, render_fault(Fault(-32500, "HTTPTooManyRequests: too many"))),
            said("no list"),
            said([["demo"]]),
            said([["demo", None, 1, "x", -1]]),
        ):
            self.clock.advance(60)
            self.poll(wrong)
            self.assertEqual((self.got(), self.asked()), (FILES_1, 1), wrong)
        self.change("2.0")
        self.clock.advance(60)
        self.poll(self.changes("demo"))
        self.assertEqual(self.got(), FILES_2, "and nothing was lost")

    def test_feed_that_fails_does_not_stop_the_pages_beside_it(self) -> None:
        self.begin()
        for _ in range(5):
            self.poll(Status(429, {"Retry-After": "600"}))
        self.clock.advance(8 * 3600)
        self.change("2.0")
        self.assertEqual(self.got(), FILES_2)


def said(value: object) -> Status:
    return Status(200, XML, render_answer(value))
