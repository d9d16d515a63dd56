"""What happens to releases after they are published, as those see it who ask the indexes."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from twisted.internet.defer import CancelledError, Deferred

from pypid.domain.errors import FileNotFound, ProjectClosed, ProjectNotFound
from pypid.domain.files import ProjectPage, ProjectStatus, Status
from pypid.domain.names import IndexName
from pypid.domain.search import Query
from pypid.domain.subject import Subject
from pypid.indexes.layered import LayeredIndex
from tests.indexes.stores import DEMO
from tests.indexes.test_publishing import MAIN, PublishTestCase
from tests.kit.dists import wheel
from tests.storage.rows import ALICE
from tests.upstream.network import start

PROJECT = Subject(project=DEMO)
QUARANTINED = ProjectStatus(Status.QUARANTINED, "malware")


class CuratingCase(PublishTestCase):
    """A hosted index over a mirror that has a project of the same name, with a higher version."""

    def setUp(self) -> None:
        super().setUp()
        self.demo = wheel("demo")
        self.successResultOf(self.publish(self.demo))
        self.curating = self.curator()
        self.theirs = self.index.add(wheel("demo", "99.0"))
        self.layered = LayeredIndex(IndexName("both"), [self.main, self.mirror()])

    def now(self, call: Coroutine[Deferred[Any], Any, Any]) -> Any:
        return self.successResultOf(start(call))

    def page(self) -> ProjectPage:
        page: ProjectPage = self.now(self.layered.project_page(DEMO))
        return page

    def open(self) -> Deferred[Any]:
        return start(self.layered.open_file(DEMO, self.demo.filename, self.demo.sha256[:16]))

    def check_not_asked_elsewhere(self) -> None:
        self.assertEqual(self.index.requests, [])


class CuratorTests(CuratingCase):
    def test_yanked_is_listed_as_such_and_served(self) -> None:
        self.assertEqual(self.now(self.curating.yank(MAIN, PROJECT, "broken", ALICE)), [self.demo.filename])
        self.assertEqual([file.yanked for file in self.page().files], ["broken"])
        self.assertEqual(self.successResultOf(self.read_all(self.successResultOf(self.open()))), self.demo.content)
        self.assertEqual(self.now(self.curating.unyank(MAIN, PROJECT, ALICE)), [self.demo.filename])
        self.assertEqual([file.yanked for file in self.page().files], [None])
        (event, _) = self.audit.after(1, 10)
        self.assertEqual((event.user, event.address, event.reason), ("alice", ALICE.address, "broken"))
        self.assertEqual(event.time, "2027-01-15T08:00:00.000000+00:00")

    def test_deleted_is_gone_and_nobody_is_asked_instead(self) -> None:
        opened = self.successResultOf(self.open())
        self.assertEqual(self.now(self.curating.delete(MAIN, PROJECT, ALICE)), [self.demo.filename])
        self.assertEqual((self.page().files, self.page().versions), ((), ()))
        self.failureResultOf(self.open(), FileNotFound)
        self.check_not_asked_elsewhere()
        self.assertEqual(self.successResultOf(self.read_all(opened)), self.demo.content, "F08: who had it, has it")

    def test_quarantined_is_there_without_files(self) -> None:
        self.assertTrue(self.now(self.curating.set_status(MAIN, DEMO, QUARANTINED, ALICE)))
        page = self.page()
        self.assertEqual((page.files, page.versions, page.status), ((), (), QUARANTINED))
        self.failureResultOf(self.open(), FileNotFound)
        self.failureResultOf(
            start(self.layered.open_core_metadata(DEMO, self.demo.filename, self.demo.sha256[:16])), FileNotFound
        )
        self.assertEqual([page.files for page in self.now(self.main.hosted_pages())], [()])
        self.failureResultOf(self.publish(wheel("demo", "2.0")), ProjectClosed)
        self.check_not_asked_elsewhere()
        self.assertTrue(self.now(self.curating.set_status(MAIN, DEMO, None, ALICE)))
        self.assertEqual([file.filename for file in self.page().files], [self.demo.filename])
        self.assertFalse(self.now(self.curating.set_status(MAIN, DEMO, None, ALICE)))

    def test_a_search_does_not_find_another_s_project_in_the_place_of_ours(self) -> None:
        self.now(self.mirror().project_page(DEMO))
        query = Query(names=["demo"])
        self.assertEqual([hit.version for hit in self.now(self.mirror().search(query))], ["99.0"])
        self.assertEqual([hit.version for hit in self.now(self.layered.search(query))], ["1.0"])
        self.now(self.curating.set_status(MAIN, DEMO, QUARANTINED, ALICE))
        self.assertEqual(self.now(self.layered.search(query)), [])
        self.now(self.curating.set_status(MAIN, DEMO, None, ALICE))
        self.now(self.curating.delete(MAIN, PROJECT, ALICE))
        self.assertEqual(self.now(self.layered.search(query)), [])

    def test_refused_uploads_leave_no_bytes(self) -> None:
        self.now(self.curating.set_status(MAIN, DEMO, ProjectStatus(Status.ARCHIVED), ALICE))
        before = self.kept_blobs()
        self.failureResultOf(self.publish(wheel("demo", "2.0")), ProjectClosed)
        self.assertEqual(self.kept_blobs(), before)

    def test_a_name_that_is_given_away_is_asked_for_elsewhere(self) -> None:
        self.now(self.curating.delete(MAIN, PROJECT, ALICE))
        self.now(self.curating.release_name(MAIN, DEMO, ALICE))
        self.assertEqual([file.filename for file in self.page().files], [self.theirs.filename])
        self.failureResultOf(start(self.curating.release_name(MAIN, DEMO, ALICE)), ProjectNotFound)

    def test_who_leaves_stops_nothing(self) -> None:
        self.hosted_writer.held = "*"
        waiting = start(self.curating.delete(MAIN, PROJECT, ALICE))
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)
        self.hosted_writer.release()
        self.assertEqual(self.page().files, ())
