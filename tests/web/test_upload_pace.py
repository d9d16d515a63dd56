"""B07: uploads that come too slowly are told so, and leave nothing."""

from __future__ import annotations

from pypid.domain.pace import GRACE, LEAST_RATE, SILENCE
from tests.kit.dists import wheel
from tests.web.forms import fields_of, multipart
from tests.web.test_body import BodyTestCase
from tests.web.world import Peer


class PaceTests(BodyTestCase):
    def setUp(self) -> None:
        super().setUp()
        big = wheel("demo", size=2**19)
        self.content_type, self.body = multipart(fields_of(big), big)
        self.head |= {"Content-Type": self.content_type, "Content-Length": str(len(self.body))}

    def too_slow(self, peer: Peer) -> None:
        answer = peer.answer()
        self.assertEqual((answer.status, answer.headers["Connection"]), (408, "close"))
        self.assertIn("The body comes too slowly", answer.reason)
        self.assertEqual((self.staged(), self.kept_blobs()), ([], set()))

    def test_nothing_at_all(self) -> None:
        for body in (b"", self.body[:300]):
            peer = self.begin(body=body)
            self.clock.advance(GRACE - 1)
            self.assertEqual(peer.received, b"")
            self.clock.advance(2)
            self.too_slow(peer)

    def test_drip(self) -> None:
        """A byte a second."""
        peer = self.begin()
        for at in range(int(GRACE) + 1):
            self.assertEqual(peer.received, b"", at)
            peer.send(self.body[at : at + 1])
            self.clock.advance(1)
        self.too_slow(peer)

    def test_silence_after_much(self) -> None:
        """What came fast at first has earned no more than so much."""
        peer = self.begin(body=self.body[: 2**19])
        self.clock.advance(SILENCE - 1)
        peer.send(self.body[2**19 : 2**19 + 1])
        self.clock.advance(SILENCE - 1)
        self.assertEqual(peer.received, b"")
        self.clock.advance(1)
        self.too_slow(peer)

    def test_least_rate_is_enough(self) -> None:
        peer = self.begin()
        for at in range(0, len(self.body), LEAST_RATE):
            self.clock.advance(1)
            self.assertEqual(peer.received, b"", at)
            peer.send(self.body[at : at + LEAST_RATE])
        self.assertEqual(peer.answer().status, 200)

    def test_our_own_slowness_is_not_the_clients(self) -> None:
        """A disk that hangs for minutes, while the client is held up."""
        peer = self.begin(body=self.body[:1000])
        self.disk.held = "_write"
        at = 1000
        while not peer.paused:
            peer.send(self.body[at : at + 2**14])
            at += 2**14
        self.clock.advance(300)
        self.assertEqual(peer.received, b"")
        self.disk.release()
        peer.send(self.body[at:])
        self.assertEqual(peer.answer().status, 200)

    def test_chunked_body(self) -> None:
        peer = self.begin(changes={"Content-Length": None, "Transfer-Encoding": "chunked"})
        for _ in range(int(GRACE) + 1):
            peer.send(b"1\r\nx\r\n")
            self.clock.advance(1)
        self.too_slow(peer)

    def test_body_that_nobody_reads(self) -> None:
        """What is asked with a body that never comes is answered at once, and then gone."""
        peer = self.connect()
        peer.ask("GET", "/-/health", {"Content-Length": "1000"})
        self.assertEqual(peer.answer().status, 200)
        self.clock.advance(SILENCE)
        self.assertTrue(peer.closed)
