"""Hosted records through restarts and crashes, with all that is kept beside them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from twisted.internet.defer import Deferred

from pypid.domain.files import ProjectStatus
from pypid.domain.names import IndexName, NormalizedName
from pypid.domain.subject import Subject
from pypid.offload import inline
from pypid.storage.audit import AuditLog
from pypid.storage.database import Database
from pypid.storage.hosted import HostedRecords
from pypid.storage.hosted_changes import Deed
from pypid.storage.hosted_file import HostedFile
from pypid.storage.journal import Journal
from pypid.storage.recovery import recover
from pypid.storage.replacing import Replacing
from pypid.storage.sidecars import Sidecars
from tests.storage.case import ManualOffload
from tests.storage.databases import table
from tests.storage.rows import ALICE, DEMO, MAIN, RecordsCase

TABLES = ("counter", "project", "file", "tombstone", "overlay")
BOB_S_TIME = "2026-05-05T05:05:05.000005+00:00"


class LifeCase(RecordsCase):
    """``publish`` and the like do it at once; `enter` leaves it to wait for `commit`."""

    def setUp(self) -> None:
        super().setUp()
        self.root = self.directory / "records"
        self.path = self.directory / "hosted.db"
        self.start()

    # Starts and crashes.

    def start(self) -> None:
        """Start as the daemon does."""
        workspace = self.directory / "staging"
        workspace.mkdir(exist_ok=True)
        for leftover in workspace.iterdir():
            leftover.unlink()
        self.sidecars, self.audit = Sidecars(self.root, inline), AuditLog(self.directory / "audit.jsonl")
        for part in (self.sidecars, self.audit):
            part.prepare()
        journal = Journal(self.sidecars, self.audit, Replacing(self.root, workspace))
        self.writer = ManualOffload()
        self.hosted_db = Database(
            self.path, "hosted", durability="NORMAL", write=self.writer, read=inline, companion=journal
        )
        self.addCleanup(self.hosted_db.close)
        self.hosted_db.open(lambda connection: recover(connection, journal))
        self.records = HostedRecords(self.hosted_db, journal)

    def restart(self) -> None:
        self.hosted_db.close()
        self.start()

    def put_back(self, content: bytes) -> None:
        """Have an older hosted.db, and start: what has come since lies beside it, as after a crash."""
        self.hosted_db.close()
        self.path.write_bytes(content)
        self.start()

    def saved(self) -> bytes:
        """Return hosted.db as it is."""
        self.restart()
        self.hosted_db.close()
        content = self.path.read_bytes()
        self.start()
        return content

    # Changes.

    def deed(self, index: IndexName = MAIN, at: str = BOB_S_TIME) -> Deed:
        return Deed(index=index, actor=ALICE, at=at)

    def commit(self) -> None:
        self.writer.run()

    def publish(
        self, row: HostedFile, form: Mapping[str, object] = MappingProxyType({}), *, volatile: bool = False
    ) -> Deferred[bool]:
        return self.made(self.records.publish(row, form, ALICE, volatile=volatile))

    def yank(self, subject: Subject, reason: str | None = "") -> Deferred[list[str]]:
        return self.made(self.records.yank(self.deed(), subject, reason))

    def delete(self, subject: Subject) -> Deferred[list[HostedFile]]:
        return self.made(self.records.delete(self.deed(), subject))

    def set_status(self, status: ProjectStatus | None, project: NormalizedName = DEMO) -> Deferred[bool]:
        return self.made(self.records.set_status(self.deed(), project, status))

    def release_name(self, project: NormalizedName = DEMO) -> Deferred[None]:
        return self.made(self.records.release_name(self.deed(), project))

    def made(self, change: Any) -> Deferred[Any]:
        """Make ``change``, and return what came of it."""
        done = self.enter(change)
        self.commit()
        return done

    def enter(self, change: Any) -> Deferred[Any]:
        return Deferred.fromCoroutine(change)

    # What is kept.

    def rows(self, *tables: str) -> dict[str, list[tuple[Any, ...]]]:
        """Return the rows of every table, or of those."""
        return {name: self.result(self.hosted_db.read(table(name))) for name in tables or TABLES}

    def kept_sidecars(self) -> dict[str, Any]:
        """Return every sidecar, by its path."""
        paths = sorted(path for path in self.root.rglob("*") if path.is_file())
        return {str(path.relative_to(self.root)): json.loads(path.read_bytes()) for path in paths}

    def sidecar(self, name: str = "demo-1.0.tar.gz", project: NormalizedName = DEMO) -> Any:
        return json.loads(self.sidecar_path(name, project).read_bytes())

    def sidecar_path(self, name: str = "demo-1.0.tar.gz", project: NormalizedName = DEMO) -> Path:
        return self.sidecars.path(MAIN, project, name)

    def row(self, filename: str = "demo-1.0.tar.gz") -> HostedFile | None:
        return self.result(self.records.file(MAIN, filename))

    def told(self) -> list[tuple[int, str, str | None]]:
        """Return the serial, the action and the filename of each event."""
        return [(event.serial, event.action.value, event.filename) for event in self.audit.since(0)]
