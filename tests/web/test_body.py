"""When a body is asked for, refused unread, counted, or cut short."""

from collections.abc import Mapping

from twisted.internet.defer import Deferred

from pypid.web.body import QUEUE_LIMIT
from pypid.web.lingering import LINGER, LINGER_IDLE
from tests.kit.dists import wheel
from tests.web.forms import fields_of, multipart
from tests.web.world import ALICE, IDLE_TIMEOUT, MAX_UPLOAD, Peer, WebTestCase

EXPECT = {"Expect": "100-continue"}
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class BodyTestCase(WebTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.demo = wheel("demo")
        self.content_type, self.body = multipart(fields_of(self.demo), self.demo)
        self.head = {**ALICE, "Content-Type": self.content_type, "Content-Length": str(len(self.body))}

    def refusals(self) -> list[tuple[int, str, dict[str, str | None]]]:
        """Return what is refused by the head alone: status, target, changes of the head."""
        return [
            (401, "/", {"Authorization": None}),
            (401, "/", {"Authorization": "Basic eDp5"}),
            (413, "/", {"Content-Length": str(MAX_UPLOAD + 1)}),
            (404, "/nowhere/", {}),
            (403, "/root/pypi/", {}),
            (400, "/", {"Content-Type": "text/plain"}),
            (405, "/main/simple/demo/", {}),
            (404, "/a/b/c/d/", {}),
        ]

    def begin(self, target: str = "/", changes: Mapping[str, str | None] | None = None, body: bytes = b"") -> Peer:
        head = {name: value for name, value in {**self.head, **(changes or {})}.items() if value is not None}
        peer = self.connect()
        peer.ask("POST", target, head, body)
        return peer


class ContinueTests(BodyTestCase):
    """B22"""

    def test_body_is_asked_for_when_it_is_accepted(self) -> None:
        peer = self.begin(changes=EXPECT)
        self.assertEqual(peer.received, CONTINUE)
        peer.send(self.body)
        peer._taken = len(CONTINUE)
        self.assertEqual(peer.answer().status, 200)

    def test_it_is_not_asked_for_unbidden(self) -> None:
        self.assertEqual(self.begin().received, b"")

    def test_client_that_does_not_wait_is_served_as_well(self) -> None:
        self.assertIn(b"HTTP/1.1 200 ", self.begin(changes=EXPECT, body=self.body).received)

    def test_what_is_refused_is_never_asked_for(self) -> None:
        for status, target, changes in self.refusals():
            peer = self.begin(target, {**EXPECT, **changes})
            self.assertEqual((peer.answer().status, peer.rest), (status, b""), (target, changes))

    def test_other_expectations_are_not_met(self) -> None:
        for expected in ("foo", "100-continue, foo", "foo=100-continue"):
            peer = self.begin(changes={"Expect": expected})
            self.assertEqual((peer.answer().status, peer.rest), (417, b""), expected)
            self.assertEqual(self.get("/-/health", {"Expect": expected}).status, 417)

    def test_expectation_is_spelled_in_any_case_and_may_be_repeated_or_empty(self) -> None:
        for expected in ("100-Continue", "100-continue, 100-continue", ", 100-continue"):
            self.assertEqual(self.begin(changes={"Expect": expected}).received, CONTINUE)
        self.assertEqual(self.get("/-/health", {"Expect": ""}).status, 200)


class LingerTests(BodyTestCase):
    def test_client_that_is_still_sending_gets_the_answer(self) -> None:
        """Closing with bytes unread would reset the connection, and the answer with it."""
        for status, target, changes in self.refusals():
            peer = self.begin(target, changes, self.body[:100])
            answer = peer.answer()
            self.assertEqual((answer.status, answer.headers["Connection"]), (status, "close"), (target, changes))
            self.assertTrue(peer.half_closed)
            peer.send(b"x" * MAX_UPLOAD)
            self.assertFalse(peer.paused, "the rest is read")
            self.assertEqual((peer.rest, peer.aborted, self.staged()), (b"", False, []))

    def test_it_ends_after_a_while_of_silence(self) -> None:
        peer = self.begin(changes={"Authorization": None})
        self.clock.advance(LINGER_IDLE - 1)
        peer.send(b"x")
        self.clock.advance(LINGER_IDLE - 1)
        self.assertFalse(peer.aborted)
        self.clock.advance(1)
        self.assertTrue(peer.aborted)

    def test_it_ends_whatever_the_client_sends(self) -> None:
        peer = self.begin(changes={"Authorization": None})
        for _ in range(int(LINGER)):
            self.assertFalse(peer.aborted)
            peer.send(b"x")
            self.clock.advance(1)
        self.assertTrue(peer.aborted)

    def test_request_behind_a_refused_body_is_not_executed(self) -> None:
        peer = self.begin(
            changes={"Authorization": None}, body=self.body + b"GET /-/health HTTP/1.1\r\nHost: x\r\n\r\n"
        )
        self.assertEqual((peer.answer().status, peer.rest), (401, b""))


class CountTests(BodyTestCase):
    def test_endless_chunks_end_at_the_limit(self) -> None:
        peer = self.begin(changes={"Content-Length": None, "Transfer-Encoding": "chunked"})
        begun = self.body[: self.body.rindex(b"PK")]
        peer.send(b"%x\r\n%b\r\n" % (len(begun), begun))
        for _ in range(MAX_UPLOAD // 2**16 - 1):
            peer.send(b"10000\r\n" + b"x" * 2**16 + b"\r\n")
            self.assertEqual(peer.received, b"")
        peer.send(b"10000\r\n" + b"x" * 2**16 + b"\r\n")
        self.assertEqual(peer.answer().status, 413)
        self.assertTrue(peer.half_closed)
        self.assertEqual(self.staged(), [])

    def test_refusal_on_what_the_last_bytes_say_arrives(self) -> None:
        """The answer is given in the middle of the bytes that end the body."""
        no_form = b"hello, this is no form" + b"x" * 100
        for cut in (0, 50, len(no_form) - 1):
            peer = self.begin(changes={"Content-Length": str(len(no_form))}, body=no_form[:cut])
            if not peer.received:
                peer.send(no_form[cut:])
            self.assertEqual((peer.answer().status, peer.rest, self.staged()), (400, b"", []), cut)
        peer = self.begin(changes={"Content-Length": None, "Transfer-Encoding": "chunked"})
        peer.send(b"%x\r\n%b\r\n0\r\n\r\n" % (len(no_form), no_form))
        self.assertEqual((peer.answer().status, peer.rest), (400, b""))

    def test_client_that_leaves_in_the_middle_leaves_nothing(self) -> None:
        for cut in (0, 1, 200, len(self.body) // 2, len(self.body) - 1):
            peer = self.begin(body=self.body[:cut])
            self.assertEqual(len(self.staged()), 1)
            peer.leave()
            self.assertEqual((self.staged(), self.kept_blobs()), ([], set()))

    def test_connection_of_a_finished_upload_may_idle_like_any_other(self) -> None:
        peer = self.begin(body=self.body)
        self.assertEqual(peer.answer().status, 200)
        self.clock.advance(IDLE_TIMEOUT - 1)
        self.assertFalse(peer.closed)
        self.clock.advance(1)
        self.assertTrue(peer.closed)


class MemoryTests(BodyTestCase):
    def setUp(self) -> None:
        self.checking: list[Deferred[bool]] = []
        super().setUp()

    @property
    def passwords(self) -> object:
        return self.check

    def check(self, *_: object) -> Deferred[bool]:
        self.checking.append(Deferred())
        return self.checking[-1]

    def test_client_is_held_up_while_nobody_reads(self) -> None:
        """As long as the password is being checked, say; and goes on when that is done."""
        big = wheel("demo", size=MAX_UPLOAD - 4096)
        content_type, body = multipart(fields_of(big), big)
        peer = self.begin(changes={"Content-Type": content_type, "Content-Length": str(len(body))})
        at = 0
        while not peer.paused and at < len(body):
            peer.send(body[at : at + 2**14])
            at += 2**14
        self.assertLess(at, QUEUE_LIMIT + 2**15)
        peer.send(body[at:])
        self.assertTrue(peer.paused)
        self.checking[0].callback(True)
        self.assertEqual(peer.answer().status, 200)

    def test_room_for_the_answer_makes_none_for_the_body(self) -> None:
        """A download whose request has an endless body that nobody reads must not fill the memory."""
        peer = self.begin(changes={"Content-Length": str(MAX_UPLOAD)})
        peer.send(b"x" * (QUEUE_LIMIT + 1))
        self.assertTrue(peer.paused)
        peer.stop_reading()
        peer.read_on()
        self.assertTrue(peer.paused)
