"""One connection: heads that are late, malformed or doubtful, and requests that follow each other."""

from tests.kit.dists import wheel
from tests.web.forms import fields_of, multipart
from tests.web.world import ALICE, HEADER_TIMEOUT, IDLE_TIMEOUT, WebTestCase, request_bytes

HEALTH = request_bytes("GET", "/-/health")
CANARY = request_bytes("GET", "/simple/canary/")
"""A request that must not be executed: its answer, a 404, would show."""


class HeadTests(WebTestCase):
    def test_head_that_drips_is_cut_off(self) -> None:
        """B05: each byte in time does not make the whole in time."""
        peer = self.connect()
        for byte in HEALTH[: int(HEADER_TIMEOUT)]:
            self.assertFalse(peer.aborted)
            peer.send(bytes([byte]))
            self.clock.advance(1)
        self.assertTrue(peer.aborted)
        self.assertEqual(peer.received, b"")

    def test_head_in_time_is_answered_however_it_came(self) -> None:
        peer = self.connect()
        for byte in HEALTH:
            peer.send(bytes([byte]))
            self.clock.advance((HEADER_TIMEOUT - 1) / len(HEALTH))
        self.assertEqual(peer.answer().status, 200)
        self.clock.advance(HEADER_TIMEOUT + 1)
        self.assertFalse(peer.closed)

    def test_each_request_of_a_connection_has_its_own_time(self) -> None:
        peer = self.connect()
        for _ in range(3):
            peer.send(HEALTH[:9])
            self.clock.advance(HEADER_TIMEOUT - 1)
            peer.send(HEALTH[9:])
            self.assertEqual(peer.answer().status, 200)
        peer.send(HEALTH[:9])
        self.clock.advance(HEADER_TIMEOUT)
        self.assertTrue(peer.aborted)

    def test_idle_connection_is_closed(self) -> None:
        fresh, used = self.connect(), self.connect()
        used.send(HEALTH)
        self.clock.advance(IDLE_TIMEOUT - 1)
        self.assertFalse(fresh.closed or used.closed)
        self.clock.advance(1)
        self.assertTrue(fresh.closed and used.closed)

    def test_client_that_speaks_tls_is_told_at_once(self) -> None:
        """It would wait until its own patience ends, and uv four times."""
        peer = self.connect()
        peer.send(bytes.fromhex("1603010200010001fc0303"))
        self.assertTrue(peer.received.startswith(b"HTTP/1.1 400 "))
        self.assertTrue(peer.half_closed)


class FramingTests(WebTestCase):
    """B10, B11, B13: a request whose end is doubtful is refused, and what follows it is never taken for another."""

    def refused(self, *headers: str, body: bytes = b"") -> None:
        peer = self.connect()
        peer.send("\r\n".join(["POST / HTTP/1.1", "Host: x", *headers]).encode() + b"\r\n\r\n" + body + CANARY)
        self.assertTrue(peer.received.startswith(b"HTTP/1.1 400 "), headers)
        self.assertEqual(peer.received.count(b"HTTP/1.1"), 1, headers)
        self.assertTrue(peer.half_closed)

    def test_lengths_that_are_none(self) -> None:
        for length in ("+5", "5 5", "0x5", "-1", "5,5", "", "5;", "\N{SUPERSCRIPT TWO}", "9" * 19, "9" * 5000):
            self.refused(f"Content-Length: {length}", body=b"hello")

    def test_more_than_one_way_to_find_the_end(self) -> None:
        for headers in (
            ("Content-Length: 5", "Content-Length: 5"),
            ("Content-Length: 5", "Content-Length: 6"),
            ("Content-Length: 5", "Transfer-Encoding: chunked"),
            ("Transfer-Encoding: chunked", "Content-Length: 5"),
            ("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
            ("Transfer-Encoding: gzip, chunked",),
            ("Transfer-Encoding: xchunked",),
            ("Transfer-Encoding: chunked, chunked",),
            ("Transfer-Encoding: chunked;q=1",),
            ("Transfer-Encoding: \x0bchunked",),
            ("Transfer-Encoding: identity", "Content-Length: 5"),
            ("Transfer-Encoding: identity",),
            ("Transfer-Encoding:",),
            ("Transfer-Encoding:", " chunked"),
            ("Transfer-Encoding", " : chunked"),
        ):
            self.refused(*headers, body=b"0\r\n\r\n")

    def test_http_1_0_has_no_codings(self) -> None:
        """A proxy that speaks it passes such a body on unread (RFC 9112, section 6.1)."""
        peer = self.connect()
        peer.send(b"POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + CANARY)
        self.assertTrue(peer.received.startswith(b"HTTP/1.1 400 "))
        self.assertEqual(peer.received.count(b"HTTP/1."), 1)

    def test_malformed_headers(self) -> None:
        for header in ("Content-Length : 5", "X\x00: y", "X: a\x00b", "no colon", "Content-Length: 5\n5", "X: a\rb",
                       "X: a\nb: c", " X: y", "\tX: y", ": y", "X y: z", "X\xe9: y"):  # fmt: skip
            self.refused(header, body=b"hello")

    def test_header_that_goes_on_in_the_next_line(self) -> None:
        """Others take it for another header, or for the end of them."""
        self.refused("X: a", " b")
        self.refused("X: a", "\tContent-Length: 5", body=b"hello")

    def test_lines_that_end_with_lf_alone_are_no_head(self) -> None:
        """B12: they are waited for, as long as for any head."""
        peer = self.connect()
        peer.send(b"GET /-/health HTTP/1.1\nHost: x\n\n" * 3)
        self.assertEqual(peer.received, b"")
        self.clock.advance(HEADER_TIMEOUT)
        self.assertTrue(peer.aborted)

    def test_broken_chunks(self) -> None:
        """B12: the upload has begun; it ends with the connection, and nothing stays."""
        content_type, body = multipart(fields_of(wheel("demo")), wheel("demo"))
        for chunks in (b"x\r\n", b"-1\r\n", b"0x5\r\nhello\r\n", b"5\r\nhelloX\r\n", b"+5\r\nhello\r\n",
                       b"5 ;\r\nhello\r\n", b"0" * 2000, b"f" * 20 + b"\r\n", b"5\nhello\n0\n\n" + b"x" * 2000,
                       b"5;" + b"x" * 2**20, b"0\r\n" + b"X: y\r\n" * 2**17):  # fmt: skip
            peer = self.connect()
            headers = {**ALICE, "Content-Type": content_type, "Transfer-Encoding": "chunked"}
            peer.ask("POST", "/", headers, b"%x\r\n%b\r\n" % (200, body[:200]) + chunks)
            self.assertTrue(peer.received.startswith(b"HTTP/1.1 400 "), chunks)
            self.assertTrue(peer.closed)
            self.assertEqual(self.staged(), [])

    def test_refusal_is_not_put_into_a_file_that_is_being_sent(self) -> None:
        """A reader could take it for the file's last bytes."""
        demo = self.index.add(wheel("demo", size=2**20))
        held = self.index.hold_body(self.index.file_path(demo))
        peer = self.connect()
        peer.ask("GET", f"/files/demo/{demo.sha256[:16]}/{demo.filename}", {"Transfer-Encoding": "chunked"})
        held.send(demo.content[: 2**19])
        self.flush()
        self.assertIn(b"\r\n\r\nPK", peer.received)
        peer.send(b"x\r\n")
        self.assertTrue(peer.aborted)
        self.assertNotIn(b"400 Bad Request", peer.received)
        held.send(demo.content[2**19 :])
        held.finish()
        self.flush()


class HostTests(WebTestCase):
    """B14 (RFC 9112, 3.2)."""

    def refused(self, head: bytes) -> None:
        peer = self.connect()
        peer.send(head + b"\r\n\r\n" + CANARY)
        answer = peer.answer()
        self.assertEqual((answer.status, answer.headers["Connection"]), (400, "close"), head)
        self.assertEqual(peer.rest, b"", "what follows is not executed")
        self.assertTrue(peer.closed or peer.half_closed)

    def test_no_host(self) -> None:
        self.refused(b"GET /-/health HTTP/1.1")
        self.refused(b"POST / HTTP/1.1\r\nContent-Length: 1000")

    def test_two_hosts(self) -> None:
        self.refused(b"GET /-/health HTTP/1.1\r\nHost: a\r\nHost: a")
        self.refused(b"GET /-/health HTTP/1.0\r\nHost: a\r\nHost: b")

    def test_what_is_no_host(self) -> None:
        """It would be put into links and into what is shown."""
        for host in (b"a b", b'a"<b>', b"user@a", b"a/b", b"a:b", b"\xe9", b"a, b"):
            self.refused(b"GET /-/health HTTP/1.1\r\nHost: " + host)

    def test_host_may_be_empty(self) -> None:
        """As it is where there is no host to speak of, on a Unix socket (RFC 9112, section 3.2)."""
        self.assertEqual(self.get("/-/health", {"Host": ""}).status, 200)

    def test_http_1_0_needs_none(self) -> None:
        peer = self.connect()
        peer.send(b"GET /-/health HTTP/1.0\r\n\r\n")
        self.assertEqual(peer.answer().status, 200)
        self.assertTrue(peer.closed)


class TargetTests(WebTestCase):
    """B15: whole URLs, which everybody must take, though only clients of a proxy send them (RFC 9112, 3.2.2)."""

    def test_whole_url_is_its_path(self) -> None:
        self.publish(wheel("demo"))
        page = self.get("/simple/demo/?format=application/vnd.pypi.simple.v1+json")
        for start in ("http://pypid.test", "HTTP://pypid.test:8080", "https://[::1]:8443"):
            answer = self.get(f"{start}/simple/demo/?format=application/vnd.pypi.simple.v1+json")
            self.assertEqual((answer.status, answer.body), (200, page.body))
        self.assertEqual(self.get("http://pypid.test/simple/Demo?x=1").headers["Location"], "demo/?x=1")
        self.assertEqual(self.ask("PUT", "http://pypid.test/simple/demo/").status, 405)

    def test_its_host_counts_and_not_the_header(self) -> None:
        for target in ("http://whole.test:8080", "http://whole.test:8080/", "http://whole.test:8080?x=1"):
            self.assertIn("http://whole.test:8080/simple/", self.get(target, {"Host": "header.test"}).text)

    def test_upload(self) -> None:
        self.publish(wheel("demo"), "http://pypid.test/own/")
        self.assertEqual(self.get("/own/simple/demo/").status, 200)

    def test_what_is_no_target(self) -> None:
        for target in ("xsimple/demo/", "*", "pypid.test:80", "ftp://pypid.test/", "http://", "http:///simple/",
                       "http://user@pypid.test/", "http:/simple/", "http://a\xe9b/"):  # fmt: skip
            answer = self.get(target)
            self.assertEqual((answer.status, answer.body), (400, b""), target)


class PathTests(WebTestCase):
    def test_what_is_no_utf_8_is_refused_without_a_word_in_the_log(self) -> None:
        for target in ("/simple/%ff/", "/%c0%ae%c0%ae/", "/simple/\xe9/"):
            self.assertEqual(self.get(target).status, 400)

    def test_empty_segments_are_no_page(self) -> None:
        """Links relative to such a URL would be wrong; a slash too many in front is harmless."""
        self.index.add(wheel("demo"))
        for target in ("/simple/demo//", "/simple//demo/", "/main//simple/demo/"):
            self.assertEqual(self.get(target).status, 404)
        self.assertEqual(self.get("//simple/demo/").status, 200)
