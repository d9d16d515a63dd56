"""A cold file and its readers: one transfer, everyone at their own pace, nothing before its time."""

from twisted.internet.defer import CancelledError, Deferred

from pypid.indexes.index import FileBody
from pypid.storage.spool import HOLD_BACK
from tests.indexes.stores import DEMO, MIRROR, StoresTestCase
from tests.kit.dists import Dist, wheel
from tests.upstream.network import start

BIG = 3 * 2**20


class DownloadTestCase(StoresTestCase):
    demo: Dist

    def setUp(self) -> None:
        super().setUp()
        self.demo = self.index.add(wheel("demo", size=BIG))
        self.content = self.demo.content
        self.path = self.index.file_path(self.demo)
        self.main = self.mirror()

    def open(self) -> FileBody:
        opening = start(self.main.open_file(DEMO, self.demo.filename, self.demo.sha256[:16]))
        return self.successResultOf(opening)

    def download(self) -> Deferred[bytes]:
        return self.read_all(self.open())

    def first(self, body: FileBody) -> Deferred[bytes]:
        return start(body.read(0))

    def fetched(self) -> int:
        return self.index.count("GET", self.path)

    def row(self) -> str | None:
        found = start(self.cached.file(MIRROR, DEMO, self.demo.filename, self.demo.sha256[:16]))
        return self.successResultOf(found)


class DownloadTests(DownloadTestCase):
    def test_file_is_fetched_once_and_kept(self) -> None:
        self.assertEqual(self.successResultOf(self.download()), self.content)
        self.assertEqual((self.kept_blobs(), self.row()), ({self.demo.sha256}, self.demo.sha256))
        self.assertEqual(self.successResultOf(self.download()), self.content)
        self.assertEqual(self.fetched(), 1)

    def test_nothing_is_fetched_before_it_is_read(self) -> None:
        body = self.open()
        self.assertEqual(self.successResultOf(start(body.size())), len(self.content))
        body.close()
        self.assertEqual(self.index.count(glob=self.path), 0)

    def test_first_bytes_come_before_upstream_has_finished_and_the_last_do_not(self) -> None:
        held = self.index.hold_body(self.path)
        bodies = [self.open() for _ in range(3)]
        reads = [self.first(body) for body in bodies]
        held.send(self.content[:1000])
        self.flush()
        self.assertEqual([self.successResultOf(read) for read in reads], [self.content[:1000]] * 3)
        held.send(self.content[1000:-1])
        self.flush()
        last = len(self.content) - HOLD_BACK
        self.assertEqual(self.successResultOf(start(bodies[0].read(last - 9))), self.content[last - 9 : last])
        tail = start(bodies[0].read(last))
        self.assertNoResult(tail)
        held.send(self.content[-1:])
        held.finish()
        self.flush()
        self.assertEqual(self.successResultOf(tail), self.content[last:])
        for body in bodies:
            self.assertEqual(self.successResultOf(self.read_all(body)), self.content)
        self.assertEqual(self.fetched(), 1)

    def test_many_readers_are_one_transfer(self) -> None:
        held = self.index.hold_body(self.path)
        readers = [self.download() for _ in range(50)]
        held.send(self.content[: BIG // 2])
        self.flush()
        readers += [self.download() for _ in range(50)]
        held.send(self.content[BIG // 2 :])
        held.finish()
        self.flush()
        self.assertTrue(all(self.successResultOf(reader) == self.content for reader in readers))
        self.assertEqual((self.fetched(), self.row()), (1, self.demo.sha256))

    def test_reader_that_leaves_stops_only_itself(self) -> None:
        """The first, who started the transfer, is no exception."""
        held = self.index.hold_body(self.path)
        first, second = self.download(), self.download()
        held.send(self.content[:1000])
        self.flush()
        first.cancel()
        self.failureResultOf(first, CancelledError)
        self.assertNoResult(second)
        held.send(self.content[1000:])
        held.finish()
        self.flush()
        self.assertEqual(self.successResultOf(second), self.content)
        self.assertEqual(self.fetched(), 1)

    def test_transfer_goes_on_when_everyone_has_left(self) -> None:
        held = self.index.hold_body(self.path)
        reader = self.download()
        reader.cancel()
        self.failureResultOf(reader, CancelledError)
        held.send(self.content)
        held.finish()
        self.flush()
        self.assertEqual(self.row(), self.demo.sha256)
        self.assertEqual(self.successResultOf(self.download()), self.content)
        self.assertEqual(self.fetched(), 1)

    def test_slow_reader_keeps_its_file_after_the_transfer(self) -> None:
        slow = self.open()
        self.assertTrue(self.successResultOf(self.first(slow)))
        self.assertEqual(self.successResultOf(self.download()), self.content)
        self.assertEqual((len(self.downloads), self.staged()), (0, []))
        self.assertEqual(self.successResultOf(self.read_all(slow)), self.content)

    def test_body_opened_before_somebody_elses_transfer_reads_the_stored_file(self) -> None:
        early = self.open()
        self.successResultOf(self.download())
        self.assertEqual(self.successResultOf(self.read_all(early)), self.content)
        self.assertEqual(self.fetched(), 1)

    def test_end_is_given_while_the_disk_still_works(self) -> None:
        self.disk.held = "sync"
        self.assertEqual(self.successResultOf(self.download()), self.content)
        self.assertEqual((self.row(), self.kept_blobs()), (None, set()), "no row before the blob is durable")
        self.disk.release()
        self.assertEqual(self.row(), self.demo.sha256)

    def test_slow_disk_slows_upstream_not_memory(self) -> None:
        held = self.index.hold_body(self.path)
        reader = self.download()
        self.disk.held = "_write"
        for start_at in range(0, len(self.content), 2**18):
            held.send(self.content[start_at : start_at + 2**18])
            self.flush()
        self.assertEqual(self.disk.waiting, 1, "one write at a time")
        held.finish()
        self.disk.release()
        self.flush()
        self.assertEqual(self.successResultOf(reader), self.content)
