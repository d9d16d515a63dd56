"""What becomes of what is published: yanking, deleting, statuses, names that are given away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from packaging.version import Version
from twisted.internet.defer import Deferred

from pypid.domain.errors import (
    FileDeleted,
    FileExists,
    FileNotFound,
    NameStillUsed,
    ProjectClosed,
    ProjectNotFound,
    UploadRefused,
)
from pypid.domain.files import ProjectPage, ProjectStatus, Status
from pypid.domain.names import NormalizedName
from pypid.domain.search import Query
from pypid.domain.subject import Subject
from tests.storage.life import BOB_S_TIME, LifeCase
from tests.storage.rows import DEMO, MAIN, OTHER, TWO, a_row

OLD, NEW, WHEEL = "demo-1.0.tar.gz", "demo-2.0.tar.gz", "demo-2.0-py3-none-any.whl"
PROJECT = Subject(project=DEMO)
RELEASE = Subject(project=DEMO, version=Version("2"))
FILE = Subject(project=DEMO, filename=OLD)


class ChangeCase(LifeCase):
    def setUp(self) -> None:
        super().setUp()
        self.publish(a_row(OLD, summary="Old"))
        self.publish(a_row(NEW, version="2.0", summary="New"))
        self.publish(a_row(WHEEL, version="2.0", filetype="bdist_wheel", summary="Wheel"))
        self.publish(a_row("other-1.0.tar.gz", project=OTHER))
        self.publish(a_row(OLD, index_name=TWO))

    def page(self) -> ProjectPage:
        page = self.result(self.records.page(MAIN, DEMO))
        assert page is not None
        return page

    def yanked(self) -> dict[str, str | None]:
        return {file.filename: file.yanked for file in self.page().files}

    def latest(self) -> tuple[str, str] | None:
        hits = self.result(self.records.search(MAIN, Query(names=["demo"])))
        return (hits[0].version, hits[0].summary) if hits else None


class YankTests(ChangeCase):
    def test_a_file_a_release_a_project(self) -> None:
        for subject, expected in ((FILE, {OLD}), (RELEASE, {NEW, WHEEL}), (PROJECT, {OLD, NEW, WHEEL})):
            self.assertEqual(self.changed(subject, "why"), expected)
            self.assertEqual({name for name, why in self.yanked().items() if why == "why"}, expected)
            self.assertEqual(self.changed(subject, None), expected)
            self.assertEqual(set(self.yanked().values()), {None})

    def changed(self, subject: Subject, reason: str | None) -> set[str]:
        names: list[str] = self.successResultOf(self.yank(subject, reason))
        return set(names)

    def test_nothing_else_is_yanked(self) -> None:
        others = self.rows("file")["file"]
        self.yank(FILE)
        changed = [row for row in self.rows("file")["file"] if row not in others]
        self.assertEqual([row[:2] for row in changed], [(MAIN, OLD)])

    def test_again_is_no_change_but_another_reason_is(self) -> None:
        self.yank(FILE, "why")
        before = self.page(), self.told()
        self.assertEqual(self.successResultOf(self.yank(FILE, "why")), [])
        self.assertEqual((self.page(), self.told()), before)
        self.assertEqual(self.successResultOf(self.yank(FILE, "")), [OLD])
        self.assertEqual(self.yanked()[OLD], "")

    def test_latest_release_follows(self) -> None:
        self.assertEqual(self.latest(), ("2.0", "Wheel"))
        self.yank(RELEASE)
        self.assertEqual(self.latest(), ("1.0", "Old"))
        self.yank(FILE)
        self.assertEqual(self.latest(), ("2.0", "Wheel"), "where all are yanked")

    def test_what_is_not_there(self) -> None:
        for change in (self.yank, self.delete):
            self.failureResultOf(change(Subject(project=DEMO, filename="demo-9.tar.gz")), FileNotFound)
            self.failureResultOf(change(Subject(project=DEMO, version=Version("9"))), FileNotFound)
            self.failureResultOf(change(Subject(project=OTHER, filename=OLD)), FileNotFound)
        self.delete(Subject(project=OTHER))
        self.release_name(OTHER)
        for change in (self.yank, self.delete):
            self.failureResultOf(change(Subject(project=OTHER)), ProjectNotFound)


class DeleteTests(ChangeCase):
    def test_a_file_a_release_a_project(self) -> None:
        self.assertEqual([file.filename for file in self.successResultOf(self.delete(FILE))], [OLD])
        self.assertEqual({file.filename for file in self.page().files}, {NEW, WHEEL})
        self.successResultOf(self.delete(RELEASE))
        self.assertEqual((self.page().files, self.page().versions), ((), ()))
        self.assertEqual(self.successResultOf(self.delete(PROJECT)), [], "there are none left")
        self.assertIsNone(self.latest())
        self.assertIn(DEMO, self.result(self.records.projects(MAIN)), "its name stays ours")

    def test_latest_release_follows(self) -> None:
        self.delete(Subject(project=DEMO, filename=WHEEL))
        self.assertEqual(self.latest(), ("2.0", "New"))
        self.delete(Subject(project=DEMO, filename=NEW))
        self.assertEqual(self.latest(), ("1.0", "Old"))

    def test_the_same_bytes_may_come_back(self) -> None:
        self.delete(FILE)
        self.assertTrue(self.successResultOf(self.publish(a_row(OLD))))
        self.assertEqual(self.rows("tombstone"), {"tombstone": []})
        self.assertNotIn("deleted_at", self.sidecar())

    def test_other_bytes_may_not(self) -> None:
        self.delete(FILE)
        other = a_row(OLD, sha256="00" * 32)
        self.failureResultOf(self.publish(other), FileDeleted)
        self.restart()
        self.failureResultOf(self.publish(other), FileDeleted)
        self.assertEqual({file.filename for file in self.page().files}, {NEW, WHEEL})
        self.assertFalse(self.successResultOf(self.publish(a_row(OLD, index_name=TWO))), "another index has its own")

    def test_unless_the_index_is_volatile(self) -> None:
        self.delete(FILE)
        self.assertTrue(self.successResultOf(self.publish(a_row(OLD, sha256="00" * 32), volatile=True)))
        self.assertEqual(self.told()[-1][1], "publish")

    def test_names_do_not_come_back_when_the_project_s_did(self) -> None:
        self.delete(PROJECT)
        self.release_name()
        self.failureResultOf(self.publish(a_row(OLD, sha256="00" * 32)), FileDeleted)


class OverwriteTests(ChangeCase):
    def test_on_a_volatile_index(self) -> None:
        self.yank(FILE)
        self.assertTrue(self.successResultOf(self.publish(a_row(OLD, sha256="00" * 32), volatile=True)))
        (file,) = (file for file in self.page().files if file.filename == OLD)
        self.assertEqual((file.sha256, file.yanked), ("00" * 32, None))
        self.assertEqual(self.told()[-1][1:], ("overwrite", OLD))
        self.assertEqual(self.sidecar()["sha256"], "00" * 32)

    def test_by_the_same_bytes_is_none(self) -> None:
        before = self.told()
        self.assertFalse(self.successResultOf(self.publish(a_row(OLD), volatile=True)))
        self.assertEqual(self.told(), before)

    def test_nowhere_else(self) -> None:
        self.failureResultOf(self.publish(a_row(OLD, sha256="00" * 32)), FileExists)

    def test_one_sdist_for_each_release_all_the_same(self) -> None:
        self.failureResultOf(self.publish(a_row("demo-1.zip", sha256="00" * 32), volatile=True), UploadRefused)


class StatusTests(ChangeCase):
    def test_said_and_taken_back(self) -> None:
        status = ProjectStatus(Status.DEPRECATED, "use other")
        self.assertTrue(self.successResultOf(self.set_status(status)))
        self.assertEqual(self.page().status, status)
        self.assertFalse(self.successResultOf(self.set_status(status)))
        self.restart()
        self.assertEqual(self.page().status, status)
        self.assertTrue(self.successResultOf(self.set_status(None)))
        self.assertIsNone(self.page().status)
        told = [(event.status, event.reason) for event in self.audit.since(5)]
        self.assertEqual(told, [("deprecated", "use other"), ("active", None)])

    def test_which_take_uploads(self) -> None:
        for number, status in enumerate(Status):
            self.set_status(ProjectStatus(status, "so"))
            done = self.publish(a_row(f"demo-{number}.9.tar.gz", version=f"{number}.9"))
            if status in {Status.ARCHIVED, Status.QUARANTINED}:
                why = self.failureResultOf(done, ProjectClosed).value
                self.assertIn(f"is {status.value}, and accepts no uploads: so", str(why))
                self.assertFalse(self.successResultOf(self.publish(a_row(OLD))), "it is there: that changes nothing")
            else:
                self.assertTrue(self.successResultOf(done), status)

    def test_quarantined_is_not_found(self) -> None:
        self.set_status(ProjectStatus(Status.QUARANTINED))
        self.assertIsNone(self.latest())
        self.set_status(ProjectStatus(Status.ARCHIVED))
        self.assertEqual(self.latest(), ("2.0", "Wheel"))

    def test_of_no_project(self) -> None:
        self.failureResultOf(self.set_status(None, NormalizedName("nobody")), ProjectNotFound)


class NameTests(ChangeCase):
    def test_given_away(self) -> None:
        self.set_status(ProjectStatus(Status.ARCHIVED))
        self.failureResultOf(self.release_name(), NameStillUsed)
        self.delete(PROJECT)
        self.successResultOf(self.release_name())
        self.assertIsNone(self.result(self.records.page(MAIN, DEMO)))
        self.assertNotIn(DEMO, self.result(self.records.projects(MAIN)))
        self.assertEqual(self.told()[-1][1], "release-name")
        self.failureResultOf(self.release_name(), ProjectNotFound)

    def test_taken_again(self) -> None:
        """It begins anew, but for the filenames."""
        self.set_status(ProjectStatus(Status.ARCHIVED))
        self.delete(PROJECT)
        self.release_name()
        self.assertTrue(self.successResultOf(self.publish(a_row(OLD))))
        self.assertIsNone(self.page().status)


class SerialTests(ChangeCase):
    def test_each_change_has_the_next_and_shows_on_the_page(self) -> None:
        seen = [(self.page().serial, self.page().revision)]
        changes: list[Callable[[], Deferred[Any]]] = [
            lambda: self.yank(FILE),
            lambda: self.yank(FILE, None),
            lambda: self.set_status(ProjectStatus(Status.DEPRECATED)),
            lambda: self.delete(FILE),
            lambda: self.publish(a_row(OLD)),
            lambda: self.delete(PROJECT),
        ]
        for change in changes:
            self.successResultOf(change())
            seen.append((self.page().serial, self.page().revision))
        self.assertEqual([serial for serial, _ in seen], [3, 6, 7, 8, 9, 10, 11])
        self.assertEqual(len({revision for _, revision in seen}), len(seen))
        (last,) = (change for change in self.result(self.records.last_changes(MAIN)) if change.project == DEMO)
        self.assertEqual((last.serial, last.time.isoformat(timespec="microseconds")), (11, BOB_S_TIME))

    def test_refused_ones_use_none(self) -> None:
        self.failureResultOf(self.publish(a_row(OLD, sha256="00" * 32)), FileExists)
        self.failureResultOf(self.yank(Subject(project=DEMO, filename="x")), FileNotFound)
        self.yank(FILE)
        self.assertEqual(self.page().serial, 6)
