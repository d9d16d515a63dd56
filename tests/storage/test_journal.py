"""What is written beside hosted.db with each change, and taken back with it."""

from __future__ import annotations

from dataclasses import asdict
from unittest.mock import patch

from twisted.logger import LogLevel, capturedLogs

from pypid.domain.audit import Action
from pypid.domain.errors import FileExists
from pypid.domain.files import ProjectStatus, Status
from pypid.domain.subject import Subject
from pypid.failpoints import Failpoint, arm
from pypid.storage.sidecars import PROJECT
from tests.storage.life import BOB_S_TIME, LifeCase
from tests.storage.rows import ALICE, DEMO, MAIN, OTHER, a_row

FORM = {"name": ("demo",), "summary": ("caf\u00e9",)}
IN_THE_SIDECAR = {"name": ["demo"], "summary": ["caf\u00e9"]}
FILE = Subject(project=DEMO, filename="demo-1.0.tar.gz")


class WrittenTests(LifeCase):
    def test_published(self) -> None:
        self.publish(a_row(), FORM)
        row = self.row()
        assert row is not None
        self.assertEqual(self.sidecar(), {"sidecar": 1, "form": IN_THE_SIDECAR, **asdict(row)})
        (event,) = self.audit.since(0)
        self.assertEqual((event.serial, event.group, event.action), (1, 1, Action.PUBLISH))
        self.assertEqual((event.user, event.address), (ALICE.user, ALICE.address))
        self.assertEqual((event.time, event.index, event.project), (row.uploaded_at, MAIN, DEMO))
        self.assertEqual((event.version, event.filename, event.sha256), ("1.0", row.filename, row.sha256))

    def test_yanked_keeps_the_form(self) -> None:
        self.publish(a_row(), FORM)
        self.yank(FILE, "broken")
        row = self.row()
        assert row is not None
        self.assertEqual((row.yanked, row.serial, row.changed_at), ("broken", 2, BOB_S_TIME))
        self.assertEqual(self.sidecar(), {"sidecar": 1, "form": IN_THE_SIDECAR, **asdict(row)})

    def test_published_and_yanked_in_one_transaction_keeps_the_form(self) -> None:
        done = [
            self.enter(self.records.publish(a_row(), FORM, ALICE)),
            self.enter(self.records.yank(self.deed(), FILE, "broken")),
        ]
        self.commit()
        for each in done:
            self.successResultOf(each)
        sidecar = self.sidecar()
        self.assertEqual((sidecar["form"], sidecar["yanked"], sidecar["serial"]), (IN_THE_SIDECAR, "broken", 2))
        self.assertEqual([event.group for event in self.audit.since(0)], [1, 1])

    def test_deleted_says_what_it_was_and_who_did_it(self) -> None:
        self.publish(a_row(), FORM)
        row = self.row()
        assert row is not None
        self.delete(FILE)
        expected = {"sidecar": 1, "form": IN_THE_SIDECAR, **asdict(row), "serial": 2, "changed_at": BOB_S_TIME}
        self.assertEqual(self.sidecar(), expected | {"deleted_at": BOB_S_TIME, "deleted_by": "alice"})

    def test_lost_sidecar_comes_back_with_the_next_change(self) -> None:
        self.publish(a_row(), FORM)
        for content in (None, b"{", b'{"sidecar": 99}'):
            self.sidecar_path().unlink()
            if content is not None:
                self.sidecar_path().write_bytes(content)
            self.yank(FILE, repr(content))
            self.assertEqual((self.sidecar()["yanked"], self.sidecar()["form"]), (repr(content), {}))

    def test_status_of_a_project(self) -> None:
        self.publish(a_row())
        self.set_status(ProjectStatus(Status.ARCHIVED, "done"))
        said = {"status": "archived", "status_reason": "done", "serial": 2, "changed_at": BOB_S_TIME}
        self.assertEqual(self.sidecar(PROJECT), {"sidecar": 1, "index_name": "main", "project": "demo", **said})

    def test_all_of_a_project_share_a_serial(self) -> None:
        for version in ("1.0", "2.0"):
            self.publish(a_row(f"demo-{version}.tar.gz", version=version))
        self.yank(Subject(project=DEMO))
        names = ["demo-1.0.tar.gz", "demo-2.0.tar.gz"]
        self.assertEqual(self.told()[2:], [(3, "yank", names[0]), (3, "yank", names[1])])


class TakenBackTests(LifeCase):
    def test_refused_change_writes_nothing(self) -> None:
        self.publish(a_row())
        before = self.kept_sidecars(), self.told()
        self.failureResultOf(self.publish(a_row(sha256="00" * 32)), FileExists)
        self.assertEqual((self.kept_sidecars(), self.told()), before)

    def test_refused_change_takes_nothing_from_the_others(self) -> None:
        done = [
            self.enter(self.records.publish(row, {}, ALICE))
            for row in (a_row(), a_row(sha256="00" * 32), a_row("other-1.0.tar.gz", project=OTHER))
        ]
        self.commit()
        self.successResultOf(done[0])
        self.failureResultOf(done[1], FileExists)
        self.successResultOf(done[2])
        self.assertEqual(self.told(), [(1, "publish", "demo-1.0.tar.gz"), (2, "publish", "other-1.0.tar.gz")])
        self.assertEqual(self.sidecar()["sha256"], "ab" * 32)

    def test_refused_disk(self) -> None:
        """At any step; the serials that were not used are used by the next change."""
        self.publish(a_row())
        before = self.kept_sidecars(), self.told(), self.rows()
        self.addCleanup(arm, "")
        for point in (point for point in Failpoint if point.startswith(("sidecar.", "audit.", "db.before"))):
            if point is Failpoint.SIDECAR_DIRECTORY_MADE:
                continue  # the directories are there
            arm(f"{point}=raise:EIO")
            self.failureResultOf(self.delete(FILE), OSError)
            self.assertEqual((self.kept_sidecars(), self.told(), self.rows()), before, point)
        arm("")
        self.successResultOf(self.delete(FILE))
        self.assertEqual(self.told()[1:], [(2, "delete", "demo-1.0.tar.gz")])

    def test_what_cannot_be_taken_back_is_told_and_the_rest_is(self) -> None:
        self.publish(a_row())
        before = self.kept_sidecars()
        self.addCleanup(arm, "")
        arm(f"{Failpoint.DB_BEFORE_COMMIT}=raise:EIO")
        with patch("os.truncate", side_effect=OSError(5, "no disk")), capturedLogs() as events:
            self.failureResultOf(self.delete(FILE), OSError)
        self.assertEqual(self.kept_sidecars(), before)
        (event,) = (event for event in events if event["log_level"] is LogLevel.critical)
        self.assertEqual(str(event["why"]), "[Errno 5] no disk")
