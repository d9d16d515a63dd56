"""Parts of a file that is not here yet: from the transfer where that is soon, else for one client alone (F14)."""

from twisted.internet.defer import Deferred

from pypid.domain.errors import RangesRefused, UpstreamUnavailable
from pypid.domain.ranges import ByteRange
from pypid.indexes.index import FileBody
from pypid.indexes.transfer import NEAR
from tests.indexes.test_downloads import DownloadTestCase
from tests.kit.upstream import Chunked, HeldBody, Rst, Stall, Status
from tests.upstream.network import ASKING, start

MIB = 2**20
LARGE = 15 * MIB
"""Less than the limit of the test's client, more than twice `NEAR`."""
TAIL = 16 * 1024
"""What uv looks at."""


class ExcerptTestCase(DownloadTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.replace(LARGE)

    def replace(self, size: int) -> None:
        super().replace(size)
        self.size = len(self.content)
        self.tail = ByteRange(self.size - TAIL, self.size)

    def narrowed(self, part: ByteRange) -> FileBody:
        body = self.open()
        body.narrow(part)
        return body

    def read(self, part: ByteRange) -> Deferred[bytes]:
        return start(_read(self.narrowed(part), part))

    def has(self, reading: Deferred[bytes], part: ByteRange) -> None:
        self.flush()
        self.assertEqual(self.successResultOf(reading), self.content[part.start : part.stop])

    def ranges(self) -> list[str | None]:
        """Return what each GET of the file asked for; None is all of it."""
        return [seen.headers.get("range") for seen in self.index.requests if seen.path == self.path]

    def transfer(self, arrived: int) -> HeldBody:
        """Begin a transfer, of which so many bytes have come."""
        held = self.index.hold_body(self.path)
        body = self.open()
        reading = start(body.read(0))
        self.flush()
        held.send(self.content[:arrived])
        self.flush()
        self.successResultOf(reading)
        body.close()
        return held

    def finish(self, held: HeldBody, arrived: int) -> None:
        held.send(self.content[arrived:])
        held.finish()
        self.flush()
        self.assertEqual(self.kept_blobs(), {self.demo.sha256})


async def _read(body: FileBody, part: ByteRange) -> bytes:
    got = b""
    try:
        while part.start + len(got) < part.stop and (piece := await body.read(part.start + len(got))):
            got += piece
    finally:
        body.close()
    return got[: part.stop - part.start]


class ColdTests(ExcerptTestCase):
    """Nobody fetches the file."""

    def test_look_into_a_large_file_fetches_that_part_and_keeps_nothing(self) -> None:
        self.has(self.read(self.tail), self.tail)
        self.assertEqual(self.ranges(), [f"bytes={self.tail.start}-{self.tail.stop - 1}"])
        self.assertEqual((len(self.downloads), self.kept_blobs(), self.row()), (0, set(), None))

    def test_excerpt_is_not_verified(self) -> None:
        body = self.narrowed(self.tail)
        self.successResultOf(start(body.read(self.tail.start)))
        self.assertFalse(body.verified)
        body.close()

    def test_look_into_a_small_file_fetches_and_keeps_it_for_the_next(self) -> None:
        self.replace(NEAR - 10_000)
        for part in (self.tail, ByteRange(5, 10)):
            self.has(self.read(part), part)
        self.assertEqual((self.ranges(), self.kept_blobs()), ([None], {self.demo.sha256}))

    def test_part_that_is_no_look_fetches_the_file(self) -> None:
        part = ByteRange(1, 2 + NEAR)
        self.has(self.read(part), part)
        self.assertEqual((self.ranges(), self.kept_blobs()), ([None], {self.demo.sha256}))

    def test_who_does_not_say_that_it_only_looks_gets_verified_bytes(self) -> None:
        body = self.open()
        self.assertEqual(self.successResultOf(start(body.read(self.tail.start))), self.content[self.tail.start :])
        self.assertTrue(body.verified)
        body.close()

    def test_file_that_came_meanwhile_is_read_from_the_store(self) -> None:
        body = self.narrowed(self.tail)
        self.successResultOf(self.download())
        self.has(start(_read(body, self.tail)), self.tail)
        self.assertEqual(self.ranges(), [None])


class ArrivingTests(ExcerptTestCase):
    """Somebody fetches the file."""

    def test_part_that_is_there_is_had_at_once(self) -> None:
        held = self.transfer(MIB)
        part = ByteRange(10, MIB)
        self.has(self.read(part), part)
        self.finish(held, MIB)
        self.assertEqual(self.ranges(), [None])

    def test_part_that_is_near_is_waited_for(self) -> None:
        held = self.transfer(MIB)
        part = ByteRange(MIB + NEAR - 10, MIB + NEAR + 10)
        reading = self.read(part)
        self.assertNoResult(reading)
        self.finish(held, MIB)
        self.has(reading, part)
        self.assertEqual(self.ranges(), [None])

    def test_part_that_is_far_is_asked_for_beside_the_transfer(self) -> None:
        held = self.transfer(MIB)
        part = ByteRange(MIB + NEAR, MIB + NEAR + 10)
        self.has(self.read(part), part)
        self.assertEqual((self.ranges()[1:], len(self.downloads)), ([f"bytes={part.start}-{part.stop - 1}"], 1))
        self.finish(held, MIB)

    def test_part_that_is_soon_there_is_waited_for_as_long_as_bytes_come_so_fast(self) -> None:
        held = self.index.hold_body(self.path)
        reader = self.download()
        self.flush()
        self.clock.advance(1)
        held.send(self.content[: 4 * MIB])
        self.flush()
        waiting = self.read(self.tail)
        self.assertNoResult(waiting)
        self.clock.advance(ASKING.idle_timeout - 1)
        self.has(self.read(self.tail), self.tail)
        self.assertEqual(len(self.ranges()), 2)
        self.finish(held, 4 * MIB)
        self.has(waiting, self.tail)
        self.successResultOf(reader)


class TroubleTests(ExcerptTestCase):
    def test_upstream_that_sends_no_parts_is_asked_once_and_then_for_the_file(self) -> None:
        self.index.script(self.path, Status(200, {}, self.content))
        held = self.index.hold_body(self.path)
        readers = [self.read(self.tail)]
        self.flush()
        readers += [self.read(self.tail) for _ in range(3)]
        self.finish(held, 0)
        for reader in readers:
            self.has(reader, self.tail)
        self.assertEqual(self.ranges(), [f"bytes={self.tail.start}-{self.tail.stop - 1}", None])

    def test_upstream_that_is_away(self) -> None:
        for fault in (Status(503, {"Retry-After": "30"}), Rst(), Rst(at=0)):
            self.index.script(self.path, fault)
            self.failureResultOf(self.read(self.tail), UpstreamUnavailable)
        self.assertEqual(len(self.ranges()), 3)

    def test_part_that_ends_too_soon_is_not_completed_from_elsewhere(self) -> None:
        said = {"Content-Range": f"bytes {self.tail.start}-{self.tail.stop - 1}/{self.size}"}
        self.index.script(self.path, Status(206, said, self.content[-TAIL:-1]) | Chunked())
        self.failureResultOf(self.read(self.tail), RangesRefused)
        self.assertEqual(len(self.ranges()), 1)

    def test_client_that_leaves_ends_its_excerpt(self) -> None:
        self.index.script(self.path, Stall(at=100))
        reading = self.read(self.tail)
        self.assertEqual(self.connections, 1)
        reading.cancel()
        self.flush()
        self.failureResultOf(reading)
        self.assertEqual(self.connections, 0)
