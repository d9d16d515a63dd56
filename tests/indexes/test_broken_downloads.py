"""Transfers that go wrong: nobody completes a wrong file, nothing of it is kept, and the next request works."""

from twisted.internet.defer import Deferred

from pypid.domain.errors import StorageFull, UpstreamUnavailable
from tests.indexes.test_downloads import BIG, DownloadTestCase
from tests.kit.upstream import Chunked, Fin, NoLength, Rst, Stall, Status
from tests.upstream.network import ASKING


class BrokenTestCase(DownloadTestCase):
    def fail_all(self, readers: list[Deferred[bytes]], *expected: type[Exception]) -> None:
        for reader in readers:
            self.failureResultOf(reader, *expected)
        self.assertEqual((self.kept_blobs(), self.staged(), self.row()), (set(), [], None))

    def forget(self) -> None:
        """Be as if nothing had been fetched."""
        self.index.requests.clear()
        for path in (self.data / "blobs").glob("*/*"):
            path.unlink()

    def check_next(self) -> None:
        """The request after a failure gets the file."""
        self.assertEqual(self.successResultOf(self.download()), self.content)


class CutTests(BrokenTestCase):
    """Answers that break off, and then break off again; `test_resumed_downloads` has those that do so once."""

    def test_a15_a17_a19_answers_that_are_cut_twice(self) -> None:
        last = len(self.content) - 1
        for at in (0, 1, BIG // 2, last):
            for fault in (Fin(at=at), Rst(at=at), Chunked() | Fin(at=at), NoLength() | Fin(at=at)):
                with self.subTest(at=at, fault=fault):
                    self.index.script(self.path, fault, Rst(at=0))
                    self.fail_all([self.download()], UpstreamUnavailable)
        self.check_next()

    def test_f03_reset_during_a_transfer_that_many_read(self) -> None:
        held = self.index.hold_body(self.path)
        self.index.script(self.path, Status(503))
        readers = [self.download() for _ in range(10)]
        held.send(self.content[: 6 * BIG // 10])
        self.flush()
        held.abort()
        self.flush()
        self.fail_all(readers, UpstreamUnavailable)
        self.check_next()

    def test_a09_two_stalls_end_every_reader(self) -> None:
        self.index.script(self.path, Stall(at=1000), times=2)
        readers = [self.download() for _ in range(3)]
        for _ in range(2):
            self.clock.advance(ASKING.idle_timeout - 1)
            self.assertNoResult(readers[0])
            self.clock.advance(1)
            self.flush()
        self.fail_all(readers, UpstreamUnavailable)
        self.check_next()


class StopTests(BrokenTestCase):
    def test_stop_breaks_off_and_leaves_nothing(self) -> None:
        self.index.script(self.path, Stall(at=1000))
        readers = [self.download() for _ in range(2)]
        self.successResultOf(self.downloads.stop())
        self.fail_all(readers, UpstreamUnavailable)
        self.assertEqual(self.connections, 0)

    def test_stop_with_nothing_under_way(self) -> None:
        self.successResultOf(self.downloads.stop())

    def test_stop_waits_for_no_upstream_and_leaves_no_file_behind(self) -> None:
        for moment in ("_create", "_write"):
            self.disk.held = moment
            reader = self.download()
            self.successResultOf(self.downloads.stop())
            self.failureResultOf(reader, UpstreamUnavailable)
            self.disk.release()
            self.assertEqual((self.staged(), self.kept_blobs(), self.connections), ([], set(), 0), moment)
        self.check_next()

    def test_stop_waits_for_the_disk_to_keep_what_has_come(self) -> None:
        self.disk.held = "_sync"
        reader = self.download()
        stopped = self.downloads.stop()
        self.assertEqual(self.successResultOf(reader), self.content)
        self.assertNoResult(stopped)
        self.disk.release()
        self.successResultOf(stopped)
        self.assertEqual((self.staged(), self.row()), ([], self.demo.sha256))


class FullDiskTests(BrokenTestCase):
    def test_full_disk_says_so_and_leaves_nothing(self) -> None:
        for moment in ("_create", "_write"):
            self.disk.full = {moment}
            self.fail_all([self.download(), self.download()], StorageFull)
        self.assertEqual(self.connections, 0)
        self.disk.full = set()
        self.check_next()

    def test_file_that_is_right_and_cannot_be_kept_is_served_all_the_same(self) -> None:
        for moment in ("_sync", "_link"):
            self.disk.full = {moment}
            self.check_next()
            self.assertEqual((self.kept_blobs(), self.staged(), self.row()), (set(), [], None))
        self.disk.full = set()
        self.check_next()
        self.assertEqual((self.fetched(), self.row()), (3, self.demo.sha256))

    def test_full_cache_database_costs_no_client_its_file(self) -> None:
        early = self.open()
        self.cache_writer.full = {"_write"}
        self.check_next()
        self.assertEqual(self.successResultOf(self.read_all(early)), self.content)
        self.assertIsNone(self.row())
        self.cache_writer.full = set()
        self.check_next()
        self.assertEqual((self.fetched(), self.row()), (1, self.demo.sha256))
