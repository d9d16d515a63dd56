"""When change feeds are polled."""

from types import SimpleNamespace
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from pypid.daemon.feeds import INTERVAL, FeedService
from pypid.web.snapshot import Current


class Feed:
    def __init__(self, *, broken: bool = False) -> None:
        self.polls = 0
        self._broken = broken

    async def poll(self) -> None:
        self.polls += 1
        if self._broken:
            raise RuntimeError("a fault of ours")


def snapshot_of(*feeds: Feed) -> Any:
    return SimpleNamespace(feeds=feeds)


class FeedServiceTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.current = Current()
        self.service = FeedService(self.clock, self.current)

    def test_each_feed_is_polled_at_once_and_then_every_minute_until_the_end(self) -> None:
        feeds = [Feed(), Feed()]
        self.current.value = snapshot_of(*feeds)
        self.service.startService()
        for _ in range(3):
            self.clock.advance(INTERVAL)
        self.service.stopService()
        self.assertEqual(([feed.polls for feed in feeds], self.clock.getDelayedCalls()), ([4, 4], []))

    def test_reload_brings_other_feeds(self) -> None:
        before, after = Feed(), Feed()
        self.current.value = snapshot_of(before)
        self.service.startService()
        self.current.value = snapshot_of(after)
        self.clock.advance(INTERVAL)
        self.service.stopService()
        self.assertEqual((before.polls, after.polls), (1, 1))

    def test_fault_of_ours_is_logged_and_ends_nothing(self) -> None:
        broken, good = Feed(broken=True), Feed()
        self.current.value = snapshot_of(broken, good)
        self.service.startService()
        self.clock.advance(INTERVAL)
        self.service.stopService()
        self.assertEqual((broken.polls, good.polls), (2, 2))
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 2)
