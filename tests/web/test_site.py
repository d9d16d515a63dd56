"""Stopping: who is idle goes at once, who is served is served, and nobody holds up the end."""

from twisted.internet.defer import Deferred

from tests.kit.dists import wheel
from tests.web.forms import fields_of, multipart
from tests.web.world import ALICE, HEADER_TIMEOUT, WebTestCase, request_bytes

HEALTH = request_bytes("GET", "/-/health")
DRAIN = 15.0


class DrainTests(WebTestCase):
    def drain(self) -> Deferred[None]:
        return self.site.drain(DRAIN)

    def test_without_connections_it_is_over_at_once(self) -> None:
        self.successResultOf(self.drain())

    def test_idle_connections_are_closed_at_once(self) -> None:
        fresh, used = self.connect(), self.connect()
        used.send(HEALTH)
        drained = self.drain()
        self.assertTrue(fresh.closed and used.closed)
        self.assertFalse(fresh.aborted or used.aborted)
        self.successResultOf(drained)

    def test_answer_that_is_awaited_is_given_and_says_that_it_is_the_last(self) -> None:
        demo = self.index.add(wheel("demo"))
        held = self.index.hold_body(self.index.file_path(demo))
        peer = self.connect()
        peer.send(request_bytes("GET", f"/files/demo/{demo.sha256[:16]}/{demo.filename}") + HEALTH)
        drained = self.drain()
        self.assertFalse(peer.closed)
        held.send(demo.content)
        held.finish()
        self.flush()
        answer = peer.answer()
        self.assertEqual((answer.body, answer.headers["Connection"]), (demo.content, "close"))
        self.assertEqual(peer.rest, b"", "the request behind it is not begun")
        self.assertTrue(peer.closed)
        self.successResultOf(drained)

    def test_answer_that_has_begun_is_sent_to_its_end(self) -> None:
        demo = self.index.add(wheel("demo", size=2**20))
        held = self.index.hold_body(self.index.file_path(demo))
        peer = self.connect()
        peer.ask("GET", f"/files/demo/{demo.sha256[:16]}/{demo.filename}")
        held.send(demo.content[: 2**19])
        self.flush()
        self.assertIn(b"\r\n\r\nPK", peer.received)
        drained = self.drain()
        self.assertNoResult(drained)
        held.send(demo.content[2**19 :])
        held.finish()
        self.flush()
        self.assertEqual(peer.answer().body, demo.content)
        self.assertTrue(peer.closed)
        self.successResultOf(drained)

    def test_upload_under_way_is_received_to_its_end(self) -> None:
        demo = wheel("demo")
        content_type, body = multipart(fields_of(demo), demo)
        peer = self.connect()
        upload = request_bytes("POST", "/", {**ALICE, "Content-Type": content_type}, body)
        peer.send(upload[:-100])
        drained = self.drain()
        peer.send(upload[-100:])
        answer = peer.answer()
        self.assertEqual((answer.status, answer.headers["Connection"]), (200, "close"))
        self.assertTrue(peer.closed)
        self.successResultOf(drained)
        self.assertIn(demo.sha256, self.kept_blobs())

    def test_request_that_is_half_sent_may_be_finished(self) -> None:
        quick, slow = self.connect(), self.connect()
        for peer in (quick, slow):
            peer.send(HEALTH[:30])
        drained = self.drain()
        quick.send(HEALTH[30:])
        self.assertEqual(quick.answer().headers["Connection"], "close")
        self.assertTrue(quick.closed)
        self.clock.advance(HEADER_TIMEOUT)
        self.assertTrue(slow.aborted)
        self.successResultOf(drained)

    def test_after_its_time_everything_is_cut_off(self) -> None:
        demo = self.index.add(wheel("demo", size=2**20))
        held = self.index.hold_body(self.index.file_path(demo))
        reader, sender = self.connect(), self.connect()
        reader.ask("GET", f"/files/demo/{demo.sha256[:16]}/{demo.filename}")
        sender.ask("POST", "/", {**ALICE, "Content-Type": multipart([], None)[0], "Content-Length": "1000"})
        drained = self.drain()
        self.clock.advance(DRAIN - 1)
        self.assertFalse(reader.aborted or sender.aborted)
        self.assertNoResult(drained)
        self.clock.advance(1)
        self.assertTrue(reader.aborted and sender.aborted)
        self.successResultOf(drained)
        held.abort()
        self.flush()
