"""hosted.db made anew from what lies beside it: the same rows, whatever has happened before."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Coroutine
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version
from twisted.internet.defer import Deferred

from pypid.domain.files import ProjectStatus, Status
from pypid.domain.names import IndexName, NormalizedName
from pypid.domain.subject import Subject
from pypid.storage.audit import AuditLog
from pypid.storage.blobs import blob_path
from pypid.storage.hosted_file import COLUMNS
from pypid.storage.rebuild import Rebuilt, put_in_place, rebuild_hosted
from pypid.storage.recovery import OlderDatabase
from pypid.storage.sidecars import OVERLAY, PROJECT
from tests.domain.strategies import patient
from tests.storage.databases import table
from tests.storage.life import TABLES, LifeCase
from tests.storage.rows import ALICE, DEMO, MAIN, OTHER, TWO, a_row

FILE = Subject(project=DEMO, filename="demo-1.0.tar.gz")
RULE = {
    "version": "1.0",
    "filename": "",
    "kind": "yank",
    "status": None,
    "reason": "broken",
    "serial": 77,
    "made_at": "2026-01-02T03:04:05.000006+00:00",
    "made_by": "alice",
}


class RebuildCase(LifeCase):
    def rebuilt(self) -> tuple[Rebuilt, dict[str, list[tuple[Any, ...]]]]:
        """Return what is found, and the rows of the new database."""
        new = self.directory / "new.db"
        new.unlink(missing_ok=True)
        found = rebuild_hosted(new, records=self.root, audit=AuditLog(self.audit.path), blobs=self.directory / "blobs")
        with closing(sqlite3.connect(new)) as connection:
            return found, {name: table(name)(connection) for name in TABLES}

    def check_same(self) -> Rebuilt:
        found, rows = self.rebuilt()
        self.assertEqual(rows, self.rows())
        return found

    def write(self, name: str, record: dict[str, Any]) -> Path:
        """Write a sidecar of the project demo by hand."""
        path = self.sidecar_path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(record))
        return path


@dataclass(frozen=True)
class Step:
    """Something that happens to what is published; each of the others is for what needs it."""

    change: str
    index: IndexName
    project: NormalizedName
    version: str
    sha256: str
    whole: bool
    """Of the project, not of the release."""
    status: ProjectStatus | None


STEPS = st.lists(
    st.builds(
        Step,
        change=st.sampled_from(["publish", "overwrite", "yank", "unyank", "delete", "status", "release", "crash"]),
        index=st.sampled_from([MAIN, TWO]),
        project=st.sampled_from([DEMO, OTHER]),
        version=st.sampled_from(["1.0", "2.0"]),
        sha256=st.sampled_from(["00" * 32, "11" * 32]),
        whole=st.booleans(),
        status=st.none() | st.builds(ProjectStatus, st.sampled_from(Status), st.sampled_from([None, "so"])),
    ),
    max_size=25,
)


class RoundTripTests(RebuildCase):
    @patient
    @given(STEPS)
    def test_any_life(self, steps: list[Step]) -> None:
        self.hosted_db.close()
        with TemporaryDirectory() as directory:
            self.directory = Path(directory)
            self.root, self.path = self.directory / "records", self.directory / "hosted.db"
            self.start()
            for number, step in enumerate(steps):
                self.make(step, f"2026-01-01T00:00:{number:02}.000000+00:00")
            self.check_same()
            self.hosted_db.close()

    def make(self, step: Step, at: str) -> None:
        """Do as ``step`` says; what is refused changes nothing."""
        before = self.saved() if step.change == "crash" else None
        self.made(self.begun(step, at)).addErrback(lambda _: None)
        if before is not None:
            self.put_back(before)

    def begun(self, step: Step, at: str) -> Coroutine[Deferred[Any], Any, object]:
        deed = replace(self.deed(step.index), at=at)
        subject = Subject(project=step.project, version=None if step.whole else Version(step.version))
        match step.change:
            case "yank":
                return self.records.yank(deed, subject, at)
            case "unyank":
                return self.records.yank(deed, subject, None)
            case "delete":
                return self.records.delete(deed, subject)
            case "status":
                return self.records.set_status(deed, step.project, step.status)
            case "release":
                return self.records.release_name(deed, step.project)
        row = a_row(
            f"{step.project}-{step.version}.tar.gz",
            index_name=step.index,
            project=step.project,
            version=step.version,
            sha256=step.sha256,
            summary=f"{step.version} {step.sha256[:2]}",
            uploaded_at=at,
        )
        return self.records.publish(row, {}, ALICE, volatile=step.change != "publish")


class RebuildTests(RebuildCase):
    def test_again_is_the_same(self) -> None:
        self.publish(a_row())
        self.assertEqual(self.rebuilt(), self.rebuilt())

    def test_serials_that_only_the_log_knows_are_not_used_again(self) -> None:
        """Those of a rule that was taken away, or of sidecars that are lost."""
        self.publish(a_row())
        self.yank(FILE)
        self.sidecar_path().unlink()
        self.assertEqual(self.rebuilt()[1]["counter"], [(1, 2)])

    def test_rules_are_there(self) -> None:
        self.write(OVERLAY, {"sidecar": 1, "index_name": "main", "project": "demo", "rules": [RULE]})
        found, rows = self.rebuilt()
        self.assertEqual(
            rows["overlay"], [("main", "demo", "1.0", "", "yank", None, "broken", 77, RULE["made_at"], "alice")]
        )
        self.assertEqual((found.rules, found.last_serial, rows["project"]), (1, 77, []))

    def test_upload_that_was_never_acknowledged_is_left_out(self) -> None:
        before = self.saved()
        self.publish(a_row())
        self.put_back(before)
        self.assertEqual(self.check_same().undone, ["demo-1.0.tar.gz of main"])

    def test_c26_an_older_database_that_was_put_back_has_everything_again(self) -> None:
        self.publish(a_row())
        older = self.saved()
        self.publish(a_row("demo-2.0.tar.gz", version="2.0"))
        self.yank(FILE, "broken")
        with self.assertRaises(OlderDatabase):
            self.put_back(older)
        _, rows = self.rebuilt()
        yanked, filename = COLUMNS.index("yanked"), COLUMNS.index("filename")
        self.assertEqual(
            {row[filename]: row[yanked] for row in rows["file"]},
            {"demo-1.0.tar.gz": "broken", "demo-2.0.tar.gz": None},
        )
        self.assertEqual(rows["counter"], [(1, 3)])

    def test_files_whose_bytes_are_gone_are_named_and_stay(self) -> None:
        """They are ours: an error says more than another index's file of that name."""
        blobs = self.directory / "blobs"
        self.publish(a_row(core_metadata="01" * 32))
        self.publish(a_row("other-1.0.tar.gz", project=OTHER, sha256="02" * 32, size=3))
        for sha256, content in (("01" * 32, b""), ("02" * 32, b"cut")):
            blob_path(blobs, sha256).parent.mkdir(parents=True)
            blob_path(blobs, sha256).write_bytes(content)
        self.assertEqual(self.check_same().lost, [f"demo-1.0.tar.gz of main: {'ab' * 32}"])
        blob_path(blobs, "02" * 32).write_bytes(b"c")
        self.assertEqual(len(self.check_same().lost), 2)

    def test_what_cannot_be_read_is_named_and_the_rest_is_taken(self) -> None:
        self.publish(a_row("demo-2.0.tar.gz", version="2.0"))
        good = self.sidecar("demo-2.0.tar.gz")
        named = good | {"filename": FILE.filename}
        self.publish(a_row("other-1.0.tar.gz", project=OTHER))
        expected = self.rows("file")["file"]
        wrong = {
            "no JSON": None,
            "another version": good | {"sidecar": 2},
            "another file": good,
            "another project": named | {"project": "other"},
            "another index": named | {"index_name": "root/pypi"},
            "a column is missing": {key: value for key, value in named.items() if key != "size"},
            "a column is wrong": named | {"size": "7"},
            "no time": named | {"uploaded_at": "yesterday"},
            "no version": named | {"version": "one"},
            "a list": [],
        }
        for why, record in wrong.items():
            path = self.write("demo-1.0.tar.gz", record)
            if record is None:
                path.write_bytes(b"\0" * 100)
            found, rows = self.rebuilt()
            self.assertEqual([line.split(":")[0].split(" ")[0] for line in found.unreadable], [str(path)], why)
            self.assertEqual(rows["file"], expected, why)

    def test_a_name_stays_ours_whatever_is_lost_of_it(self) -> None:
        """Others would be asked for it else."""
        self.publish(a_row())
        self.sidecar_path().write_bytes(b"")
        self.assertEqual([row[:2] for row in self.rebuilt()[1]["project"]], [("main", "demo")])
        self.sidecar_path().unlink()
        self.write(PROJECT, {})
        self.assertEqual([row[:2] for row in self.rebuilt()[1]["project"]], [("main", "demo")])

    def test_a_name_that_was_given_away_is_not_ours(self) -> None:
        self.publish(a_row())
        self.delete(FILE)
        self.release_name()
        self.assertEqual(self.check_same().projects, 0)
        self.publish(a_row())
        self.delete(FILE)
        self.assertEqual(self.check_same().projects, 1)

    def test_what_is_no_record_is_left_alone(self) -> None:
        self.publish(a_row())
        (self.root / "README").touch()
        (self.root / "main" / "README").touch()
        (self.root / "main" / "demo" / "README").touch()
        self.assertEqual(self.check_same().unreadable, [])

    def test_directories_that_none_of_ours_is_called_like(self) -> None:
        self.publish(a_row())
        strange = self.root / "main" / "De_mo"
        strange.mkdir()
        record = self.sidecar() | {"project": "De_mo"}
        (strange / "demo-1.0.tar.gz.json").write_text(json.dumps(record))
        found, rows = self.rebuilt()
        self.assertEqual(len(found.unreadable), 1)
        self.assertEqual(rows["file"], self.rows("file")["file"])


class PutInPlaceTests(RebuildCase):
    NOW = 1_800_000_000.0

    def put(self) -> Path | None:
        new = self.directory / "new.db"
        new.write_bytes(b"new")
        return put_in_place(new, self.path, self.NOW)

    def test_the_old_one_is_kept_with_all_that_belongs_to_it(self) -> None:
        self.hosted_db.close()
        for suffix in ("", "-wal", "-shm"):
            self.path.with_name(f"hosted.db{suffix}").write_bytes(f"old{suffix}".encode())
        aside = self.put()
        assert aside is not None
        self.assertEqual(aside.name, "hosted.db.before-20270115T080000Z")
        for suffix in ("", "-wal", "-shm"):
            self.assertEqual(aside.with_name(aside.name + suffix).read_bytes(), f"old{suffix}".encode())
        self.assertEqual([name for name in self.files() if name.startswith("hosted.db-")], [])
        self.assertEqual(self.path.read_bytes(), b"new")

    def test_none_is_ever_replaced(self) -> None:
        self.hosted_db.close()
        self.assertEqual(len({self.put(), self.put(), self.put()}), 3)
        self.assertEqual(len([name for name in self.files() if name.startswith("hosted.db.before-")]), 3)

    def test_where_there_was_none(self) -> None:
        self.hosted_db.close()
        for name in self.files():
            if name.startswith("hosted.db"):
                (self.directory / name).unlink()
        self.path.with_name("hosted.db-wal").write_bytes(b"stale")
        self.assertIsNotNone(self.put(), "a part of it")
        self.path.unlink()
        self.assertIsNone(self.put())
