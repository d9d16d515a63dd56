"""Rows of hosted.db, and what their tests share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pypid.domain.actor import Actor
from pypid.domain.names import normalize_name, parse_index_name
from pypid.offload import inline
from pypid.storage.audit import AuditLog
from pypid.storage.database import Database
from pypid.storage.hosted import HostedRecords
from pypid.storage.hosted_file import HostedFile
from pypid.storage.journal import Journal
from pypid.storage.replacing import Replacing
from pypid.storage.sidecars import Sidecars, file_record, to_bytes
from tests.storage.case import StorageCase

MAIN = parse_index_name("main")
TWO = parse_index_name("root/pypi")
DEMO = normalize_name("demo")
OTHER = normalize_name("other")


def a_row(filename: str = "demo-1.0.tar.gz", **values: Any) -> HostedFile:
    usual: dict[str, Any] = {
        "index_name": MAIN,
        "filename": filename,
        "project": DEMO,
        "version": "1.0",
        "filetype": "sdist",
        "size": 7,
        "sha256": "ab" * 32,
        "blake2_256": "cd" * 32,
        "md5": "ef" * 16,
        "requires_python": ">=3.9",
        "summary": "What it is",
        "core_metadata": None,
        "yanked": None,
        "uploaded_at": "2026-01-02T03:04:05.000006+00:00",
        "uploaded_by": "alice",
    }
    return HostedFile(**usual | values)


ALICE = Actor("alice", "192.0.2.1")


def write_sidecar(root: Path, row: HostedFile, form: Mapping[str, object] = MappingProxyType({})) -> Path:
    """Keep ``row`` beside hosted.db, and not in it; return the sidecar's path."""
    path = Sidecars(root, inline).path(row.index_name, row.project, row.filename)
    Replacing(root, root.parent).write({path: to_bytes(file_record(row, form))})
    return path


class RecordsCase(StorageCase):
    schema = "hosted"

    def database(self, schema: str | None = None, **kwargs: Any) -> Database:
        schema = schema or self.schema
        arguments: dict[str, Any] = {"durability": "NORMAL", "write": inline, "read": inline}
        database = Database(self.directory / f"{schema}.db", schema, **arguments | kwargs)
        database.open()
        self.addCleanup(database.close)
        return database

    def hosted_records(self, **kwargs: Any) -> HostedRecords:
        """Return records over hosted.db, with sidecars and an audit log beside it."""
        workspace = self.directory / "staging"
        workspace.mkdir(exist_ok=True)
        self.sidecars = Sidecars(self.directory / "records", inline)
        self.audit = AuditLog(self.directory / "audit.jsonl")
        for part in (self.sidecars, self.audit):
            part.prepare()
        journal = Journal(self.sidecars, self.audit, Replacing(self.sidecars.root, workspace))
        return HostedRecords(self.database("hosted", companion=journal, **kwargs), journal)
