"""Transfers that break off once: the rest is asked for, and nobody who reads notices more than a pause."""

from twisted.internet.defer import Deferred

from pypid.domain.errors import DigestMismatch, UpstreamBroken, UpstreamUnavailable
from pypid.indexes.refusals import REFUSED
from tests.indexes.test_broken_downloads import BrokenTestCase
from tests.indexes.test_downloads import BIG
from tests.kit.upstream import Chunked, Fault, Fin, FlipByte, HeldBody, NoLength, Rst, SetHeaders, Stall, Status
from tests.upstream.network import ASKING, start

WELL = Fault()
WEAK = SetHeaders({"ETag": 'W/"1"'})
NO_VALIDATOR = SetHeaders({"ETag": None, "Last-Modified": None})


class ResumedTestCase(BrokenTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.last = len(self.content) - 1

    def asked(self) -> list[tuple[str | None, str | None]]:
        """Return what each GET of the file said: Range and If-Range."""
        gets = [seen.headers for seen in self.index.requests if seen.path == self.path]
        return [(headers.get("range"), headers.get("if-range")) for headers in gets]

    def check_resumed(self, reader: Deferred[bytes], at: int) -> None:
        self.assertEqual(self.successResultOf(reader), self.content)
        whole, rest = self.asked()
        self.assertEqual((whole, rest[0]), ((None, None), f"bytes={at}-" if at else None))
        self.assertEqual((self.row(), self.kept_blobs()), (self.demo.sha256, {self.demo.sha256}))

    def break_off(self, *then: Fault, at: int, beginning: Fault = WELL) -> Deferred[bytes]:
        """Return a reader who has read the first bytes when the answer, like ``beginning``, breaks off."""
        held = HeldBody()
        self.index.script(self.path, beginning | held, *then)
        reader = self.download()
        self.flush()
        held.send(self.content[:at])
        self.flush()
        held.abort()
        self.flush()
        return reader


class RestTests(ResumedTestCase):
    def test_a15_a17_a19_answers_that_are_cut(self) -> None:
        """At byte 0, 1, in the middle and before the last; N - 1 shows that the end is withheld."""
        for at in (0, 1, BIG // 2, self.last):
            for fault in (
                Fin(at=at),
                Rst(at=at),
                Chunked() | Fin(at=at),
                Chunked() | Rst(at=at),
                NoLength() | Fin(at=at),
            ):
                with self.subTest(at=at, fault=fault):
                    self.forget()
                    self.index.script(self.path, fault)
                    self.check_resumed(self.download(), at)

    def test_a09_stall_is_a_pause_to_those_who_follow(self) -> None:
        self.index.script(self.path, Stall(at=2000))
        readers = [self.download() for _ in range(3)]
        self.clock.advance(ASKING.idle_timeout - 1)
        self.assertEqual(len(self.asked()), 1)
        self.clock.advance(1)
        self.flush()
        for reader in readers:
            self.check_resumed(reader, 2000)

    def test_f03_upstream_dies_under_a_crowd(self) -> None:
        """The rest is asked for once, and what came is not sent again."""
        held = self.index.hold_body(self.path)
        readers = [self.download() for _ in range(50)]
        held.send(self.content[: 6 * BIG // 10])
        self.flush()
        held.abort()
        self.flush()
        for reader in readers:
            self.check_resumed(reader, 6 * BIG // 10)

    def test_rest_is_asked_for_with_the_strong_validator_that_the_beginning_came_with(self) -> None:
        etag = '"the-beginning"'
        reader = self.break_off(Status(503), at=1000, beginning=SetHeaders({"ETag": etag}))
        self.assertEqual(self.asked(), [(None, None), ("bytes=1000-", etag)])
        self.failureResultOf(reader, UpstreamUnavailable)

    def test_time_of_the_last_change_is_a_validator_if_that_is_long_ago(self) -> None:
        for date, validator in (("Thu, 01 Jan 2026 01:00:00 GMT", True), ("Thu, 01 Jan 2026 00:00:10 GMT", False)):
            self.forget()
            dated = SetHeaders({"ETag": None, "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT", "Date": date})
            reader = self.break_off(Status(503), at=1000, beginning=dated)
            self.assertEqual(len(self.asked()), 1 + validator)
            self.failureResultOf(reader, UpstreamUnavailable)
            self.index.heal()

    def test_a17_a19_all_bytes_came_before_the_break(self) -> None:
        """They are right, so nothing more is asked for."""
        for fault in (Chunked() | Rst(at=len(self.content)), Chunked() | Fin(at=len(self.content))):
            self.forget()
            self.index.script(self.path, fault)
            self.assertEqual(self.successResultOf(self.download()), self.content)
            self.assertEqual(len(self.asked()), 1)

    def test_second_half_is_hashed_on_top_of_the_first(self) -> None:
        """A byte that was wrong before the break is wrong after it."""
        right = self.content
        self.content = b"?" + right[1:]
        reader = self.break_off(at=BIG // 2)
        self.content = right
        self.fail_all([reader], DigestMismatch)
        self.assertEqual(len(self.asked()), 2)

    def test_a15_answer_without_a_length_that_ends_short_of_what_the_page_says(self) -> None:
        rest = {"Content-Range": f"bytes 1000-{self.last}/{self.last + 1}"}
        for framing in (Chunked(), NoLength()):
            self.forget()
            short = Status(200, {"ETag": '"demo"'}, self.content[:1000]) | framing
            self.index.script(self.path, short, Status(206, rest, self.content[1000:]))
            self.check_resumed(self.download(), 1000)

    def test_break_while_the_disk_still_writes(self) -> None:
        """The rest begins where the disk will have come to."""
        held = self.index.hold_body(self.path)
        reader = self.download()
        self.disk.held = "_write"
        held.send(self.content[:1000])
        self.flush()
        held.send(self.content[1000:2000])
        self.flush()
        held.abort()
        self.flush()
        self.assertEqual(len(self.asked()), 1)
        self.disk.release()
        self.flush()
        self.check_resumed(reader, 1000)


class RefusedRestTests(ResumedTestCase):
    def broken(self, first: Fault, second: Fault, *expected: type[Exception], asked: int = 2) -> None:
        self.forget()
        self.fail_all([self.break_off(second, at=BIG // 2, beginning=first)], *expected)
        self.assertEqual(len(self.asked()), asked)
        self.index.heal()

    def test_file_that_has_changed_is_not_continued(self) -> None:
        """If-Range has the whole new one sent: whoever has bytes of the old one is broken off."""
        self.broken(WELL, Status(200, {"ETag": '"new"'}, self.content), UpstreamBroken)
        self.broken(SetHeaders({"ETag": '"old"'}), WELL, UpstreamBroken)
        self.check_next()

    def test_server_without_ranges(self) -> None:
        self.broken(WELL, Status(200, {}, self.content), UpstreamBroken)

    def test_other_part_than_was_asked_for(self) -> None:
        start_at, size = BIG // 2 - 1, len(self.content)
        for said in (f"bytes {start_at}-{size - 1}/{size}", "", f"bytes */{size}"):
            self.broken(WELL, Status(206, {"Content-Range": said}, self.content[start_at:]), UpstreamBroken)
        self.check_next()

    def test_upstream_that_is_away(self) -> None:
        for fault in (Status(503), Status(416), Fin(at=0), Status(404)):
            self.broken(WELL, fault, UpstreamUnavailable)
        self.clock.advance(REFUSED)
        self.check_next()

    def test_answer_that_never_began_is_not_asked_for_again(self) -> None:
        for fault in (Status(503), Rst()):
            self.forget()
            self.index.script(self.path, fault)
            self.fail_all([self.download()], UpstreamUnavailable)
            self.assertEqual(len(self.asked()), 1)
            self.clock.advance(60)
        self.check_next()

    def test_nothing_is_asked_for_without_a_strong_validator(self) -> None:
        for fault in (WEAK, NO_VALIDATOR):
            self.broken(fault, WELL, UpstreamUnavailable, asked=1)
        self.check_next()


class BegunAnewTests(ResumedTestCase):
    """Nobody has a byte yet: what cannot be continued is begun again."""

    def setUp(self) -> None:
        super().setUp()
        self.replace(300_000)  # withheld until it is right

    def test_small_file_without_a_validator(self) -> None:
        self.index.script(self.path, NO_VALIDATOR | Fin(at=1000))
        self.check_resumed(self.download(), 0)

    def test_small_file_that_has_changed(self) -> None:
        self.index.script(self.path, SetHeaders({"ETag": '"old"'}) | FlipByte(0) | Fin(at=1000))
        self.check_resumed(self.download(), 1000)

    def test_large_file_that_nobody_has_read_of(self) -> None:
        self.replace(BIG)
        last = len(self.content) - 1
        held = self.index.hold_body(self.path)
        body = self.open()
        tail = start(body.read(last - 10))
        held.send(self.content[: BIG // 2])
        self.flush()
        self.index.script(self.path, Status(200, {}, self.content))
        held.abort()
        self.flush()
        self.assertEqual(self.successResultOf(tail), self.content[last - 10 :])
        self.assertEqual(self.row(), self.demo.sha256)
        body.close()
