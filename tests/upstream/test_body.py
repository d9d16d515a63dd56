"""A stranger's body, byte by byte over Twisted's own HTTP client."""

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionLost
from twisted.internet.error import TimeoutError as SilenceError
from twisted.python.failure import Failure
from twisted.web.client import ResponseFailed
from twisted.web.http import PotentialDataLoss

from pypid.upstream.body import QUEUE_LIMIT, BodyTooLarge, read_body
from tests.upstream.network import WireTestCase

IDLE = 20


class SlowDisk:
    """Writes that end when the test says so."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.under_way: Deferred[None] | None = None

    def write(self, data: bytes) -> Deferred[None]:
        assert self.under_way is None, "two writes at once"
        self.written.append(data)
        self.under_way = Deferred()
        return self.under_way

    def end(self, outcome: object = None) -> None:
        done, self.under_way = self.under_way, None
        assert done is not None
        done.callback(outcome)  # type: ignore[arg-type]


class BodyTests(WireTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.disk = SlowDisk()

    def read(self, head: bytes, *, limit: int = 2**24, close_ends: bool = False) -> Deferred[None]:
        asked = self.wire.agent.request(b"GET", b"http://upstream.test/")
        self.wire.send(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n")
        response = self.successResultOf(asked)
        return read_body(response, self.disk.write, limit=limit, idle=IDLE, clock=self.clock, close_ends=close_ends)

    def test_end_waits_for_the_last_write(self) -> None:
        done = self.read(b"Content-Length: 4")
        self.wire.send(b"body")
        self.assertNoResult(done)
        self.disk.end()
        self.successResultOf(done)

    def test_what_comes_during_a_write_is_written_at_once_after_it(self) -> None:
        done = self.read(b"Content-Length: 9")
        for part in (b"one", b"two", b"six"):
            self.wire.send(part)
        self.disk.end()
        self.disk.end()
        self.successResultOf(done)
        self.assertEqual(self.disk.written, [b"one", b"twosix"])

    def test_slow_disk_pauses_upstream_until_it_has_caught_up(self) -> None:
        done = self.read(b"Content-Length: %d" % (3 * QUEUE_LIMIT))
        self.wire.send(bytes(QUEUE_LIMIT - 1))
        self.wire.send(bytes(QUEUE_LIMIT))
        self.assertFalse(self.wire.paused)
        self.wire.send(b"x")
        self.assertTrue(self.wire.paused)
        self.clock.advance(IDLE * 10)
        self.assertNoResult(done)  # a silence of our own making
        self.disk.end()
        self.assertFalse(self.wire.paused)
        self.wire.send(bytes(QUEUE_LIMIT))
        self.disk.end()
        self.disk.end()
        self.successResultOf(done)
        self.assertEqual(sum(map(len, self.disk.written)), 3 * QUEUE_LIMIT)

    def test_silence_breaks_off_and_any_byte_is_a_new_chance(self) -> None:
        done = self.read(b"Content-Length: 100")
        self.clock.advance(IDLE - 1)
        self.wire.send(b"x")
        self.disk.end()
        self.clock.advance(IDLE - 1)
        self.assertNoResult(done)
        self.clock.advance(1)
        self.failureResultOf(done, SilenceError)
        self.assertTrue(self.wire.aborted)

    def test_silence_after_a_pause_is_upstreams_again(self) -> None:
        done = self.read(b"Content-Length: %d" % (3 * QUEUE_LIMIT))
        self.wire.send(bytes(QUEUE_LIMIT + 1))
        self.wire.send(bytes(QUEUE_LIMIT + 1))
        self.disk.end()
        self.clock.advance(IDLE)
        self.failureResultOf(done, SilenceError)
        self.disk.end()

    def test_one_byte_too_many_breaks_off(self) -> None:
        for head in (b"Content-Length: 11", b"Transfer-Encoding: chunked"):
            done = self.read(head, limit=10)
            self.wire.send(b"b\r\n" + bytes(11) if b"chunked" in head else bytes(11))
            self.failureResultOf(done, BodyTooLarge)
        self.assertTrue(self.wire.aborted)
        self.assertEqual(self.disk.written, [], "nothing of it")

    def test_body_of_just_the_limit_is_read(self) -> None:
        done = self.read(b"Content-Length: 10", limit=10)
        self.wire.send(bytes(10))
        self.disk.end()
        self.successResultOf(done)

    def test_cancelling_closes_the_connection(self) -> None:
        done = self.read(b"Content-Length: 100")
        self.wire.send(b"x")
        done.cancel()
        self.failureResultOf(done, CancelledError)
        self.assertTrue(self.wire.aborted)
        self.wire.send(b"late")
        self.disk.end()
        self.wire.close()
        self.assertEqual(self.disk.written, [b"x"], "what came later is nobody's")

    def test_refused_write_closes_the_connection(self) -> None:
        done = self.read(b"Content-Length: 100")
        self.wire.send(b"x")
        self.disk.end(Failure(OSError("disk full")))
        self.failureResultOf(done, OSError)
        self.assertTrue(self.wire.aborted)
        self.wire.close()

    def test_last_write_refused_after_the_end_is_a_failure(self) -> None:
        done = self.read(b"Content-Length: 1")
        self.wire.send(b"x")
        self.disk.end(Failure(OSError("disk full")))
        self.failureResultOf(done, OSError)

    def test_lost_connection_is_no_end(self) -> None:
        for head in (b"Content-Length: 100", b"Transfer-Encoding: chunked"):
            done = self.read(head, close_ends=True)
            self.wire.send(b"1\r\nx\r\n")
            self.disk.end()
            self.wire.close(Failure(ConnectionLost()))
            self.failureResultOf(done, ResponseFailed)

    def test_chunked_body_ends_with_its_last_chunk_only(self) -> None:
        done = self.read(b"Transfer-Encoding: chunked")
        self.wire.send(b"1\r\nx\r\n")
        self.disk.end()
        self.assertNoResult(done)
        self.wire.send(b"0\r\n\r\n")
        self.successResultOf(done)

    def test_closing_ends_a_body_without_length_for_those_only_who_can_verify_it(self) -> None:
        for close_ends in (True, False):
            done = self.read(b"Connection: close", close_ends=close_ends)
            self.wire.send(b"all")
            self.disk.end()
            self.wire.close()
            if close_ends:
                self.successResultOf(done)
            else:
                self.failureResultOf(done, PotentialDataLoss)

    def test_empty_body(self) -> None:
        self.successResultOf(self.read(b"Content-Length: 0"))
        self.assertEqual(self.disk.written, [])
