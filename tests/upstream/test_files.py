"""One upstream file, as `UpstreamClient` passes it on."""

from twisted.internet.defer import CancelledError, Deferred

from pypid.domain.errors import UpstreamBroken, UpstreamUnavailable
from tests.kit.dists import wheel
from tests.kit.upstream import Chunked, Fin, NoLength, Rst, SetHeaders, Stall, Status, redirect
from tests.upstream.network import ASKING, LIMITS, ROOT, UpstreamTestCase, start


class Sink:
    def __init__(self) -> None:
        self.sizes: list[int | None] = []
        self.validators: list[str | None] = []
        self.got = b""
        self.refusal: Exception | None = None

    def begin(self, size: int | None, validator: str | None) -> None:
        self.sizes.append(size)
        self.validators.append(validator)
        if self.refusal is not None:
            raise self.refusal

    async def write(self, data: bytes) -> None:
        self.got += data


class FileTests(UpstreamTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.demo = self.index.add(wheel("demo", size=100_000))
        self.path = self.index.file_path(self.demo)
        self.sink = Sink()

    def fetch(self) -> Deferred[None]:
        self.sink = Sink()
        return start(self.client.file(ROOT + self.path, self.sink))

    def size(self) -> Deferred[int | None]:
        return start(self.client.file_size(ROOT + self.path))

    def test_file_is_asked_for_uncompressed_and_announced_before_it_comes(self) -> None:
        held = self.index.hold_body(self.path)
        fetched = self.fetch()
        self.flush()
        self.assertEqual((self.sink.sizes, self.sink.got), ([len(self.demo.content)], b""))
        self.assertEqual(self.index.requests[0].headers["accept-encoding"], "identity")
        held.send(self.demo.content[:10])
        self.flush()
        self.assertEqual(self.sink.got, self.demo.content[:10])
        held.send(self.demo.content[10:])
        held.finish()
        self.flush()
        self.successResultOf(fetched)
        self.assertEqual(self.sink.got, self.demo.content)

    def test_length_is_unknown_where_upstream_does_not_say(self) -> None:
        for fault in (Chunked(), NoLength()):
            self.index.script(self.path, fault)
            self.successResultOf(self.fetch())
            self.assertEqual((self.sink.sizes, self.sink.got), ([None], self.demo.content))

    def test_coded_bytes_are_passed_on_as_they_are(self) -> None:
        """Only the digest can say whether an upstream that was asked for identity sends the file or a coding of it."""
        self.index.script(self.path, SetHeaders({"Content-Encoding": "gzip"}))
        self.successResultOf(self.fetch())
        self.assertEqual(self.sink.got, self.demo.content)

    def test_file_is_taken_from_where_it_was_redirected_to(self) -> None:
        self.index.script("/packages/old", redirect(self.path))
        self.path = "/packages/old"
        self.successResultOf(self.fetch())
        self.assertEqual(self.sink.got, self.demo.content)
        self.index.script("/packages/old", redirect(self.index.file_path(self.demo)))
        self.assertEqual(self.successResultOf(self.size()), len(self.demo.content))

    def test_broken_bodies(self) -> None:
        last = len(self.demo.content) - 1
        for fault in (Fin(at=0), Rst(at=0), Rst(at=1), Fin(at=last), Rst(at=last), Chunked() | Fin(at=last + 1)):
            self.index.script(self.path, fault)
            self.failureResultOf(self.fetch(), UpstreamUnavailable)

    def test_file_over_the_limit(self) -> None:
        self.index.script(self.path, Status(200, {}, bytes(LIMITS.max_file + 1)))
        self.failureResultOf(self.fetch(), UpstreamBroken)

    def test_other_statuses_are_no_file(self) -> None:
        """Not even 404: the page lists the file, so upstream contradicts itself."""
        for status in (204, 206, 304, 401, 403, 404, 410, 451):
            self.index.script(self.path, Status(status, body=b""), Status(status, body=b""))
            self.failureResultOf(self.fetch(), UpstreamBroken)
            self.failureResultOf(self.size(), UpstreamBroken)
            self.assertEqual(self.sink.sizes, [])

    def test_trouble_says_when_to_come_back(self) -> None:
        self.index.script(self.path, *[Status(503, {"Retry-After": "30"})] * 2)
        for failed in (self.fetch(), self.size()):
            self.assertEqual(self.failureResultOf(failed, UpstreamUnavailable).value.retry_after, 30)

    def test_refused_announcement_ends_the_transfer(self) -> None:
        sink = self.sink
        sink.refusal = UpstreamBroken("not that size")
        self.index.script(self.path, Stall(at=1))
        fetched = start(self.client.file(ROOT + self.path, sink))
        self.clock.advance(ASKING.idle_timeout)
        self.assertEqual(self.connections, 0)
        self.assertIs(self.failureResultOf(fetched).value, sink.refusal)
        self.assertEqual(sink.got, b"")

    def test_size_is_asked_without_fetching(self) -> None:
        self.assertEqual(self.successResultOf(self.size()), len(self.demo.content))
        self.assertEqual([seen.method for seen in self.index.requests], ["HEAD"])

    def test_size_is_unknown_where_upstream_does_not_say(self) -> None:
        for said in (None, "many", "-1", "\xb2"):
            self.index.script(self.path, SetHeaders({"Content-Length": said}))
            self.assertIsNone(self.successResultOf(self.size()), said)

    def test_cancelling_closes_the_connection(self) -> None:
        self.index.hold_body(self.path)
        fetched = self.fetch()
        self.assertEqual(self.connections, 1)
        fetched.cancel()
        self.failureResultOf(fetched, CancelledError)
        self.assertEqual(self.connections, 0)
        self.assertTrue(self.index.requests[0].left)
