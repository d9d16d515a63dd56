"""Answers that only a broken or hostile upstream gives, as bytes on the wire."""

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionLost
from twisted.python.failure import Failure

from pypid.domain.breaker import PROBE_INTERVAL
from pypid.domain.errors import UpstreamBroken, UpstreamUnavailable
from pypid.upstream.client import Absent, FetchedPage, Unchanged
from pypid.upstream.pool import MAX_HEAD
from tests.kit.pages import JSON
from tests.upstream.network import ASKING, ROOT, WireTestCase, start
from tests.upstream.test_files import Sink

HEAD = f"HTTP/1.1 200 OK\r\nContent-Type: {JSON}\r\n".encode()
HINT = b"HTTP/1.1 103 Early Hints\r\n\r\n"
TRAILER = b"1\r\nx\r\n0\r\nX-Trailer: " + b"x" * 2**17 + b"\r\n\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


class WireTests(WireTestCase):
    def ask(self) -> Deferred[FetchedPage | Unchanged | Absent]:
        return start(self.client.page(f"{ROOT}/simple/demo/", etag=None, last_modified=None))

    def refused(self, answer: bytes, *, closed: bool = True) -> None:
        page = self.ask()
        self.wire.send(answer)
        if closed:
            self.wire.close(Failure(ConnectionLost()))
        self.failureResultOf(page, UpstreamUnavailable)
        self.clock.advance(PROBE_INTERVAL)

    def test_no_http_at_all(self) -> None:
        for answer in (b"220 smtp.example ESMTP\r\n", b"<html>HTTP/0.9</html>\r\n", b"\0" * 100, b""):
            self.refused(answer)

    def test_status_that_is_no_number(self) -> None:
        self.refused(b"HTTP/1.1 abc OK\r\n\r\n")

    def test_broken_chunks(self) -> None:
        for body in (b"xyz\r\n", b"-1\r\n", b"1\r\nab", b"5\r\nabc", b"1;" + b"x" * 2**17, b"1\r\nx\r\n0\r\n", TRAILER):
            self.refused(CHUNKED + body)

    def test_two_lengths_that_disagree(self) -> None:
        self.refused(HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx")

    def test_page_without_length_may_be_cut_and_is_refused(self) -> None:
        self.refused(HEAD + b"Connection: close\r\n\r\n{}")

    def test_page_without_a_type(self) -> None:
        page = self.ask()
        self.wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        self.failureResultOf(page, UpstreamBroken)

    def test_drip_of_headers_ends_at_the_deadline(self) -> None:
        page = self.ask()
        self.wire.send(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        for _ in range(int(ASKING.header_timeout)):
            self.assertNoResult(page)
            self.wire.send(b"x")
            self.clock.advance(1)
        self.failureResultOf(page, UpstreamUnavailable)
        self.assertTrue(self.wire.aborted)

    def test_informational_answers_do_not_put_off_the_deadline(self) -> None:
        page = self.ask()
        for _ in range(int(ASKING.header_timeout)):
            self.assertNoResult(page)
            self.wire.send(HINT)
            self.clock.advance(1)
        self.failureResultOf(page, UpstreamUnavailable)

    def test_a07_a_head_without_end(self) -> None:
        """Given up as soon as too much has come, whatever it is made of."""
        for line in (b"X-Filler: " + b"x" * 1000 + b"\r\n", b" folded " + b"x" * 1000 + b"\r\n"):
            page = self.ask()
            self.wire.send(b"HTTP/1.1 200 OK\r\nX-First: 1\r\n")
            sent = 0
            while not self.wire.aborted and sent < 2 * MAX_HEAD:
                self.wire.send(line)
                sent += len(line)
            self.assertTrue(MAX_HEAD - len(line) < sent < MAX_HEAD + len(line), sent)
            self.assertEqual(self.failureResultOf(page, UpstreamUnavailable).value.detail, "too-large")

    def test_a22_a_flood_of_informational_answers(self) -> None:
        page = self.ask()
        for _ in range(2 * MAX_HEAD // len(HINT)):
            if not self.wire.aborted:
                self.wire.send(HINT)
        self.assertTrue(self.wire.aborted)
        self.assertEqual(self.failureResultOf(page, UpstreamUnavailable).value.detail, "too-large")

    def test_a22_a_few_informational_answers_do_no_harm(self) -> None:
        page = self.ask()
        self.wire.send(HINT * 10 + HEAD + b"Content-Length: 2\r\n\r\n{}")
        self.assertIsInstance(self.successResultOf(page), FetchedPage)

    def test_a07_a_long_body_is_no_head(self) -> None:
        body = b"x" * 3 * MAX_HEAD
        page = self.ask()
        self.wire.send(HEAD + b"Content-Length: %d\r\n\r\n" % len(body))
        for sent in range(0, len(body), 1000):
            self.wire.send(body[sent : sent + 1000])
        self.assertIsInstance(self.successResultOf(page), FetchedPage)

    def test_a35_two_locations(self) -> None:
        for second in (b"/simple/other/", b"http://elsewhere.test/"):
            page = self.ask()
            self.wire.send(b"HTTP/1.1 302 Found\r\nLocation: /simple/demo/\r\nLocation: %s\r\n" % second)
            self.wire.send(b"Content-Length: 0\r\n\r\n")
            self.failureResultOf(page, UpstreamBroken)

    def test_a35_a_location_of_100_kb(self) -> None:
        page = self.ask()
        self.wire.send(b"HTTP/1.1 302 Found\r\nLocation: /" + b"x" * 100_000 + b"\r\nContent-Length: 0\r\n\r\n")
        self.failureResultOf(page, UpstreamUnavailable)
        self.assertTrue(self.wire.aborted)

    def test_bytes_after_the_answer_are_nobodys(self) -> None:
        page = self.ask()
        self.wire.send(HEAD + b"Content-Length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\n\r\nother")
        fetched = self.successResultOf(page)
        assert isinstance(fetched, FetchedPage)
        self.assertEqual(fetched.body, b"{}")

    def test_file_longer_than_its_length_ends_where_it_should(self) -> None:
        sink = Sink()
        done = start(self.client.file(f"{ROOT}/demo.whl", sink))
        self.wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbodystray")
        self.wire.close()
        self.successResultOf(done)
        self.assertEqual(sink.got, b"body")
