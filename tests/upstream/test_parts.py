"""Parts of an upstream file, as `UpstreamClient` passes them on: exactly what was asked for, or an error."""

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionLost
from twisted.python.failure import Failure

from pypid.domain.errors import RangesRefused, UpstreamBroken, UpstreamUnavailable
from pypid.domain.ranges import ByteRange
from tests.kit.dists import wheel
from tests.kit.upstream import Chunked, NoLength, Rst, SetHeaders, Stall, Status, redirect
from tests.upstream.network import ASKING, ROOT, UpstreamTestCase, WireTestCase, start

PART = ByteRange(10, 20)


class Taken:
    """What was taken."""

    def __init__(self) -> None:
        self.got = b""

    async def __call__(self, data: bytes) -> None:
        self.got += data


class PartTests(UpstreamTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.demo = self.index.add(wheel("demo", size=100_000))
        self.path = self.index.file_path(self.demo)
        self.taken = Taken()

    def fetch(self, part: ByteRange = PART) -> Deferred[None]:
        self.taken = Taken()
        return start(self.client.part(ROOT + self.path, part, self.taken))

    def assert_refused(self) -> None:
        self.failureResultOf(self.fetch(), RangesRefused)
        self.assertEqual(self.taken.got, b"")

    def test_part_is_asked_for_uncompressed(self) -> None:
        self.successResultOf(self.fetch())
        self.assertEqual(self.taken.got, self.demo.content[10:20])
        headers = self.index.requests[0].headers
        self.assertEqual((headers["range"], headers["accept-encoding"]), ("bytes=10-19", "identity"))

    def test_first_byte_and_last_byte(self) -> None:
        size = len(self.demo.content)
        for part in (ByteRange(0, 1), ByteRange(size - 1, size), ByteRange(0, size)):
            self.successResultOf(self.fetch(part))
            self.assertEqual(self.taken.got, self.demo.content[part.start : part.stop])

    def test_part_is_taken_from_where_the_file_was_redirected_to(self) -> None:
        self.index.script("/packages/old", redirect(self.path))
        self.path = "/packages/old"
        self.successResultOf(self.fetch())
        self.assertEqual(self.taken.got, self.demo.content[10:20])

    def test_length_is_unknown_where_upstream_does_not_say(self) -> None:
        for fault in (Chunked(), NoLength()):
            self.index.script(self.path, fault)
            self.successResultOf(self.fetch())
            self.assertEqual(self.taken.got, self.demo.content[10:20])

    def test_whole_file_is_no_part(self) -> None:
        self.index.script(self.path, SetHeaders({"Content-Range": "bytes 10-19/100"}) | Status(200, {}, bytes(10)))
        self.assert_refused()

    def test_part_beyond_the_end(self) -> None:
        size = len(self.demo.content)
        for part in (ByteRange(size, size + 1), ByteRange(size - 1, size + 1)):
            self.failureResultOf(self.fetch(part), RangesRefused)
            self.assertEqual(self.taken.got, b"")

    def test_other_part_than_was_asked_for(self) -> None:
        for said in (None, "bytes 11-20/100", "bytes 10-19/19", "bytes 10-19/100, bytes 10-19/100"):
            self.index.script(self.path, SetHeaders({"Content-Range": said}))
            self.assert_refused()

    def test_several_parts(self) -> None:
        several = {"Content-Type": "multipart/byteranges; boundary=x"}
        self.index.script(self.path, Status(206, several, b"--x\r\nContent-Range: bytes 10-19/100\r\n\r\n"))
        self.assert_refused()

    def test_part_of_a_coding_of_the_file(self) -> None:
        self.index.script(self.path, SetHeaders({"Content-Encoding": "gzip"}))
        self.assert_refused()
        self.index.script(self.path, SetHeaders({"Content-Encoding": "identity"}))
        self.successResultOf(self.fetch())

    def test_more_or_fewer_bytes_than_were_asked_for(self) -> None:
        said = {"Content-Range": "bytes 10-19/100"}
        for body in (bytes(9), bytes(11)):
            self.index.script(self.path, Status(206, said, body), Status(206, said, body) | Chunked())
            self.assert_refused()
            self.failureResultOf(self.fetch(), RangesRefused)
            self.assertLessEqual(len(self.taken.got), 10)

    def test_other_statuses(self) -> None:
        for status in (204, 304, 401, 403, 404, 410, 451):
            self.index.script(self.path, Status(status, body=b""))
            why = self.failureResultOf(self.fetch(), UpstreamBroken)
            self.assertIsNone(why.check(RangesRefused), status)
        self.index.script(self.path, Status(503, {"Retry-After": "30"}))
        self.assertEqual(self.failureResultOf(self.fetch(), UpstreamUnavailable).value.retry_after, 30)

    def test_network_trouble_is_no_refusal(self) -> None:
        self.index.script(self.path, Rst(at=0), Rst(at=1), Rst(at=9))
        for _ in range(3):
            self.assertIsNone(self.failureResultOf(self.fetch(), UpstreamUnavailable).check(UpstreamBroken))

    def test_every_wait_has_an_end(self) -> None:
        for stall, seconds in ((Stall(), ASKING.header_timeout), (Stall(at=1), ASKING.idle_timeout)):
            self.index.script(self.path, stall)
            fetched = self.fetch()
            self.flush()
            self.clock.advance(seconds - 1)
            self.assertNoResult(fetched)
            self.clock.advance(1)
            self.assertIn(f"{seconds:g} s", str(self.failureResultOf(fetched, UpstreamUnavailable).value))

    def test_cancelling_closes_the_connection(self) -> None:
        self.index.hold_body(self.path)
        fetched = self.fetch()
        self.assertEqual(self.connections, 1)
        fetched.cancel()
        self.failureResultOf(fetched, CancelledError)
        self.assertEqual(self.connections, 0)


class PartOnTheWireTests(WireTestCase):
    HEAD = b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 10-19/100\r\n"

    def test_two_statements_of_the_part(self) -> None:
        part = start(self.client.part(f"{ROOT}/demo.whl", PART, Taken()))
        self.wire.send(self.HEAD + b"Content-Range: bytes 20-29/100\r\nContent-Length: 10\r\n\r\n" + bytes(10))
        self.failureResultOf(part, RangesRefused)

    def test_connection_lost_before_the_end_of_a_body_without_length(self) -> None:
        taken = Taken()
        part = start(self.client.part(f"{ROOT}/demo.whl", PART, taken))
        self.wire.send(self.HEAD + b"Connection: close\r\n\r\n" + bytes(9))
        self.wire.close(Failure(ConnectionLost()))
        self.failureResultOf(part, UpstreamUnavailable)
        self.assertEqual(taken.got, bytes(9))
