"""Requests that follow each other on one connection."""

from tests.kit.dists import wheel
from tests.web.forms import chunked, fields_of, multipart
from tests.web.test_channel import CANARY, HEALTH
from tests.web.world import ALICE, HEADER_TIMEOUT, IDLE_TIMEOUT, WebTestCase, request_bytes


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

    def test_other_methods_of_a_file_are_refused_and_their_body_is_not_the_next_request(self) -> None:
        """B34."""
        for method in ("PUT", "DELETE", "PATCH"):
            for body in (b"", HEALTH, HEALTH * 4000):
                peer = self.connect()
                peer.ask(method, f"/files/demo/{'a' * 16}/demo-1.0-py3-none-any.whl", {}, body + CANARY * bool(body))
                self.assertEqual(peer.answer().status, 405)
                self.assertEqual(peer.rest.count(b"HTTP/1.1"), 0)

    def test_get_with_a_body_is_answered_and_the_body_is_not_the_next_request(self) -> None:
        for framing, body in (({}, HEALTH), ({"Transfer-Encoding": "chunked"}, chunked(HEALTH))):
            peer = self.connect()
            peer.ask("GET", "/simple/absent/", framing, body + CANARY)
            self.flush()
            self.assertEqual(peer.answer().status, 404)
            self.assertEqual(peer.rest.count(b"HTTP/1.1"), 0)

    def test_a_thousand_at_once(self) -> None:
        """B19: each answer is its request's, and each request is judged by its own credentials."""
        secret = {**ALICE, "Accept": "application/json"}
        asked = [("/-/health", {}), ("/simple/absent/", {}), ("/-/api/v1/audit", secret), ("/-/api/v1/audit", {})]
        peer = self.connect()
        peer.send(b"".join(request_bytes("GET", *asked[number % 4]) for number in range(1000)))
        self.flush()
        expected = [self.get(*each).status for each in asked]
        self.assertEqual(expected, [200, 404, 200, 401])
        self.assertEqual([peer.answer().status for _ in range(1000)], expected * 250)

    def test_client_that_waits_for_an_answer_may_not_send_without_end(self) -> None:
        """B19: what it sends behind that request is not kept beyond 16 KiB or so."""
        demo = self.index.add(wheel("demo"))
        held = self.index.hold_body(self.index.file_path(demo))
        peer = self.connect()
        peer.send(request_bytes("GET", f"/files/demo/{demo.sha256[:16]}/{demo.filename}"))
        peer.send(HEALTH * (2**14 // len(HEALTH)))
        self.assertFalse(peer.paused)
        peer.send(HEALTH)
        peer.send(HEALTH)
        self.assertTrue(peer.paused)
        held.send(demo.content)
        held.finish()
        self.flush()
        self.assertEqual(peer.answer().body, demo.content)
        for _ in range(2**14 // len(HEALTH) + 2):
            self.assertEqual(peer.answer().body, b"ok\n")

    def test_next_request_waits_until_the_answer_is_read(self) -> None:
        """Hundreds of answers to requests that fit into one packet are not kept for a client that reads none."""
        peer = self.connect()
        peer.read_slowly()
        peer.send(HEALTH * 300 + HEALTH[:9])
        for number in range(1, 301):
            self.assertEqual(peer.received.count(b"HTTP/1.1 200 "), number)
            self.clock.advance(HEADER_TIMEOUT + 1)
            self.assertFalse(peer.aborted, "the client has sent what it was to send")
            peer.read_on()
        self.clock.advance(HEADER_TIMEOUT)
        self.assertTrue(peer.aborted, "but for the end of its last request")

    def test_request_that_waits_for_the_answer_to_be_read_is_not_late(self) -> None:
        held = self.index.hold_body("/simple/absent/")
        peer = self.connect()
        peer.read_slowly()
        peer.send(CANARY.replace(b"canary", b"absent") + HEALTH)
        self.flush()
        held.finish()
        self.flush()
        self.assertEqual(peer.received.count(b"HTTP/1.1 "), 1)
        self.clock.advance(HEADER_TIMEOUT + 1)
        self.assertFalse(peer.aborted)
        peer.read_on()
        self.assertEqual(peer.received.count(b"HTTP/1.1 "), 2)

    def test_client_that_reads_no_answers_is_cut_off(self) -> None:
        peer = self.connect()
        peer.read_slowly()
        peer.send(HEALTH * 3)
        self.clock.advance(IDLE_TIMEOUT)
        self.assertTrue(peer.closed)

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
