"""When directories are looked at."""

from types import SimpleNamespace
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from pypid.daemon.rescan import AGAIN, RescanService
from pypid.flight import shield
from pypid.web.snapshot import Current


class Looks:
    index = "files"

    def __init__(self, *, broken: bool = False) -> None:
        self.count = 0
        self.is_waiting = False
        self.under_way: Deferred[None] | None = None
        self._broken = broken

    def look(self) -> Deferred[None]:
        self.count += 1
        return fail(RuntimeError("a fault of ours")) if self._broken else self.stop()

    def stop(self) -> Deferred[None]:
        return succeed(None) if self.under_way is None else shield(self.under_way)


def snapshot_of(**looks: tuple[Looks, float]) -> Any:
    return SimpleNamespace(directories=looks)


class RescanServiceTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.current = Current()
        self.service = RescanService(self.clock, self.current)

    def started(self, **looks: tuple[Looks, float]) -> None:
        self.current.value = snapshot_of(**looks)
        self.service.startService()

    def stopped(self) -> None:
        self.successResultOf(self.service.stopService())
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_each_directory_is_looked_at_at_once_and_then_at_its_own_pace(self) -> None:
        often, seldom = Looks(), Looks()
        self.started(often=(often, 10), seldom=(seldom, 60))
        self.clock.pump([10] * 6)
        self.stopped()
        self.assertEqual((often.count, seldom.count), (7, 2))

    def test_reload_has_all_looked_at_at_once_and_leaves_those_that_are_gone(self) -> None:
        gone, kept, new = Looks(), Looks(), Looks()
        self.started(gone=(gone, 10), kept=(kept, 10))
        self.current.value = snapshot_of(kept=(kept, 60), new=(new, 10))
        self.service.follow()
        self.assertEqual((gone.count, kept.count, new.count), (1, 2, 1))
        self.clock.advance(10)
        self.stopped()
        self.assertEqual((gone.count, kept.count, new.count), (1, 2, 2))

    def test_look_that_takes_long_is_not_begun_again_and_is_waited_for(self) -> None:
        looks = Looks()
        under_way: Deferred[None] = Deferred()
        looks.under_way = under_way
        self.started(files=(looks, 10))
        self.clock.pump([10] * 5)
        stopping = self.service.stopService()
        self.assertEqual(looks.count, 1)
        self.assertNoResult(stopping)
        under_way.callback(None)
        self.successResultOf(stopping)

    def test_reload_during_a_look_joins_it_and_doubles_nothing(self) -> None:
        looks = Looks()
        under_way: Deferred[None] = Deferred()
        looks.under_way = under_way
        self.started(files=(looks, 10))
        self.current.value = snapshot_of(files=(looks, 20))
        self.service.follow()
        looks.under_way = None
        under_way.callback(None)
        count = looks.count
        self.clock.advance(10)
        self.assertEqual(looks.count, count)
        self.clock.advance(10)
        self.assertEqual(looks.count, count + 1)
        self.stopped()

    def test_file_that_may_be_half_copied_is_looked_at_again_soon(self) -> None:
        looks = Looks()
        looks.is_waiting = True
        self.started(files=(looks, 3600))
        self.clock.advance(AGAIN)
        looks.is_waiting = False
        self.clock.advance(AGAIN)
        self.clock.advance(AGAIN)
        self.assertEqual(looks.count, 3)
        self.stopped()

    def test_fault_of_ours_is_logged_and_ends_nothing(self) -> None:
        broken, good = Looks(broken=True), Looks()
        self.started(broken=(broken, 10), good=(good, 10))
        self.clock.advance(10)
        self.stopped()
        self.assertEqual((broken.count, good.count), (2, 2))
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 2)

    def test_without_directories_nothing_is_done(self) -> None:
        self.started()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.stopped()
