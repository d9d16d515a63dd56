"""How long a client waits for a newer page, and how old a page it is given."""

import math
from dataclasses import replace

from pypid.domain.breaker import FAILURES, PROBE_INTERVAL
from pypid.domain.errors import UpstreamUnavailable
from pypid.domain.names import NormalizedName
from pypid.indexes.mirrored import PATIENCE, RETRY_AFTER_FAILURE
from tests.indexes.stores import DEMO, RULES
from tests.indexes.test_pages import FILES_1, FILES_2, OLD_ENOUGH, PAGE, PagesTestCase, names
from tests.kit.dists import wheel
from tests.kit.upstream import Barrier, Hold, Rst, Status
from tests.upstream.network import start

MAX_STALE = RULES.lifetime.max_stale
HOUR = 3600


class PatienceTests(PagesTestCase):
    def test_a56_expired_page_is_answered_after_two_seconds_and_the_refresh_goes_on(self) -> None:
        self.got()
        self.index.add(wheel("demo", "2.0"))
        self.index.script(PAGE, Hold(barrier := Barrier()))
        self.clock.advance(OLD_ENOUGH)
        waiting = self.get()
        self.clock.advance(PATIENCE - 0.01)
        self.assertNoResult(waiting)
        self.clock.advance(0.01)
        page = self.successResultOf(waiting)
        self.assertEqual((names(page), page.cache_status.detail), (FILES_1, "slow"))
        self.assertEqual((self.got(), self.asked()), (FILES_1, 2), "and nobody waits again")
        barrier.release()
        self.flush()
        self.assertEqual((self.got(), self.asked(), PATIENCE), (FILES_2, 2, 2))

    def test_a56_client_that_leaves_does_not_end_the_refresh(self) -> None:
        self.got()
        self.index.add(wheel("demo", "2.0"))
        self.index.script(PAGE, Hold(barrier := Barrier()))
        self.clock.advance(OLD_ENOUGH)
        waiting = self.get()
        waiting.cancel()
        self.failureResultOf(waiting)
        barrier.release()
        self.flush()
        self.assertEqual((self.got(), self.asked()), (FILES_2, 2))


class CeilingTests(PagesTestCase):
    def test_a11_page_past_the_ceiling_is_unavailable_and_says_when_to_ask_again(self) -> None:
        self.got()
        self.clock.advance(MAX_STALE)
        self.index.script(PAGE, Status(503, {"Retry-After": "7"}), Rst(), times=None)
        self.assertEqual(self.got(), FILES_1)
        self.clock.advance(RETRY_AFTER_FAILURE)
        why = self.failureResultOf(self.get(), UpstreamUnavailable).value
        self.assertGreater(why.retry_after, 0)
        self.clock.advance(0.1)
        why = self.failureResultOf(self.get(), UpstreamUnavailable).value
        self.assertGreater(why.retry_after, 0)
        self.index.heal()
        self.clock.advance(RETRY_AFTER_FAILURE)
        self.assertEqual(self.got(), FILES_1)

    def test_ceiling_counts_from_the_last_time_that_upstream_confirmed_the_page(self) -> None:
        self.got()
        self.clock.advance(MAX_STALE - 1)
        self.got()
        self.clock.advance(MAX_STALE - 1)
        self.index.script(PAGE, Rst(), times=None)
        self.assertEqual(self.got(), FILES_1)

    def test_without_a_ceiling_a_page_is_served_for_ever(self) -> None:
        unlimited = replace(RULES, lifetime=replace(RULES.lifetime, max_stale=math.inf))
        self.pages = self.mirror_pages(rules=unlimited)
        self.got()
        self.clock.advance(10 * 365 * 24 * HOUR)
        self.index.script(PAGE, Rst(), times=None)
        self.assertEqual(self.got(), FILES_1)

    def test_client_waits_as_long_as_it_takes_where_there_is_nothing_else_to_answer(self) -> None:
        self.got()
        self.clock.advance(MAX_STALE + 1)
        self.index.script(PAGE, Hold(barrier := Barrier()))
        waiting = self.get()
        self.clock.advance(PATIENCE + 1)
        self.assertNoResult(waiting)
        barrier.release()
        self.flush()
        self.assertEqual(names(self.successResultOf(waiting)), FILES_1)


class OutageTests(PagesTestCase):
    """An hour in which upstream does not answer, with every page here."""

    def setUp(self) -> None:
        super().setUp()
        self.projects = [DEMO, *(NormalizedName(f"project-{number}") for number in range(9))]
        for name in self.projects[1:]:
            self.index.add(wheel(name))
        for name in self.projects:
            self.successResultOf(start(self.pages.get(name)))
        self.clock.advance(OLD_ENOUGH)

    def outage(self) -> int:
        """Have every page asked for in each second of an hour; return how often upstream was."""
        before = len(self.index.requests)
        for _ in range(HOUR):
            for name in self.projects:
                self.successResultOf(start(self.pages.get(name)))
            self.clock.advance(1)
        return len(self.index.requests) - before

    def test_a54_nobody_waits_and_upstream_is_probed_now_and_then(self) -> None:
        self.index.script("*", Rst(), times=None)
        self.assertLessEqual(self.outage(), FAILURES + HOUR / PROBE_INTERVAL)

    def test_a54_nobody_waits_twice_for_an_upstream_that_hangs(self) -> None:
        self.index.script("*", Hold(Barrier()), times=None)
        first = start(self.pages.get(DEMO))
        self.clock.advance(PATIENCE)
        self.successResultOf(first)
        self.assertLessEqual(self.outage(), len(self.projects) * 2 + HOUR / PROBE_INTERVAL)
        self.clock.advance(60)

    def test_a55_pages_are_fresh_soon_after_upstream_is_back(self) -> None:
        self.index.script("*", Status(503), times=None)
        self.outage()
        self.index.heal()
        before = len(self.index.requests)
        for _ in range(10):
            for name in self.projects:
                self.successResultOf(start(self.pages.get(name)))
            self.clock.advance(1)
        ages = {self.successResultOf(start(self.pages.get(name))).max_age > 0 for name in self.projects}
        self.assertEqual((ages, len(self.index.requests) - before), ({True}, len(self.projects)))
