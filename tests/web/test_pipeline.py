"""Requests that follow each other on one connection."""

from tests.kit.dists import wheel
from tests.web.forms import chunked, fields_of, multipart
from tests.web.test_channel import CANARY, HEALTH
from tests.web.world import ALICE, WebTestCase, request_bytes


class PipelineTests(WebTestCase):
    def test_answers_come_in_the_order_of_the_requests(self) -> None:
        peer = self.connect()
        peer.send(HEALTH + CANARY + HEALTH)
        self.assertEqual([peer.answer().status for _ in range(3)], [200, 404, 200])

    def test_second_is_not_begun_before_the_first_is_answered(self) -> None:
        demo = self.index.add(wheel("demo"))
        held = self.index.hold_body(self.index.file_path(demo))
        peer = self.connect()
        peer.send(request_bytes("GET", f"/files/demo/{demo.sha256[:16]}/{demo.filename}") + HEALTH)
        self.flush()
        self.assertEqual(peer.received, b"", "upstream has not answered yet")
        held.send(demo.content)
        held.finish()
        self.flush()
        self.assertEqual([peer.answer().body[:2] for _ in range(2)], [b"PK", b"ok"])

    def test_get_after_a_whole_upload(self) -> None:
        demo = wheel("demo")
        content_type, body = multipart(fields_of(demo), demo)
        head = {**ALICE, "Content-Type": content_type}
        upload = request_bytes("POST", "/", head, body)
        page = request_bytes("GET", "/simple/demo/")
        for cut in (len(upload), len(upload) - 1, len(upload) + 1, 10):
            peer = self.connect()
            both = upload + page
            peer.send(both[:cut])
            peer.send(both[cut:])
            self.assertEqual([peer.answer().status for _ in range(2)], [200, 200])
            self.assertFalse(peer.closed)
        peer = self.connect()
        peer.send(request_bytes("POST", "/", {**head, "Transfer-Encoding": "chunked"}, chunked(body[:99], body[99:])))
        peer.send(page)
        self.assertEqual([peer.answer().status for _ in range(2)], [200, 200])

    def test_get_with_a_body_is_answered_and_the_body_is_not_the_next_request(self) -> None:
        for framing, body in (({}, HEALTH), ({"Transfer-Encoding": "chunked"}, chunked(HEALTH))):
            peer = self.connect()
            peer.ask("GET", "/simple/absent/", framing, body + CANARY)
            self.flush()
            self.assertEqual(peer.answer().status, 404)
            self.assertEqual(peer.rest.count(b"HTTP/1.1"), 0)

    def test_client_that_leaves_takes_everything_along(self) -> None:
        """No file, no timer and no connection stays, at whatever byte it leaves (`StoresTestCase` looks)."""
        demo = wheel("demo")
        content_type, body = multipart(fields_of(demo), demo)
        upload = request_bytes("POST", "/", {**ALICE, "Content-Type": content_type}, body)
        for cut in range(0, len(upload), 37):
            peer = self.connect()
            peer.send(upload[:cut])
            peer.leave()
            self.assertEqual(self.staged(), [])
