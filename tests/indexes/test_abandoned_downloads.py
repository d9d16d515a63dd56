"""Transfers that everybody has left: some are worth finishing, the others wait a little and then end."""

from twisted.internet.defer import CancelledError, Deferred

from pypid.indexes.transfer import LINGER
from tests.indexes.test_downloads import BIG, DownloadTestCase
from tests.kit.dists import wheel
from tests.kit.pages import PageStyle
from tests.kit.upstream import Barrier, Chunked, HeldBody, Hold, Stall


class AbandonedTestCase(DownloadTestCase):
    def begin(self, arrived: int) -> tuple[HeldBody, Deferred[bytes]]:
        held = HeldBody()
        self.index.script(self.path, Chunked() | held)
        reader = self.download()
        self.flush()
        held.send(self.content[:arrived])
        self.flush()
        return held, reader

    def leave(self, reader: Deferred[bytes]) -> None:
        reader.cancel()
        self.failureResultOf(reader, CancelledError)

    def under_way(self) -> tuple[int, int]:
        """Return how many transfers and connections there are."""
        return len(self.downloads), self.connections


class WorthwhileTests(AbandonedTestCase):
    def test_f02_who_began_leaves(self) -> None:
        held, first = self.begin(BIG // 3)
        others = [self.download() for _ in range(3)]
        self.leave(first)
        held.send(self.content[BIG // 3 :])
        held.finish()
        self.flush()
        self.assertEqual([self.successResultOf(other) for other in others], [self.content] * 3)
        self.assertEqual(self.fetched(), 1)

    def test_small_file_is_finished_for_nobody(self) -> None:
        held, reader = self.begin(1000)
        self.leave(reader)
        self.clock.advance(LINGER)
        held.send(self.content[1000:])
        held.finish()
        self.flush()
        self.assertEqual((self.row(), self.fetched()), (self.demo.sha256, 1))

    def test_file_that_has_come_is_only_kept(self) -> None:
        self.disk.held = "_sync"
        held, reader = self.begin(len(self.content))
        held.finish()
        self.flush()
        self.successResultOf(reader)
        self.clock.advance(LINGER)
        self.disk.release()
        self.assertEqual(self.row(), self.demo.sha256)


class LargeTests(AbandonedTestCase):
    """The page says that the file is huge."""

    def setUp(self) -> None:
        super().setUp()
        self.index.add(wheel("demo", size=BIG), size=2**40)

    def test_large_file_waits_for_its_client_and_is_given_up(self) -> None:
        _, reader = self.begin(BIG // 3)
        self.leave(reader)
        self.clock.advance(LINGER - 1)
        self.assertEqual(self.under_way(), (1, 1))
        self.clock.advance(1)
        self.assertEqual((self.under_way(), self.staged()), ((0, 0), []))

    def test_last_of_many_leaves(self) -> None:
        _, first = self.begin(BIG // 3)
        second = self.download()
        self.leave(first)
        self.clock.advance(LINGER)
        self.assertEqual(self.under_way(), (1, 1))
        self.leave(second)
        self.clock.advance(LINGER)
        self.assertEqual(self.under_way(), (0, 0))

    def test_client_that_tries_again_finds_it(self) -> None:
        _, reader = self.begin(BIG // 3)
        self.leave(reader)
        self.clock.advance(LINGER - 1)
        reader = self.download()
        self.clock.advance(LINGER)
        self.assertEqual((self.under_way(), self.fetched()), ((1, 1), 1))
        self.leave(reader)
        self.clock.advance(LINGER)

    def test_transfer_that_ends_meanwhile(self) -> None:
        held, reader = self.begin(BIG // 3)
        self.leave(reader)
        held.abort()
        self.flush()
        self.clock.advance(LINGER)
        self.assertEqual(self.under_way(), (0, 0))


class UnknownSizeTests(AbandonedTestCase):
    style = PageStyle(json=False)

    def test_file_whose_end_nobody_knows_is_given_up(self) -> None:
        _, reader = self.begin(BIG // 3)
        self.leave(reader)
        self.clock.advance(LINGER)
        self.assertEqual(self.under_way(), (0, 0))

    def test_file_of_which_upstream_says_meanwhile_that_it_is_small_is_finished(self) -> None:
        barrier = Barrier()
        self.index.script(self.path, Hold(barrier) | Stall(at=1000))
        reader = self.download()
        self.leave(reader)
        barrier.release()
        self.flush()
        self.clock.advance(LINGER)
        self.assertEqual(self.under_way(), (1, 1))
        self.successResultOf(self.downloads.stop())
