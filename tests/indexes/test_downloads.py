"""A cold file and its readers: one transfer, everyone at their own pace, nothing before its time."""

from twisted.internet.defer import CancelledError, Deferred

from pypid.indexes.index import FileBody
from pypid.storage.spool import HOLD_BACK
from tests.indexes.stores import DEMO, MIRROR, StoresTestCase
from tests.kit.dists import Dist, wheel
from tests.upstream.network import ASKING, start

BIG = 3 * 2**20


class DownloadTestCase(StoresTestCase):
    demo: Dist

    def setUp(self) -> None:
        super().setUp()
        self.replace(BIG)
        self.main = self.mirror()

    def replace(self, size: int) -> None:
        """Let the file have another size."""
        self.demo = self.index.add(wheel("demo", size=size))
        self.content = self.demo.content
        self.path = self.index.file_path(self.demo)

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

    def test_f01_many_readers_are_one_transfer(self) -> None:
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

    def test_a10_drip_is_followed_by_everybody_for_as_long_as_it_comes(self) -> None:
        """Slow is not silent, and a second transfer would be no faster."""
        held = self.index.hold_body(self.path)
        readers = [self.download()]
        step = len(self.content) // 20
        for start_at in range(0, len(self.content), step):
            self.flush()
            held.send(self.content[start_at : start_at + step])
            self.flush()
            self.clock.advance(ASKING.idle_timeout - 1)
            readers.append(self.download())
        held.finish()
        self.flush()
        self.assertTrue(all(self.successResultOf(reader) == self.content for reader in readers))
        self.assertEqual(self.fetched(), 1)

    def test_f06_more_files_than_upstream_is_asked_for_at_a_time(self) -> None:
        """All get their turn, in the order in which they were wanted."""
        dists = [self.index.add(wheel("demo", f"{number}.0", size=1000)) for number in range(2, 62)]
        held = [self.index.hold_body(self.index.file_path(dist)) for dist in dists]
        opening = [start(self.main.open_file(DEMO, dist.filename, dist.sha256[:16])) for dist in dists]
        readers = [self.read_all(self.successResultOf(opened)) for opened in opening]
        most = 0
        for dist, body in zip(dists, held, strict=True):
            self.flush()
            most = max(most, self.connections)
            self.assertEqual(self.index.count("GET", self.index.file_path(dist)), 1)
            body.send(dist.content)
            body.finish()
            self.flush()
        self.assertEqual(most, ASKING.max_connections)
        self.assertEqual([self.successResultOf(reader) for reader in readers], [dist.content for dist in dists])

    def test_f18_slow_reader_keeps_its_file_after_the_transfer(self) -> None:
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
        self.disk.held = "_sync"
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
