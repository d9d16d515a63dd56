"""One file for two indexes, and files of which nobody says how long they are."""

from twisted.internet.defer import CancelledError

from pypid.domain.names import IndexName
from tests.indexes.stores import DEMO
from tests.indexes.test_downloads import DownloadTestCase
from tests.kit.pages import PageStyle
from tests.kit.upstream import Chunked, Stall
from tests.upstream.network import start


class TwoIndexesTests(DownloadTestCase):
    def test_file_of_two_indexes_is_fetched_once_and_recorded_for_each(self) -> None:
        for name in (IndexName("other"), IndexName("third")):
            other = self.mirror(name)
            held = self.index.hold_body(self.path) if name == "other" else None
            opening = start(other.open_file(DEMO, self.demo.filename, self.demo.sha256[:16]))
            readers = [self.download(), self.read_all(self.successResultOf(opening))]
            if held:
                held.send(self.content)
                held.finish()
                self.flush()
            self.assertEqual([self.successResultOf(reader) for reader in readers], [self.content] * 2)
            kept = start(self.cached.file(name, DEMO, self.demo.filename, self.demo.sha256[:16]))
            self.assertEqual(self.successResultOf(kept), self.demo.sha256)
        self.assertEqual((self.fetched(), self.row()), (1, self.demo.sha256))


class LeavingTests(DownloadTestCase):
    def test_leaving_while_the_disk_works_leaves_no_file_open(self) -> None:
        self.successResultOf(self.download())
        other = self.mirror(IndexName("other"))
        self.successResultOf(start(other.project_page(DEMO)))
        for disk, moment in ((self.disk, "_open"), (self.cache_writer, "_write")):
            disk.held = moment
            opening = start(other.open_file(DEMO, self.demo.filename, self.demo.sha256[:16]))
            opening.cancel()
            self.failureResultOf(opening, CancelledError)
            disk.release()


class UnknownSizeTests(DownloadTestCase):
    style = PageStyle(json=False)

    def head(self) -> int:
        body = self.open()
        size = self.successResultOf(start(body.size()))
        body.close()
        return size

    def requests(self) -> list[str]:
        return [seen.method for seen in self.index.requests if seen.path == self.path]

    def test_get_needs_no_head(self) -> None:
        self.assertEqual(self.successResultOf(self.download()), self.content)
        self.assertEqual(self.requests(), ["GET"])

    def test_head_asks_upstream_once_and_fetches_nothing(self) -> None:
        self.assertEqual(self.head(), len(self.content))
        self.assertEqual((self.requests(), self.kept_blobs()), (["HEAD"], set()))

    def test_head_of_a_stored_file_asks_nobody(self) -> None:
        self.successResultOf(self.download())
        self.assertEqual((self.head(), self.requests()), (len(self.content), ["GET"]))

    def test_head_during_a_transfer_asks_nobody(self) -> None:
        held = self.index.hold_body(self.path)
        reader = self.download()
        self.flush()
        self.assertEqual((self.head(), self.requests()), (len(self.content), ["GET"]))
        held.send(self.content)
        held.finish()
        self.flush()
        self.successResultOf(reader)

    def test_size_known_to_nobody_is_known_at_the_end(self) -> None:
        self.index.script(self.path, Chunked(), Chunked())
        self.assertEqual((self.head(), self.requests()), (len(self.content), ["HEAD", "GET"]))

    def test_leaving_while_upstream_has_not_said_the_size(self) -> None:
        self.index.script(self.path, Stall(), times=None)
        asking = self.open()
        size = start(asking.size())
        reader = self.open()
        reading = start(reader.read(0))
        joined = self.open()
        waiting = start(joined.size())
        for call in (size, reading, waiting):
            self.assertNoResult(call)
            call.cancel()
            self.failureResultOf(call, CancelledError)
        for body in (asking, reader, joined):
            body.close()
        self.successResultOf(self.downloads.stop())
