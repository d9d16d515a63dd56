"""Alarms of upstreams that change what they have published: each is raised once, and nothing is lost."""

from __future__ import annotations

from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from zope.interface import implementer

from pypid.domain.drift import DriftKind
from pypid.domain.errors import ProjectNotFound
from pypid.indexes.drifts import LOGGED_AT_ONCE
from tests.indexes.stores import DEMO, MIRROR
from tests.indexes.test_pages import OLD_ENOUGH, PagesTestCase
from tests.kit.dists import Dist, sdist, wheel
from tests.upstream.network import start

LATER = "2026-03-01T00:00:00Z"


@implementer(ILogObserver)
class Alarms:
    def __init__(self) -> None:
        self.events: list[LogEvent] = []

    def __call__(self, event: LogEvent) -> None:
        if "drift" in event:
            self.events.append(event)


class DriftTests(PagesTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.log = Alarms()
        globalLogPublisher.addObserver(self.log)
        self.addCleanup(globalLogPublisher.removeObserver, self.log)
        self.got()

    def again(self) -> None:
        self.clock.advance(OLD_ENOUGH)
        self.get().addErrback(lambda failure: failure.trap(ProjectNotFound))

    def raised(self) -> list[tuple[str, str | None]]:
        return [(event["drift"], event["filename"]) for event in self.log.events]

    def test_each_change_is_logged_and_counted_once(self) -> None:
        demo = wheel("demo")
        self.index.add(demo, yanked="broken")
        self.again()
        self.assertEqual(self.raised(), [])
        self.index.add(demo, upload_time=LATER)
        self.index.add(sdist("demo"), upload_time=LATER)
        for _ in range(3):
            self.again()
            self.index.add(wheel("demo", f"{2 + self.asked()}.0"), upload_time=LATER)
        expected = [("upload-time", demo.filename), ("unyanked", demo.filename), ("late-file", "demo-1.0.tar.gz")]
        self.assertEqual(sorted(self.raised()), sorted(expected))
        self.assertEqual(self.drifts.counts[MIRROR, DriftKind.UNYANKED], 1)

    def test_time_that_clients_were_told_stays(self) -> None:
        told = self.successResultOf(self.get()).files[0].upload_time
        self.index.add(wheel("demo"), upload_time=LATER)
        self.again()
        self.assertEqual(self.successResultOf(self.get()).files[0].upload_time, told)

    def test_a24_project_that_is_gone_leaves_its_files_to_lock_files(self) -> None:
        demo = wheel("demo")
        self.assertEqual(self.read(demo), demo.content)
        self.index.remove_project("demo")
        self.again()
        self.failureResultOf(self.get(), ProjectNotFound)
        self.assertEqual(self.raised(), [("gone", None)])
        self.assertEqual(self.read(demo), demo.content)

    def test_flood_of_changes_is_counted_whole_and_logged_in_part(self) -> None:
        files = [wheel("demo", f"{number}.0") for number in range(2, 2 + 2 * LOGGED_AT_ONCE)]
        for dist in files:
            self.index.add(dist)
        self.again()
        for dist in files:
            self.index.add(dist, upload_time=LATER)
        self.again()
        self.assertEqual(len(self.raised()), LOGGED_AT_ONCE)
        self.assertEqual(self.drifts.counts[MIRROR, DriftKind.UPLOAD_TIME], len(files))

    def read(self, dist: Dist) -> bytes:
        mirror = self.mirror(pages=self.pages)
        body = self.successResultOf(start(mirror.open_file(DEMO, dist.filename, dist.sha256[:16])))
        return self.successResultOf(self.read_all(body))
