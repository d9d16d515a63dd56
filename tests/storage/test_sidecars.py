"""Each upload's own record, from which hosted.db can be rebuilt."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any
from unittest.mock import patch

from pypid.offload import inline
from pypid.storage.hosted import HostedFile
from pypid.storage.sidecars import Sidecars
from tests.storage.case import StorageCase
from tests.storage.rows import MAIN, TWO, a_row

FORM = {"name": ("demo",), "classifiers": ("A", "B"), "summary": ("caf\u00e9 \u202e",)}


class SidecarsTests(StorageCase):
    def setUp(self) -> None:
        super().setUp()
        self.root = self.directory / "records"
        self.sidecars = Sidecars(self.root, inline)
        self.sidecars.prepare()

    def write(self, row: HostedFile, form: Any = FORM) -> None:
        self.successResultOf(self.sidecars.write(row, form))

    def test_content(self) -> None:
        """The row, every column of it, and the whole form as it came."""
        row = a_row()
        self.write(row)
        record = json.loads((self.root / "main/demo/demo-1.0.tar.gz.json").read_bytes())
        self.assertEqual(record.pop("sidecar"), 1)
        self.assertEqual(record.pop("form"), {name: list(values) for name, values in FORM.items()})
        self.assertEqual(record, asdict(row))
        self.assertEqual(HostedFile(**{field.name: record[field.name] for field in fields(HostedFile)}), row)

    def test_nothing_else_is_left(self) -> None:
        self.write(a_row())
        self.write(a_row("demo-2.0.tar.gz"))
        self.assertEqual(
            self.files(), ["records/main/demo/demo-1.0.tar.gz.json", "records/main/demo/demo-2.0.tar.gz.json"]
        )

    def test_two_segments(self) -> None:
        """An index of two segments has one directory, which no other index can have."""
        self.write(a_row(index_name=TWO))
        self.write(a_row(index_name="root"))
        self.assertEqual(
            self.files(), ["records/root+pypi/demo/demo-1.0.tar.gz.json", "records/root/demo/demo-1.0.tar.gz.json"]
        )

    def test_longest_filename(self) -> None:
        """The longest filename that an upload may have still has room for its suffix."""
        self.write(a_row("demo-1.0-py3-none-".ljust(246, "a") + ".whl"))
        self.assertEqual(len(self.files()), 1)

    def test_any_mapping(self) -> None:
        self.write(a_row(), MappingProxyType(FORM))
        self.assertEqual(len(self.files()), 1)

    def test_lone_surrogates(self) -> None:
        """A text that UTF-8 cannot hold is kept as JSON's escape of it."""
        self.write(a_row(), {"summary": ("a\udc80b",)})
        record = json.loads((self.root / "main/demo/demo-1.0.tar.gz.json").read_bytes())
        self.assertEqual(record["form"], {"summary": ["a\udc80b"]})

    def test_durable_in_this_order(self) -> None:
        """The text before its name, and the name, with every directory above it, before the upload goes on."""
        steps: list[tuple[str, str]] = []
        fsync, replace = os.fsync, Path.replace

        def noted_sync(descriptor: int) -> None:
            path = Path(f"/proc/self/fd/{descriptor}").readlink()
            steps.append(("sync", "unfinished" if path.suffix == ".part" else str(path.relative_to(self.root))))
            fsync(descriptor)

        def noted_replace(source: Path, target: Path) -> Path:
            steps.append(("rename", target.name))
            return replace(source, target)

        expected = [("sync", "unfinished"), ("rename", "demo-1.0.tar.gz.json")]
        expected += [("sync", "main/demo"), ("sync", "main"), ("sync", ".")]
        for _ in ("in new directories", "in those that another upload made, and may not have synced"):
            steps.clear()
            with patch("os.fsync", noted_sync), patch.object(Path, "replace", noted_replace):
                self.write(a_row())
            self.assertEqual(steps, expected)

    def test_refused(self) -> None:
        """A disk that refuses leaves what was there, and nothing unfinished."""
        self.write(a_row(uploaded_by="alice"))
        before = (self.root / "main/demo/demo-1.0.tar.gz.json").read_bytes()
        with patch("os.fsync", side_effect=OSError(28, "full")):
            self.failureResultOf(self.sidecars.write(a_row(uploaded_by="bob"), FORM), OSError)
        self.assertEqual((self.root / "main/demo/demo-1.0.tar.gz.json").read_bytes(), before)
        self.assertEqual(len(self.files()), 1)

    def test_replaced(self) -> None:
        """Written again, after a crash before the row, it is the newer one."""
        self.write(a_row(uploaded_by="alice"))
        self.write(a_row(uploaded_by="bob"))
        record = json.loads((self.root / MAIN / "demo/demo-1.0.tar.gz.json").read_bytes())
        self.assertEqual(record["uploaded_by"], "bob")
