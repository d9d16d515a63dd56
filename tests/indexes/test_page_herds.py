"""Many clients at once, and many pages at once: upstream is asked once for each, and some at a time."""

from collections.abc import Sequence
from dataclasses import replace

from twisted.internet.defer import Deferred

from pypid.domain.errors import UpstreamBroken
from pypid.domain.files import ProjectPage
from pypid.domain.freshness import JITTER
from pypid.domain.names import NormalizedName
from tests.indexes.stores import RULES
from tests.indexes.test_pages import OLD_ENOUGH, PAGE, PagesTestCase
from tests.kit.dists import wheel
from tests.kit.upstream import Barrier, Hold, SetHeaders, Status
from tests.upstream.network import ASKING, start

CLIENTS = 50
PROJECTS = [NormalizedName(f"project-{number}") for number in range(40)]
TTL = RULES.lifetime.ttl


class HerdTests(PagesTestCase):
    def setUp(self) -> None:
        super().setUp()
        for name in PROJECTS:
            self.index.add(wheel(name))
        self.pages = self.mirror_pages(rules=replace(RULES, jitter=JITTER))

    def herd(self, projects: Sequence[NormalizedName] = PROJECTS) -> list[Deferred[ProjectPage]]:
        return [start(self.pages.get(name)) for _ in range(CLIENTS) for name in projects]

    def test_f05_a_cold_page_is_fetched_once_and_is_the_same_for_all(self) -> None:
        self.index.script("*", Hold(barrier := Barrier()))
        waiting = self.herd(PROJECTS[:1])
        barrier.release()
        self.flush()
        pages = [self.successResultOf(page) for page in waiting]
        self.assertEqual((len({page.revision for page in pages}), len(self.index.requests)), (1, 1))
        told = [page.cache_status.collapsed for page in pages]
        self.assertEqual((told[0], set(told[1:])), (False, {True}))

    def test_f12_pages_that_expire_together_are_asked_for_once_each_some_at_a_time(self) -> None:
        self.herd()
        self.assertEqual(len(self.index.requests), len(PROJECTS))
        self.clock.advance(2 * OLD_ENOUGH)
        self.index.script("*", Hold(barrier := Barrier()), times=None)
        waiting = self.herd()
        self.assertEqual(len(self.index.requests) - len(PROJECTS), ASKING.max_connections)
        barrier.release()
        for _ in range(3):
            self.flush()
        for page in waiting:
            self.assertGreater(self.successResultOf(page).max_age, 0)
        self.assertEqual(len(self.index.requests), 2 * len(PROJECTS))

    def test_f12_pages_that_were_fetched_together_grow_old_one_by_one(self) -> None:
        self.herd()
        before = len(self.index.requests)
        asked: list[int] = []
        for _ in range(12):
            self.clock.advance(TTL * (0.89 if not asked else 0.02))
            self.herd()
            asked.append(len(self.index.requests) - before)
        self.assertEqual((asked[0], asked[-1]), (0, len(PROJECTS)))
        self.assertGreater(len(set(asked)), 6)

    def test_f12_client_is_never_told_to_keep_a_page_longer_than_the_time_to_live(self) -> None:
        self.assertLessEqual(max(self.successResultOf(page).max_age for page in self.herd()), TTL)

    def test_f13_page_that_upstream_wants_nobody_to_keep_is_shared_and_kept(self) -> None:
        """Else an upstream that says no-store would be asked for each client of an install, one after the other."""
        self.index.script(PAGE, Hold(barrier := Barrier()) | SetHeaders({"Cache-Control": "no-store"}))
        waiting = [self.get() for _ in range(CLIENTS)]
        barrier.release()
        self.flush()
        for page in waiting:
            self.successResultOf(page)
        self.got()
        self.assertEqual(self.asked(), 1)

    def test_f13_refusal_is_one_for_all_who_wait(self) -> None:
        self.index.script(PAGE, Hold(barrier := Barrier()) | Status(401))
        waiting = [self.get() for _ in range(CLIENTS)]
        barrier.release()
        self.flush()
        details = {self.failureResultOf(page, UpstreamBroken).value.detail for page in waiting}
        self.assertEqual((details, self.asked()), ({"auth"}, 1))
