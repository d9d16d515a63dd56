"""Every file that a mirror lists has an upload time, and keeps it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import ParamSpec, TypeVar

from twisted.internet.defer import Deferred

from pypid.domain.files import ProjectPage, Status, TimeSource
from pypid.indexes.held import page_memory
from pypid.offload import inline
from pypid.storage.cached import CachedRecords
from pypid.storage.database import Database
from tests.indexes.stores import MIRROR, RULES
from tests.indexes.test_pages import FILES_1, OLD_ENOUGH, PAGE, PagesTestCase
from tests.kit.dists import wheel
from tests.kit.pages import PageStyle
from tests.kit.upstream import Status as Answer
from tests.upstream.network import LIMITS, client_over

P = ParamSpec("P")
T = TypeVar("T")

HTML = {"Content-Type": "text/html"}
GRPCIO_FILES = 11_221


class TimesTestCase(PagesTestCase):
    def times(self) -> dict[str, datetime | None]:
        page: ProjectPage = self.successResultOf(self.get())
        return {file.filename: file.upload_time for file in page.files}

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.clock.seconds(), UTC)

    def restart(self) -> None:
        self.pages = self.mirror_pages()


class HtmlUpstreamTests(TimesTestCase):
    style = PageStyle(json=False)

    def test_first_seen_for_good(self) -> None:
        """Neither a refresh, nor a restart, nor a new file beside it moves the time; the new file has its own."""
        first = self.now()
        self.assertEqual(self.times(), {FILES_1[0]: first})
        self.clock.advance(OLD_ENOUGH)
        self.assertEqual(self.times(), {FILES_1[0]: first}, "confirmed")
        self.restart()
        self.assertEqual(self.times(), {FILES_1[0]: first}, "another run")
        self.clock.advance(OLD_ENOUGH)
        second = self.index.add(wheel("demo", "2.0"))
        expected = {FILES_1[0]: first, second.filename: self.now()}
        self.assertEqual(self.times(), expected)
        self.clock.advance(OLD_ENOUGH)
        self.restart()
        self.assertEqual(self.times(), expected)

    def test_withdrawn_and_back(self) -> None:
        """A project that upstream deletes and shows again is as old as it was."""
        first = self.times()
        self.clock.advance(OLD_ENOUGH)
        self.index.script(PAGE, Answer(404))
        self.failureResultOf(self.get())
        self.clock.advance(OLD_ENOUGH)
        self.assertEqual(self.times(), first)

    def test_same_revision_after_a_restart(self) -> None:
        """So that clients' copies stay valid."""
        before = self.successResultOf(self.get()).revision
        self.clock.advance(100)
        self.restart()
        self.assertEqual(self.successResultOf(self.get()).revision, before)

    def test_upstream_learns_json(self) -> None:
        """The time that was told stays, over a restart too."""
        first = self.times()
        self.index.style = PageStyle()
        self.clock.advance(OLD_ENOUGH)
        for _ in range(2):
            (file,) = self.successResultOf(self.get()).files
            self.assertEqual((file.upload_time, file.upload_time_source), (first[FILES_1[0]], TimeSource.FIRST_SEEN))
            self.assertIsNotNone(file.size, "the page is the new one")
            self.restart()

    def test_full_disk(self) -> None:
        """A time that cannot be recorded costs no client its answer, and is recorded once there is room."""
        first = self.times()
        self.index.add(wheel("demo", "2.0"))
        self.cache_writer.full = {"_write"}
        self.clock.advance(OLD_ENOUGH)
        both = self.times()
        self.assertEqual(both, first | {"demo-2.0-py3-none-any.whl": self.now()})
        self.cache_writer.full = set()
        self.index.add(wheel("demo", "3.0"))
        self.clock.advance(OLD_ENOUGH)
        three = self.times()
        self.assertEqual(three, both | {"demo-3.0-py3-none-any.whl": self.now()})
        self.restart()
        self.assertEqual(self.times(), three)

    def test_other_indexes_have_their_own(self) -> None:
        """When one index began to mirror a file says nothing of another."""
        first = self.times()
        self.clock.advance(100)
        self.pages = self.mirror_pages(type(MIRROR)("second"))
        self.assertEqual(self.times(), {FILES_1[0]: self.now()})
        self.pages = self.mirror_pages()
        self.assertEqual(self.times(), first)


class JsonUpstreamTests(TimesTestCase):
    def test_upstreams_time(self) -> None:
        (file,) = self.successResultOf(self.get()).files
        self.assertEqual(file.upload_time_source, TimeSource.UPSTREAM)
        assert file.upload_time is not None
        self.assertLess(file.upload_time, self.now())

    def test_upstream_forgets_json(self) -> None:
        """A proxy in front of it that strips the times moves none of them, over a restart too."""
        first = self.times()
        self.index.style = PageStyle(upload_times=False)
        self.clock.advance(OLD_ENOUGH)
        self.assertEqual(self.times(), first)
        self.restart()
        self.assertEqual(self.times(), first)


class StatusTests(TimesTestCase):
    def test_quarantined(self) -> None:
        """What upstream has quarantined is shown as such, with no file, and is not "not found"."""
        self.got()
        self.clock.advance(OLD_ENOUGH)
        self.index.set_status("demo", "quarantined", "malware")
        page = self.successResultOf(self.get())
        assert page.status is not None
        self.assertEqual((page.files, page.status.status, page.status.reason), ((), Status.QUARANTINED, "malware"))

    def test_quarantined_in_html(self) -> None:
        """A page in HTML that has no files any more, and says why, is no login page."""
        self.got()
        self.clock.advance(OLD_ENOUGH)
        body = b'<!DOCTYPE html><html><meta name="pypi:project-status" content="quarantined"></html>'
        self.index.script(PAGE, Answer(200, HTML, body))
        self.assertEqual(self.got(), [])


class Counting:
    """An `Offload` that works at once and counts."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()

    def __call__(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Deferred[T]:
        self.calls[function.__name__] += 1
        return inline(function, *args, **kwargs)


class BigPageTests(TimesTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client = client_over(self.agent, self.clock, replace(LIMITS, max_page=2**22))
        self.disk_calls = Counting()
        database = Database(
            self.data / "big.db", "cache", durability="NORMAL", write=self.disk_calls, read=self.disk_calls
        )
        database.open()
        self.addCleanup(database.close)
        self.records = CachedRecords(database)
        self.restart()

    def restart(self) -> None:
        rules = replace(RULES, max_page=2**22)
        self.pages = self.mirror_pages(records=self.records, memory=page_memory(2**26), rules=rules)

    def calls(self) -> tuple[int, int]:
        """Return how many queries and transactions there were since the last time."""
        calls = self.disk_calls.calls
        counts = calls["_read"], calls["_write"]
        calls.clear()
        return counts

    def test_one_query_and_one_transaction(self) -> None:
        """As many files as grpcio has cost no more round trips than one."""
        links = [
            f'<a href="demo-1.{n}.tar.gz#sha256={hashlib.sha256(b"%d" % n).hexdigest()}">' for n in range(GRPCIO_FILES)
        ]
        self.index.script(PAGE, Answer(200, HTML, "\n".join(["<!DOCTYPE html>", *links]).encode()))
        first = self.now()
        self.assertEqual(set(self.times().values()), {first})
        self.assertEqual(self.calls(), (5, 2), "with those of the page itself, and of what else is known of its files")
        self.clock.advance(100)
        self.restart()
        times = self.times()
        self.assertEqual((len(times), set(times.values())), (GRPCIO_FILES, {first}))
        self.assertEqual(self.calls(), (5, 0))
