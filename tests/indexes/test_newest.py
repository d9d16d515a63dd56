"""A57: clients that want the newest page make upstream be asked, and not too often."""

from twisted.internet.defer import Deferred

from pypid.domain.errors import ProjectNotFound
from pypid.domain.files import ProjectPage
from pypid.indexes.mirrored import FORCED_INTERVAL, FORCED_PATIENCE, PATIENCE
from tests.indexes.stores import DEMO
from tests.indexes.test_pages import FILES_1, FILES_2, PAGE, PagesTestCase, names
from tests.kit.dists import wheel
from tests.kit.upstream import Barrier, Hold, Rst, Status
from tests.upstream.network import start


class NewestTests(PagesTestCase):
    def newest(self) -> Deferred[ProjectPage]:
        return start(self.pages.get(DEMO, newest=True))

    def got_newest(self) -> list[str]:
        return names(self.successResultOf(self.newest()))

    def test_a57_fresh_page_is_asked_for_again_once_in_five_seconds(self) -> None:
        self.got()
        self.index.add(wheel("demo", "2.0"))
        self.assertEqual((self.got_newest(), self.asked()), (FILES_1, 1), "it is of this very moment")
        self.clock.advance(FORCED_INTERVAL)
        self.assertEqual([self.got_newest() for _ in range(10)], [FILES_2] * 10)
        self.assertEqual((self.asked(), FORCED_INTERVAL), (2, 5))
        self.clock.advance(FORCED_INTERVAL)
        page = self.successResultOf(self.newest())
        self.assertEqual((page.cache_status.render(), self.asked()), ("pypid; fwd=request; stored; ttl=600", 3))

    def test_a57_many_at_once_are_one_request(self) -> None:
        self.got()
        self.clock.advance(FORCED_INTERVAL)
        self.index.script(PAGE, Hold(barrier := Barrier()))
        waiting = [self.newest() for _ in range(20)]
        self.assertEqual(self.got(), FILES_1, "who does not ask for it does not wait")
        barrier.release()
        self.flush()
        for page in waiting:
            self.successResultOf(page)
        self.assertEqual(self.asked(), 2)

    def test_a57_failure_is_answered_by_the_page_that_is_here(self) -> None:
        self.got()
        self.clock.advance(FORCED_INTERVAL)
        self.index.script(PAGE, Status(503), times=None)
        self.assertEqual([self.got_newest() for _ in range(10)], [FILES_1] * 10)
        self.assertEqual(self.asked(), 2)

    def test_a57_who_wants_it_waits_for_longer_but_not_for_ever(self) -> None:
        self.got()
        self.clock.advance(FORCED_INTERVAL)
        self.index.script(PAGE, Hold(barrier := Barrier()))
        waiting = self.newest()
        self.clock.advance(PATIENCE + 1)
        self.assertNoResult(waiting)
        self.clock.advance(FORCED_PATIENCE)
        self.assertEqual(names(self.successResultOf(waiting)), FILES_1)
        barrier.release()
        self.flush()

    def test_a57_absence_is_asked_for_again(self) -> None:
        """Of a project whose first release has just been made."""
        self.index.script(PAGE, Status(404))
        self.failureResultOf(self.get(), ProjectNotFound)
        self.failureResultOf(self.newest(), ProjectNotFound)
        self.clock.advance(FORCED_INTERVAL)
        self.failureResultOf(self.get(), ProjectNotFound)
        self.assertEqual((self.got_newest(), self.asked()), (FILES_1, 2))

    def test_outage_makes_nobody_wait_for_the_newest(self) -> None:
        self.got()
        self.clock.advance(FORCED_INTERVAL)
        self.index.script(PAGE, Rst(), times=None)
        self.got_newest()
        self.clock.advance(FORCED_INTERVAL)
        self.index.heal()
        self.index.script(PAGE, Hold(barrier := Barrier()))
        self.assertEqual(self.got_newest(), FILES_1)
        barrier.release()
        self.flush()
