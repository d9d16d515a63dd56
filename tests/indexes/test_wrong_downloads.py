"""Files that are not what the page says: nobody completes one, and upstream is asked once more and then left alone."""

import gzip
from dataclasses import replace

from twisted.internet.defer import Deferred

from pypid.domain.errors import DigestMismatch, UpstreamBroken, UpstreamUnavailable
from pypid.domain.ranges import ByteRange
from pypid.indexes.refusals import REFUSED
from pypid.storage.spool import HOLD_BACK
from tests.indexes.stores import DEMO
from tests.indexes.test_broken_downloads import BrokenTestCase
from tests.indexes.test_downloads import BIG
from tests.kit.dists import wheel
from tests.kit.upstream import Chunked, Fault, FlipByte, HeldBody, NoLength, SetHeaders, Status
from tests.upstream.network import start

SMALL = 300_000
"""Bytes of a file that nobody sees any of before it is right."""


class WrongTestCase(BrokenTestCase):
    def caching(self) -> list[str | None]:
        """Return what each GET of the file said of caches."""
        return [seen.headers.get("cache-control") for seen in self.index.requests if seen.path == self.path]

    def send_wrong(self, held: HeldBody) -> None:
        held.send(self.content[:-1] + b"?")
        held.finish()
        self.flush()


class WithheldTests(WrongTestCase):
    """The file is small enough to be withheld until it is right."""

    def setUp(self) -> None:
        super().setUp()
        self.replace(SMALL)

    def test_a14_wrong_bytes_are_asked_for_once_more_past_every_cache(self) -> None:
        for wrong in (0, SMALL // 2, -1):
            self.index.script(self.path, FlipByte(wrong))
            self.check_next()
            self.assertEqual(self.caching(), [None, "no-cache"])
            self.forget()
            self.clock.advance(REFUSED)

    def test_a14_f04_bytes_that_are_wrong_twice_are_refused_for_a_while(self) -> None:
        """One transfer for a crowd, two questions, and then none for half a minute."""
        self.index.script(self.path, FlipByte(-1), times=2)
        self.fail_all([self.download() for _ in range(10)], UpstreamBroken)
        for _ in range(5):
            refused = self.failureResultOf(self.download(), UpstreamBroken).value
            self.assertEqual((refused.detail, refused.retry_after), ("digest", REFUSED))
        self.assertEqual(self.caching(), [None, "no-cache"])
        self.clock.advance(REFUSED)
        self.check_next()

    def test_refused_file_is_not_looked_into_either(self) -> None:
        self.replace(15 * 2**20)
        self.index.script(self.path, FlipByte(-1), times=2)
        self.fail_all([self.download(), self.download()], UpstreamBroken)
        body = self.open()
        body.narrow(ByteRange(0, 100))
        self.failureResultOf(start(body.read(0)), UpstreamBroken)
        body.close()
        self.assertEqual(len(self.caching()), 2)

    def test_a16_a18_a21_other_lengths(self) -> None:
        content = self.content
        for fault in (
            SetHeaders({"Content-Length": str(len(content) - 1)}),
            SetHeaders({"Content-Length": str(len(content) + 1)}),
            Status(200, {}, content + b"x"),
            Status(200, {}, b""),
            Status(200, {}, content[:-1]) | Chunked(),
            Status(200, {}, content + b"x") | Chunked(),
            Status(200, {}, content[:-1]) | NoLength(),
            Status(200, {}, content + b"x") | NoLength(),
            Status(200, {}, b"") | Chunked(),
        ):
            with self.subTest(fault=fault):
                self.index.script(self.path, fault, times=2)
                self.fail_all([self.download()], UpstreamUnavailable)
                self.index.heal()
                self.clock.advance(REFUSED)
        self.check_next()

    def test_a18_body_that_ends_with_the_connection_is_whole_if_its_digest_says_so(self) -> None:
        self.index.script(self.path, NoLength())
        self.check_next()
        self.assertEqual((self.row(), len(self.caching())), (self.demo.sha256, 1))

    def test_a29_content_coding_is_not_undone(self) -> None:
        """What counts is the digest of the bytes that came."""
        self.index.script(self.path, SetHeaders({"Content-Encoding": "gzip"}))
        self.check_next()
        self.assertEqual((self.row(), len(self.caching())), (self.demo.sha256, 1))

    def test_a29_file_that_was_compressed_on_the_way_is_refused(self) -> None:
        for framing in (Fault(), Chunked()):
            packed = Status(200, {"Content-Encoding": "gzip"}, gzip.compress(self.content)) | framing
            self.index.script(self.path, packed, times=2)
            self.fail_all([self.download()], UpstreamUnavailable)
            self.index.heal()
            self.clock.advance(REFUSED)

    def test_page_that_lies_about_the_size(self) -> None:
        for size, framing in ((10, Fault()), (10, Chunked()), (10**6, Fault()), (10**6, Chunked())):
            lying = self.index.add(wheel("demo", "2.0"), size=size)
            self.index.script(self.index.file_path(lying), framing, times=None)
            opening = start(self.main.open_file(DEMO, lying.filename, lying.sha256[:16]))
            self.failureResultOf(self.read_all(self.successResultOf(opening)), UpstreamUnavailable)
            self.assertEqual(self.kept_blobs(), set())
            self.clock.advance(3600)


class ReleasedTests(WrongTestCase):
    """Clients have the first bytes when the last turn out wrong."""

    def fail_readers(self) -> list[Deferred[bytes]]:
        held = self.index.hold_body(self.path)
        readers = [self.download() for _ in range(5)]
        self.flush()
        self.send_wrong(held)
        return readers

    def test_a14_f04_nobody_completes_the_file_and_the_second_time_is_the_last(self) -> None:
        """Where it cannot begin anew, the next client's transfer is the one that asks past every cache."""
        for caching in ([None], [None, "no-cache"]):
            self.fail_all(self.fail_readers(), DigestMismatch)
            self.assertEqual(self.caching(), caching)
        self.failureResultOf(self.download(), UpstreamBroken)
        self.assertEqual(len(self.caching()), 2)
        self.clock.advance(REFUSED)
        self.check_next()

    def test_a14_end_of_a_wrong_file_reaches_nobody(self) -> None:
        held = self.index.hold_body(self.path)
        body = self.open()
        first = start(body.read(0, BIG * 2))
        self.flush()
        self.send_wrong(held)
        got = len(self.successResultOf(first))
        self.assertEqual(got, len(self.content) - HOLD_BACK)
        self.failureResultOf(start(body.read(got)), DigestMismatch)
        body.close()

    def test_a16_more_than_the_page_says_is_not_even_read(self) -> None:
        held = HeldBody()
        self.index.script(self.path, Chunked() | held)
        reader = self.download()
        self.flush()
        held.send(self.content)
        held.send(b"?")
        self.flush()
        self.fail_all([reader], DigestMismatch)
        self.assertEqual(self.connections, 0)


class EmptyTests(WrongTestCase):
    def test_a21_empty_file_is_right_if_it_should_be_empty(self) -> None:
        """And one that should not be is not."""
        self.demo = self.index.add(replace(wheel("demo"), content=b"", metadata=None))
        self.content, self.path = b"", self.index.file_path(self.demo)
        for framing in (Fault(), Chunked(), NoLength()):
            self.forget()
            self.index.script(self.path, framing)
            self.check_next()
            self.assertEqual((self.row(), len(self.caching())), (self.demo.sha256, 1))
