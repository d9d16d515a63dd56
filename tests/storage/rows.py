"""Rows of hosted.db, and what their tests share."""

from __future__ import annotations

from typing import Any

from pypid.domain.names import normalize_name, parse_index_name
from pypid.offload import inline
from pypid.storage.database import Database
from pypid.storage.hosted import HostedFile
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


class RecordsCase(StorageCase):
    schema = "hosted"

    def database(self, **kwargs: Any) -> Database:
        arguments: dict[str, Any] = {"durability": "NORMAL", "write": inline, "read": inline}
        database = Database(self.directory / f"{self.schema}.db", self.schema, **arguments | kwargs)
        database.open()
        self.addCleanup(database.close)
        return database
