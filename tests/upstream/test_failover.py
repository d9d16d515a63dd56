"""An index and its replicas: who is asked, and when nobody else is."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from pypid.domain.errors import UpstreamBroken, UpstreamUnavailable
from pypid.upstream.client import Absent, FetchedPage, Unchanged
from pypid.upstream.failover import STAYS, Failover
from tests.kit.dists import wheel
from tests.kit.upstream import Fin, Rst, Status
from tests.upstream.network import UpstreamTestCase, start

ONE, TWO, THREE = "http://one.test/simple/", "http://two.test/simple/", "http://three.test/simple/"
PAGE = "/simple/demo/"


class Sink:
    def __init__(self) -> None:
        self.content = b""

    def begin(self, size: int | None, validator: str | None) -> None: ...

    async def write(self, data: bytes) -> None:
        self.content += data


class FailoverTests(UpstreamTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.demo = self.index.add(wheel("demo", size=300_000))
        self.failover = Failover(self.client, [ONE, TWO, THREE], self.clock)

    def page(self, etag: str | None = None) -> Deferred[FetchedPage | Unchanged | Absent]:
        return start(self.failover.page(f"{ONE}demo/", etag=etag, last_modified=None))

    def url(self) -> str:
        answer = self.successResultOf(self.page())
        assert isinstance(answer, FetchedPage)
        return answer.url

    def hosts(self) -> list[str]:
        return [seen.headers["host"].removesuffix(".test") for seen in self.index.requests]

    def test_first_is_asked_while_it_can_be(self) -> None:
        self.assertEqual([self.url(), self.url()], [f"{ONE}demo/"] * 2)
        self.assertEqual(self.hosts(), ["one", "one"])

    def test_next_is_asked_and_stays_the_first_for_a_while(self) -> None:
        self.index.script(PAGE, Status(503), Rst())
        self.assertEqual(self.url(), f"{THREE}demo/")
        self.assertEqual(self.url(), f"{THREE}demo/")
        self.assertEqual(self.hosts(), ["one", "two", "three", "three"])
        self.clock.advance(STAYS)
        self.assertEqual(self.url(), f"{ONE}demo/")

    def test_one_that_stayed_and_fails_is_not_the_last_word(self) -> None:
        self.index.script(PAGE, Status(503))
        self.assertEqual(self.url(), f"{TWO}demo/")
        self.index.script(PAGE, Status(503))
        self.assertEqual(self.url(), f"{ONE}demo/")
        self.assertEqual(self.hosts(), ["one", "two", "two", "one"])

    def test_when_nobody_can_be_asked_that_is_said(self) -> None:
        self.index.script(PAGE, Status(503), times=3)
        self.failureResultOf(self.page(), UpstreamUnavailable)
        self.assertEqual(self.hosts(), ["one", "two", "three"])

    def test_any_answer_counts(self) -> None:
        for fault, expected in ((Status(404), Absent), (Status(200, {"Content-Type": "image/png"}, b""), None)):
            self.index.script(PAGE, fault)
            if expected is None:
                self.failureResultOf(self.page(), UpstreamBroken)
            else:
                self.assertIsInstance(self.successResultOf(self.page()), expected)
        self.assertEqual(self.hosts(), ["one", "one"])

    def test_validators_are_sent_to_whoever_is_asked(self) -> None:
        first = self.successResultOf(self.page())
        assert isinstance(first, FetchedPage)
        self.index.script(PAGE, Status(503))
        self.successResultOf(self.page(first.etag))
        self.assertEqual([seen.headers["if-none-match"] for seen in self.index.requests[1:]], [first.etag] * 2)

    def test_file_is_fetched_from_where_it_lies_at_the_replica(self) -> None:
        path = self.index.file_path(self.demo)
        self.index.script(path, Status(503))
        sink = Sink()
        self.successResultOf(start(self.failover.file(f"http://one.test{path}", sink)))
        self.assertEqual(sink.content, self.demo.content)
        self.assertEqual(self.hosts(), ["one", "two"])

    def test_file_of_which_something_has_come_is_nobody_elses(self) -> None:
        """Who has its beginning decides where to have the rest."""
        path = self.index.file_path(self.demo)
        self.index.script(path, Fin(1000))
        self.failureResultOf(start(self.failover.file(f"http://one.test{path}", Sink())), UpstreamUnavailable)
        self.assertEqual(self.hosts(), ["one"])

    def test_file_on_another_host_has_no_replica(self) -> None:
        path = self.index.file_path(self.demo)
        self.index.script(path, Status(503))
        self.failureResultOf(start(self.failover.file(f"http://cdn.test{path}", Sink())), UpstreamUnavailable)
        self.assertEqual(self.hosts(), ["cdn"])
