"""Sending a file to clients that read slowly, or no more, or leave; and ends that must not look whole."""

from pypid.storage.blobs import CHUNK
from pypid.web.flow import PIECE
from tests.kit.dists import wheel
from tests.kit.upstream import FlipByte, Status
from tests.web.world import IDLE_TIMEOUT, STALL_TIMEOUT, Peer, WebTestCase

BIG = 3 * 2**20


class FlowTests(WebTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.demo = self.index.add(wheel("demo", size=BIG))
        self.path = self.index.file_path(self.demo)
        self.target = f"/files/demo/{self.demo.sha256[:16]}/{self.demo.filename}"

    def keep(self) -> None:
        self.assertEqual(self.get(self.target).body, self.demo.content)

    def stalled(self) -> Peer:
        """Return a client that reads nothing from the first byte on."""
        peer = self.connect()
        held = self.index.hold_body(self.path)
        peer.ask("GET", self.target)
        self.flush()
        held.send(self.demo.content[: 2**19])
        self.flush()
        peer.stop_reading()
        held.send(self.demo.content[2**19 :])
        held.finish()
        self.flush()
        return peer

    def test_client_that_reads_nothing_is_sent_nothing_more(self) -> None:
        """And costs no more memory than one piece, however long the file is."""
        peer = self.stalled()
        self.assertLess(len(peer.received), 2**19 + 2 * CHUNK)
        peer.read_on()
        self.assertEqual(peer.answer().body, self.demo.content)

    def test_client_that_reads_nothing_is_cut_off(self) -> None:
        peer = self.stalled()
        self.clock.advance(STALL_TIMEOUT - 1)
        self.assertFalse(peer.aborted)
        self.clock.advance(1)
        self.assertTrue(peer.aborted)

    def test_client_that_reads_a_little_now_and_then_gets_all(self) -> None:
        peer = self.stalled()
        for _ in range(4):
            self.clock.advance(STALL_TIMEOUT - 1)
            peer.read_on()
            peer.stop_reading()
        peer.read_on()
        self.assertEqual(peer.answer().body, self.demo.content)

    def test_long_page_is_sent_as_slowly_as_its_client_reads(self) -> None:
        """It may take longer than an idle connection lives, as long as something of it is read now and then."""
        for number in range(1500):
            self.index.add(wheel("many", f"1.{number}"))
        peer = self.connect()
        peer.read_slowly()
        peer.ask("GET", "/simple/many/")
        self.flush()
        seconds = 0.0
        while not peer.received.endswith(b"</html>\n"):
            before = len(peer.received)
            self.assertFalse(peer.closed)
            self.clock.advance(STALL_TIMEOUT - 1)
            seconds += STALL_TIMEOUT - 1
            peer.read_on()
            self.assertLessEqual(len(peer.received) - before, PIECE)
        self.assertGreater(seconds, IDLE_TIMEOUT + 15)
        self.assertEqual(peer.answer().body.count(b"<a "), 1500)

    def test_client_that_leaves_lets_everything_go(self) -> None:
        """B01: open files and timers are looked for when the test is over."""
        peer = self.stalled()
        peer.leave()
        self.keep()
        peer = self.connect()
        peer.ask("GET", self.target)
        peer.leave()

    def test_transfer_that_breaks_off_once_is_a_pause(self) -> None:
        held = self.index.hold_body(self.path)
        peer = self.connect()
        peer.ask("GET", self.target)
        held.send(self.demo.content[: BIG // 2])
        self.flush()
        held.abort()
        self.flush()
        self.assertEqual(peer.answer().body, self.demo.content)

    def test_transfer_that_breaks_off_is_never_a_whole_answer(self) -> None:
        """The length was said; the connection is reset before it is reached."""
        held = self.index.hold_body(self.path)
        self.index.script(self.path, Status(503))
        peer = self.connect()
        peer.ask("GET", self.target)
        held.send(self.demo.content[: BIG // 2])
        self.flush()
        self.assertIn(b"\r\n\r\nPK", peer.received)
        held.abort()
        self.flush()
        self.assertTrue(peer.aborted)
        self.assertLess(len(peer.received), BIG)
        self.assertEqual(peer.received.count(b"HTTP/1.1"), 1)

    def test_bytes_that_are_wrong_are_never_a_whole_answer(self) -> None:
        held = self.index.hold_body(self.path)
        peer = self.connect()
        peer.ask("GET", self.target)
        self.flush()
        held.send(self.demo.content[:-1] + b"?")
        held.finish()
        self.flush()
        self.assertTrue(peer.aborted)
        self.assertLess(len(peer.received), BIG)

    def test_failure_before_the_first_byte_is_a_clean_answer(self) -> None:
        small = self.index.add(wheel("small"))
        self.index.script(self.index.file_path(small), FlipByte(9), times=2)
        peer = self.connect()
        peer.ask("GET", f"/files/small/{small.sha256[:16]}/{small.filename}")
        self.flush()
        answer = peer.answer()
        self.assertEqual(answer.status, 502)
        self.assertNotIn("ETag", answer.headers)
        self.assertNotIn("immutable", answer.headers["Cache-Control"])
        self.assertFalse(peer.closed)
