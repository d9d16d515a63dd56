"""What a start makes of sidecars that say more than hosted.db."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pypid.domain.errors import FileDeleted
from pypid.domain.files import ProjectStatus, Status
from pypid.domain.subject import Subject
from pypid.storage.audit import AuditLog
from pypid.storage.recovery import OlderDatabase
from pypid.storage.sidecars import PROJECT
from tests.storage.life import LifeCase
from tests.storage.rows import ALICE, DEMO, OTHER, a_row

FILE = Subject(project=DEMO, filename="demo-1.0.tar.gz")


class CrashTests(LifeCase):
    """SIGKILL between the sidecars and the commit."""

    def crash(self, *changes: Any) -> None:
        """Have ``changes`` made in one transaction, but for its commit, and start again."""
        before, waiting = self.saved(), [self.enter(change()) for change in changes]
        self.commit()
        for done in waiting:
            self.successResultOf(done)
        self.put_back(before)

    def check_undone(self, change: Callable[[], Any]) -> None:
        """A change that is interrupted leaves the sidecars as they were, and its serial unused."""
        files, rows, told = self.kept_sidecars(), self.rows("project", "file", "tombstone"), self.told()
        self.crash(change)
        self.assertEqual(self.kept_sidecars(), files)
        self.assertEqual(self.rows("project", "file", "tombstone"), rows)
        later = self.told()[len(told) :]
        self.assertEqual([action for _, action, _ in later][1::2], ["undone"] * (len(later) // 2))
        self.restart()
        self.assertEqual(self.told(), [*told, *later], "once is enough")
        self.publish(a_row("other-1.0.tar.gz", project=OTHER))
        self.assertEqual(self.told()[-1][0], later[-1][0] + 1, "no serial is used twice")

    def test_yank(self) -> None:
        self.publish(a_row(), {"summary": ["x"]})
        self.check_undone(lambda: self.records.yank(self.deed(), FILE, "broken"))

    def test_delete(self) -> None:
        self.publish(a_row(), {"summary": ["x"]})
        self.check_undone(lambda: self.records.delete(self.deed(), FILE))

    def test_status(self) -> None:
        self.publish(a_row())
        self.set_status(ProjectStatus(Status.DEPRECATED, "old"))
        self.check_undone(
            lambda: self.records.set_status(self.deed(), DEMO, ProjectStatus(Status.QUARANTINED, "malware"))
        )

    def test_first_status(self) -> None:
        """There was no sidecar of the project: it may stay, and says what is right."""
        self.publish(a_row())
        self.crash(lambda: self.records.set_status(self.deed(), DEMO, ProjectStatus(Status.QUARANTINED)))
        self.assertIsNone(self.sidecar(PROJECT)["status"])

    def test_release_of_a_name(self) -> None:
        self.publish(a_row())
        self.set_status(ProjectStatus(Status.DEPRECATED))
        self.delete(FILE)
        self.crash(lambda: self.records.release_name(self.deed(), DEMO))
        self.assertEqual((self.sidecar(PROJECT)["status"], "released" in self.sidecar(PROJECT)), ("deprecated", False))

    def test_upload(self) -> None:
        """It was never acknowledged. What came stays, marked, until somebody uploads it again."""
        self.crash(lambda: self.records.publish(a_row(), {"a": ["b"]}, ALICE))
        self.assertIsNone(self.row())
        self.assertTrue(self.sidecar()["undone"])
        self.assertEqual(self.sidecar()["form"], {"a": ["b"]})
        self.publish(a_row(sha256="00" * 32))
        self.assertEqual((self.sidecar()["sha256"], "undone" in self.sidecar()), ("00" * 32, False))

    def test_upload_in_the_place_of_another_file(self) -> None:
        self.publish(a_row(), {"summary": ["x"]})
        before = self.sidecar()
        self.crash(lambda: self.records.publish(a_row(sha256="00" * 32), {}, ALICE, volatile=True))
        self.assertEqual(self.sidecar() | {"form": {}}, before | {"form": {}})

    def test_upload_of_what_was_deleted(self) -> None:
        """It is deleted still, which the sidecar has to say: 'pypid rebuild' would have it published."""
        self.publish(a_row())
        self.delete(FILE)
        before = self.sidecar()
        self.crash(lambda: self.records.publish(a_row(), {}, ALICE))
        self.assertEqual({**before, **self.sidecar()}, self.sidecar() | {"uploaded_at": before["uploaded_at"]})
        for key in ("sha256", "serial", "deleted_at", "deleted_by"):
            self.assertEqual(self.sidecar()[key], before[key])
        self.failureResultOf(self.publish(a_row(sha256="00" * 32)), FileDeleted)

    def test_several_at_once(self) -> None:
        self.publish(a_row())
        before = self.sidecar()
        self.crash(
            lambda: self.records.publish(a_row("demo-2.0.tar.gz", version="2.0"), {}, ALICE),
            lambda: self.records.yank(self.deed(), FILE, "broken"),
            lambda: self.records.delete(self.deed(), Subject(project=DEMO)),
        )
        self.assertEqual(self.sidecar(), before)
        self.assertTrue(self.sidecar("demo-2.0.tar.gz")["undone"])
        self.assertEqual([action for _, action, _ in self.told()].count("undone"), 4)

    def test_before_the_sidecars(self) -> None:
        """The log alone was written."""
        self.publish(a_row())
        before = self.kept_sidecars()
        (event,) = self.audit.since(0)
        other = AuditLog(self.audit.path)
        other.append([type(event)(**{**_fields(event), "serial": 2, "group": 2, "filename": "demo-9.tar.gz"})])
        self.restart()
        self.assertEqual(self.kept_sidecars(), before)
        self.assertEqual(self.told()[-1], (3, "undone", "demo-9.tar.gz"))

    def test_an_ordinary_start_changes_nothing(self) -> None:
        self.publish(a_row())
        self.delete(FILE)
        before = self.kept_sidecars(), self.told(), self.rows()
        self.restart()
        self.assertEqual((self.kept_sidecars(), self.told(), self.rows()), before)


class OlderDatabaseTests(LifeCase):
    def test_nothing_is_touched_and_there_is_no_start(self) -> None:
        """Changes of more than one transaction are missing: they were acknowledged."""
        self.publish(a_row())
        older = self.saved()
        self.publish(a_row("demo-2.0.tar.gz", version="2.0"))
        self.delete(FILE)
        before = self.kept_sidecars(), self.told()
        with self.assertRaises(OlderDatabase) as raised:
            self.put_back(older)
        self.assertIn("it is older than audit.jsonl, which has demo-1.0.tar.gz changed on", str(raised.exception))
        self.assertEqual((self.kept_sidecars(), self.told()), before)


def _fields(event: Any) -> dict[str, Any]:
    return {name: getattr(event, name) for name in event.__struct_fields__}
