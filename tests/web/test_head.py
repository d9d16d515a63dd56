"""Heads that are too large, and first lines of other protocols."""

from pypid.web.head import MAX_HEAD, MAX_HEADERS, MAX_REQUEST_LINE
from pypid.web.lingering import LINGER
from tests.web.test_channel import CANARY
from tests.web.world import HEADER_TIMEOUT, WebTestCase, request_bytes

START = b"GET /-/health HTTP/1.1\r\nHost: x\r\n"


class SizeTests(WebTestCase):
    def status(self, data: bytes) -> int:
        """Send ``data`` and a request behind it, in pieces as a socket gives them; return the only answer's status."""
        peer = self.connect()
        data += CANARY
        for start in range(0, len(data), 2**16):
            peer.send(data[start : start + 2**16])
        answer = peer.answer()
        self.assertEqual(peer.rest, b"", "what follows is not executed")
        self.assertEqual((answer.headers["Connection"], answer.body), ("close", b""))
        self.assertTrue(peer.half_closed, "for a client that is still sending")
        self.clock.advance(LINGER)
        self.assertTrue(peer.aborted)
        return answer.status

    def test_first_line_that_is_too_long(self) -> None:
        """B17: a URL of 8 KB is one that somebody has put something else into."""
        for length in (MAX_REQUEST_LINE, MAX_HEAD, 2**16, 2**20):
            self.assertEqual(self.status(b"GET /%b HTTP/1.1\r\nHost: x\r\n\r\n" % (b"x" * length)), 414)
            self.assertEqual(self.status(b"x" * (length + 3)), 414)

    def test_longest_first_line(self) -> None:
        peer = self.connect()
        peer.send(request_bytes("GET", "/-/health?".ljust(MAX_REQUEST_LINE - len("GET  HTTP/1.1"), "x")))
        self.assertEqual(peer.answer().status, 200)

    def test_headers_that_are_too_long(self) -> None:
        """B18: one line, or all of them together, ended or not."""
        for headers in (
            b"A: " + b"b" * 2**16,
            b"A: " + b"b" * MAX_HEAD + b"\r\n\r\n",
            b"A: %b\r\n" % (b"b" * 1000) * 17,
        ):
            self.assertEqual(self.status(START + headers), 431)

    def test_too_many_headers(self) -> None:
        for count in (MAX_HEADERS, 600, 100_000):
            self.assertEqual(self.status(START + b"A: b\r\n" * count + b"\r\n"), 431)
        peer = self.connect()
        peer.send(START + b"A: b\r\n" * (MAX_HEADERS - 1) + b"\r\n")
        self.assertEqual(peer.answer().status, 200)

    def test_each_head_has_its_own_size(self) -> None:
        peer = self.connect()
        for _ in range(3):
            peer.send(START + b"A: %b\r\n\r\n" % (b"b" * (MAX_HEAD - 200)))
            self.assertEqual(peer.answer().status, 200)

    def test_refused_head_is_refused_once_however_it_goes_on(self) -> None:
        peer = self.connect()
        peer.send(START + b"A: b\r\n" * 50)
        for _ in range(9):
            peer.send(b"A: b\r\n" * 50 + b" c\r\n")
        peer.send(b"\r\n" + CANARY)
        self.clock.advance(HEADER_TIMEOUT)
        self.assertEqual(peer.received.count(b"HTTP/1.1 "), 1)


class ProtocolTests(WebTestCase):
    """B21."""

    def test_others_are_none_of_ours(self) -> None:
        for start in (b"GET /-/health\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET / HTTP/3.0\r\n",
                      b"GET / HTTP/1.2\r\n", b"GET / http/1.1\r\n", b"GET  / HTTP/1.1\r\n", b"GET\t/ HTTP/1.1\r\n",
                      b"\x00\r\n"):  # fmt: skip
            peer = self.connect()
            peer.send(start + CANARY)
            self.assertTrue(peer.received.startswith(b"HTTP/1.1 400 "), start)
            self.assertEqual(peer.received.count(b"HTTP/1.1 "), 1)

    def test_http_1_0_is_answered_and_closed(self) -> None:
        for connection in ("", "Connection: keep-alive\r\n"):
            peer = self.connect()
            peer.send(f"GET /-/health HTTP/1.0\r\n{connection}\r\n".encode() + CANARY)
            self.assertTrue(peer.received.startswith(b"HTTP/1.0 200 "))
            self.assertTrue(peer.received.endswith(b"ok\n"))
            self.assertTrue(peer.closed)

    def test_nobody_is_upgraded(self) -> None:
        for wish in ("h2c", "websocket", "TLS/1.2"):
            answer = self.get("/-/health", {"Upgrade": wish, "Connection": "Upgrade"})
            self.assertEqual((answer.status, answer.headers["Upgrade"]), (200, None))

    def test_options_of_the_server(self) -> None:
        """B15: the one request for ``*``."""
        self.assertEqual(self.ask("OPTIONS", "*").status, 200)
