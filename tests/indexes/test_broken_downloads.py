"""Transfers that go wrong: nobody completes a wrong file, nothing of it is kept, and the next request works."""

from twisted.internet.defer import Deferred

from pypid.domain.errors import DigestMismatch, StorageFull, UpstreamBroken, UpstreamUnavailable
from pypid.storage.spool import HOLD_BACK
from tests.indexes.stores import DEMO
from tests.indexes.test_downloads import BIG, DownloadTestCase
from tests.kit.dists import wheel
from tests.kit.upstream import Chunked, Fault, Fin, NoLength, Rst, SetHeaders, Stall, Status
from tests.upstream.network import ASKING, start


class BrokenTestCase(DownloadTestCase):
    def fail_all(self, readers: list[Deferred[bytes]], *expected: type[Exception]) -> None:
        for reader in readers:
            self.failureResultOf(reader, *expected)
        self.assertEqual((self.kept_blobs(), self.staged(), self.row()), (set(), [], None))

    def check_next(self) -> None:
        """The request after a failure gets the file."""
        self.assertEqual(self.successResultOf(self.download()), self.content)

    def refused(self, fault: Fault, *expected: type[Exception]) -> None:
        self.index.script(self.path, fault)
        self.fail_all([self.download()], *expected)


class WrongBytesTests(BrokenTestCase):
    def test_wrong_digest_fails_every_reader(self) -> None:
        for wrong in (0, BIG // 2, -1):
            held = self.index.hold_body(self.path)
            body = bytearray(self.content)
            body[wrong] ^= 1
            readers = [self.download() for _ in range(5)]
            slow = self.open()
            early = start(slow.read(0))
            held.send(bytes(body))
            held.finish()
            self.flush()
            self.assertTrue(self.successResultOf(early))
            self.fail_all([*readers, self.read_all(slow)], DigestMismatch)
        self.check_next()

    def test_tail_of_a_wrong_file_reaches_nobody(self) -> None:
        held = self.index.hold_body(self.path)
        body = self.open()
        first = start(body.read(0, BIG * 2))
        held.send(self.content[:-1] + b"?")
        self.flush()
        got = len(self.successResultOf(first))
        self.assertEqual(got, len(self.content) - HOLD_BACK)
        self.failureResultOf(start(body.read(got)), DigestMismatch)
        body.close()

    def test_other_lengths(self) -> None:
        for fault in (
            SetHeaders({"Content-Length": str(len(self.content) - 1)}),
            SetHeaders({"Content-Length": str(len(self.content) + 1)}),
            Status(200, {}, self.content + b"x"),
            Status(200, {}, b""),
            Status(200, {}, self.content[:-1]) | Chunked(),
            Status(200, {}, self.content + b"x") | Chunked(),
            Status(200, {}, self.content[:-1]) | NoLength(),
        ):
            self.refused(fault, UpstreamBroken)
        self.check_next()

    def test_cut_bodies(self) -> None:
        last = len(self.content) - 1
        for at in (0, 1, BIG // 2, last):
            for fault in (Fin(at=at), Rst(at=at), Chunked() | Fin(at=at)):
                self.refused(fault, UpstreamUnavailable)
        self.check_next()

    def test_body_ended_by_closing_is_whole_if_its_digest_says_so(self) -> None:
        self.index.script(self.path, NoLength())
        self.check_next()
        self.assertEqual(self.row(), self.demo.sha256)

    def test_page_that_lies_about_the_size(self) -> None:
        lying = self.index.add(wheel("demo", "2.0"), size=10)
        opening = start(self.main.open_file(DEMO, lying.filename, lying.sha256[:16]))
        self.failureResultOf(self.read_all(self.successResultOf(opening)), UpstreamBroken)
        self.assertEqual(self.kept_blobs(), set())

    def test_file_that_the_page_lists_and_upstream_has_not(self) -> None:
        """Never "not found": another index must not be asked for it."""
        for status in (404, 403, 410):
            self.refused(Status(status), UpstreamBroken)
        self.check_next()

    def test_reset_during_a_transfer_that_many_read(self) -> None:
        held = self.index.hold_body(self.path)
        readers = [self.download() for _ in range(10)]
        held.send(self.content[: 6 * BIG // 10])
        self.flush()
        held.abort()
        self.flush()
        self.fail_all(readers, UpstreamUnavailable)
        self.check_next()

    def test_stall_ends_every_reader_after_one_silence(self) -> None:
        self.index.script(self.path, Stall(at=1000))
        readers = [self.download() for _ in range(3)]
        self.clock.advance(ASKING.idle_timeout - 1)
        self.assertNoResult(readers[0])
        self.clock.advance(1)
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
        self.disk.held = "sync"
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
        for moment in ("sync", "_link"):
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
