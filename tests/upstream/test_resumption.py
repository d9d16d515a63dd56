"""The rest of an upstream file, as `UpstreamClient` asks for it: what comes is the rest, or all of it, or an error."""

from twisted.internet.defer import Deferred

from pypid.domain.errors import RangesRefused, UpstreamBroken, UpstreamLacksFile, UpstreamUnavailable
from pypid.upstream.client import Resumption
from tests.kit.dists import wheel
from tests.kit.upstream import Chunked, NoLength, SetHeaders, Status, redirect
from tests.upstream.network import LIMITS, ROOT, UpstreamTestCase, start
from tests.upstream.test_files import Sink


class ResumptionTests(UpstreamTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.demo = self.index.add(wheel("demo", size=100_000))
        self.path = self.index.file_path(self.demo)
        self.sink = Sink()
        self.successResultOf(start(self.client.file(ROOT + self.path, self.sink)))
        self.etag = self.sink.validators[0]

    def resume(self, start_at: int = 1000, validator: str | None = None) -> Deferred[None]:
        self.sink = Sink()
        rest = Resumption(start=start_at, validator=validator or self.etag or "none")
        return start(self.client.file(ROOT + self.path, self.sink, resumption=rest))

    def test_rest_comes_without_a_beginning(self) -> None:
        self.successResultOf(self.resume())
        self.assertEqual((self.sink.sizes, self.sink.got), ([], self.demo.content[1000:]))
        asked = self.index.requests[-1].headers
        self.assertEqual((asked["range"], asked["if-range"]), ("bytes=1000-", self.etag))
        self.assertEqual((asked["accept-encoding"], asked.get("cache-control")), ("identity", None))

    def test_file_that_has_changed_comes_anew(self) -> None:
        self.successResultOf(self.resume(validator='"another"'))
        self.assertEqual((self.sink.sizes, self.sink.got), ([len(self.demo.content)], self.demo.content))
        self.assertEqual(self.sink.validators, [self.etag])

    def test_rest_is_had_through_a_redirection(self) -> None:
        self.index.script("/packages/old", redirect(self.path))
        self.path = "/packages/old"
        self.successResultOf(self.resume())
        self.assertEqual(self.sink.got, self.demo.content[1000:])

    def test_rest_of_unsaid_length(self) -> None:
        for fault in (Chunked(), NoLength()):
            self.index.script(self.path, fault)
            self.successResultOf(self.resume())
            self.assertEqual((self.sink.sizes, self.sink.got), ([], self.demo.content[1000:]))

    def test_other_rest_than_was_asked_for(self) -> None:
        for said in (None, "bytes 999-99999/100000", "bytes */100000", "bytes 1000-1/2, bytes 1000-1/2"):
            self.index.script(self.path, SetHeaders({"Content-Range": said}))
            self.failureResultOf(self.resume(), RangesRefused)
            self.assertEqual(self.sink.got, b"")

    def test_part_that_nobody_asked_for(self) -> None:
        self.index.script(self.path, Status(206, {"Content-Range": "bytes 0-1/2"}, b"xx"))
        self.failureResultOf(start(self.client.file(ROOT + self.path, Sink())), UpstreamBroken)

    def test_other_statuses(self) -> None:
        for status, expected in (
            (404, UpstreamLacksFile),
            (410, UpstreamLacksFile),
            (416, UpstreamBroken),
            (503, UpstreamUnavailable),
        ):
            self.index.script(self.path, Status(status))
            self.failureResultOf(self.resume(), expected)

    def test_limit_is_that_of_the_whole_file(self) -> None:
        said = {"Content-Range": f"bytes {LIMITS.max_file - 10}-{LIMITS.max_file}/*"}
        self.index.script(self.path, Status(206, said, bytes(11)))
        self.failureResultOf(self.resume(LIMITS.max_file - 10), UpstreamBroken)

    def test_no_cache_may_answer(self) -> None:
        self.successResultOf(start(self.client.file(ROOT + self.path, Sink(), no_cache=True)))
        self.assertEqual(self.index.requests[-1].headers["cache-control"], "no-cache")
