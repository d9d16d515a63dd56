"""A mirror with rules of ours over it."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from packaging.version import Version
from twisted.internet.defer import Deferred

from pypid.domain.errors import FileBlocked
from pypid.domain.files import ProjectPage, ProjectStatus, Status
from pypid.domain.names import IndexName
from pypid.domain.subject import Subject
from pypid.indexes.layered import LayeredIndex
from pypid.indexes.overlaid import OverlaidIndex
from pypid.indexes.overlaying import OverlayCurator
from pypid.storage.overlays import Overlays
from tests.indexes.stores import DEMO, MIRROR, StoresTestCase
from tests.kit.dists import wheel
from tests.storage.rows import ALICE
from tests.upstream.network import start

ONE = Subject(project=DEMO, version=Version("1.0"))
WHOLE = Subject(project=DEMO)


class OverlaidTests(StoresTestCase):
    def setUp(self) -> None:
        super().setUp()
        overlays = Overlays(self.hosted._database, self.hosted._journal)
        self.overlay = OverlayCurator(overlays=overlays, now=self.clock.seconds)
        self.overlaid = OverlaidIndex(self.mirror(), overlays)
        self.old, self.new = self.index.add(wheel("demo", "1.0")), self.index.add(wheel("demo", "2.0"))

    def done(self, work: Coroutine[Deferred[Any], Any, Any]) -> Any:
        return self.successResultOf(start(work))

    def page(self) -> ProjectPage:
        page: ProjectPage = self.done(self.overlaid.project_page(DEMO))
        return page

    def shown(self) -> dict[str, str | None]:
        return {file.filename: file.yanked for file in self.page().files}

    def test_yanked_release_is_shown_as_such_and_served(self) -> None:
        before = self.page()
        self.assertTrue(self.done(self.overlay.yank(MIRROR, ONE, "breaks our builds", ALICE)))
        self.assertEqual(self.shown(), {self.old.filename: "breaks our builds", self.new.filename: None})
        self.assertNotEqual(self.page().revision, before.revision)
        body = self.done(self.overlaid.open_file(DEMO, self.old.filename, self.old.sha256[:16]))
        self.assertEqual(self.successResultOf(self.read_all(body)), self.old.content)
        self.assertTrue(self.done(self.overlay.unyank(MIRROR, ONE, ALICE)))
        self.assertEqual((self.page().files, self.page().revision), (before.files, before.revision))

    def test_blocked_release_is_neither_shown_nor_served(self) -> None:
        """Also when it is in the cache, and to who knows its URL."""
        body = self.done(self.overlaid.open_file(DEMO, self.old.filename, self.old.sha256[:16]))
        self.successResultOf(self.read_all(body))
        self.assertTrue(self.done(self.overlay.block(MIRROR, ONE, "malware", ALICE)))
        self.assertEqual(self.shown(), {self.new.filename: None})
        for opening in (self.overlaid.open_file, self.overlaid.open_core_metadata, self.overlaid.provenance):
            refused = start(opening(DEMO, self.old.filename, self.old.sha256[:16]))
            self.assertIn("malware", str(self.failureResultOf(refused, FileBlocked).value))
        body = self.done(self.overlaid.open_file(DEMO, self.new.filename, self.new.sha256[:16]))
        self.assertEqual(self.successResultOf(self.read_all(body)), self.new.content)
        self.assertTrue(self.done(self.overlay.unblock(MIRROR, ONE, ALICE)))
        self.assertEqual(set(self.shown()), {self.old.filename, self.new.filename})

    def test_blocked_project_is_there_without_files_and_nobody_is_asked(self) -> None:
        """Neither this upstream nor the next base: both could answer with what was to be kept out."""
        self.done(self.overlay.block(MIRROR, WHOLE, "typosquat", ALICE))
        layered = LayeredIndex(IndexName("main"), [self.overlaid, self.mirror(IndexName("second"))])
        for index in (self.overlaid, layered):
            page = self.done(index.project_page(DEMO))
            self.assertEqual((page.files, page.status), ((), ProjectStatus(Status.QUARANTINED, "typosquat")))
            self.failureResultOf(start(index.open_file(DEMO, self.old.filename, self.old.sha256[:16])), FileBlocked)
        self.assertEqual(self.index.requests, [])

    def test_status_of_ours_and_upstreams_again(self) -> None:
        self.done(self.overlay.set_status(MIRROR, DEMO, ProjectStatus(Status.DEPRECATED, "use other"), ALICE))
        self.assertEqual(self.page().status, ProjectStatus(Status.DEPRECATED, "use other"))
        self.assertEqual(len(self.shown()), 2)
        self.done(self.overlay.set_status(MIRROR, DEMO, None, ALICE))
        self.assertEqual(self.page().status, ProjectStatus(Status.ACTIVE), "what upstream says")

    def test_another_index_is_not_touched(self) -> None:
        self.done(self.overlay.block(IndexName("second"), WHOLE, "", ALICE))
        self.assertEqual(len(self.shown()), 2)
