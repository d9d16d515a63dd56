"""What excerpts may take: memory for a slow client, and connections for many."""

from twisted.internet.defer import DeferredSemaphore

from pypid.domain.ranges import ByteRange
from pypid.indexes.downloads import MAX_EXCERPTS
from pypid.indexes.excerpts import ROOM, Excerpt
from pypid.indexes.source import Source
from tests.indexes.test_excerpts import LARGE, MIB, ExcerptTestCase
from tests.kit.upstream import Stall
from tests.upstream.network import ROOT, WireTestCase, start


class PaceTests(WireTestCase):
    """The bytes of an excerpt wait upstream, not in memory."""

    def setUp(self) -> None:
        super().setUp()
        self.places = DeferredSemaphore(1)
        self.addCleanup(lambda: self.assertEqual(self.places.tokens, 1, "places"))

    def begin(self, part: ByteRange) -> tuple[Excerpt, bytes]:
        """Return an excerpt, and the head of upstream's answer."""
        source = Source(url=f"{ROOT}/demo.whl", sha256="0" * 64, size=LARGE, fetcher=self.client)
        said = f"bytes {part.start}-{part.stop - 1}/{LARGE}\r\nContent-Length: {part.stop - part.start}"
        head = f"HTTP/1.1 206 Partial Content\r\nContent-Range: {said}\r\n\r\n"
        return Excerpt(source, part, self.places), head.encode()

    def test_client_that_reads_nothing_pauses_upstream(self) -> None:
        excerpt, head = self.begin(ByteRange(10, 10 + 4 * MIB))
        first = start(excerpt.read(1))
        self.wire.send(head)
        sent = 0
        while not self.wire.paused:
            self.wire.send(bytes(64 * 1024))
            sent += 64 * 1024
        self.assertLess(sent, 2 * MIB)
        got = len(self.successResultOf(first))
        while got < sent:
            got += len(self.successResultOf(start(excerpt.read())))
        self.assertFalse(self.wire.paused)
        excerpt.close()
        self.assertTrue(self.wire.aborted)

    def test_connection_of_a_part_that_came_whole_can_be_used_again(self) -> None:
        excerpt, head = self.begin(ByteRange(10, 20))
        reading = start(excerpt.read())
        self.wire.send(head + bytes(10)[:-1])
        self.assertEqual(len(self.successResultOf(reading)), 9)
        last = start(excerpt.read()).addCallback(lambda _: excerpt.close())
        self.wire.send(b"x")
        self.successResultOf(last)
        self.assertFalse(self.wire.aborted)

    def test_client_that_leaves_with_much_unread_leaves_its_place_to_others(self) -> None:
        excerpt, head = self.begin(ByteRange(10, 10 + 4 * ROOM))
        first = start(excerpt.read(1))
        self.wire.send(head + bytes(4 * ROOM))
        self.successResultOf(first)
        self.assertEqual(self.places.tokens, 0)
        excerpt.close()
        self.assertFalse(self.wire.aborted)


class ManyTests(ExcerptTestCase):
    def test_more_than_the_bound_wait_their_turn(self) -> None:
        held = [self.index.hold_body(self.path) for _ in range(MAX_EXCERPTS)]
        readers = [self.read(self.tail) for _ in range(MAX_EXCERPTS + 10)]
        self.assertEqual((self.connections, len(self.ranges())), (MAX_EXCERPTS, MAX_EXCERPTS))
        leaving = readers.pop()
        leaving.cancel()
        self.failureResultOf(leaving)
        for body in held:
            body.send(self.content[self.tail.start :])
            body.finish()
        self.flush()
        for reader in readers:
            self.has(reader, self.tail)
        self.assertEqual(len(self.ranges()), MAX_EXCERPTS + 9)

    def test_those_who_leave_make_room(self) -> None:
        self.index.script(self.path, *[Stall(at=1)] * MAX_EXCERPTS)
        readers = [self.read(self.tail) for _ in range(MAX_EXCERPTS)]
        last = self.read(self.tail)
        self.assertNoResult(last)
        for reader in readers:
            reader.cancel()
            self.failureResultOf(reader)
        self.has(last, self.tail)

    def test_client_that_reads_nothing_keeps_no_other_waiting(self) -> None:
        slow = [self.narrowed(self.tail) for _ in range(MAX_EXCERPTS)]
        for body in slow:
            self.successResultOf(start(body.read(self.tail.start, 1)))
        self.flush()
        self.has(self.read(self.tail), self.tail)
        for body in slow:
            body.close()
