"""Each upload's own record, from which hosted.db can be rebuilt."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from types import MappingProxyType
from typing import Any

from pypid.offload import inline
from pypid.storage.hosted_file import HostedFile
from pypid.storage.sidecars import PROJECT, Sidecars
from tests.storage.case import StorageCase
from tests.storage.rows import MAIN, TWO, a_row, write_sidecar

FORM = {"name": ("demo",), "classifiers": ("A", "B"), "summary": ("caf\u00e9 \u202e",)}


class SidecarsTests(StorageCase):
    def setUp(self) -> None:
        super().setUp()
        self.root = self.directory / "records"
        self.sidecars = Sidecars(self.root, inline)
        self.sidecars.prepare()

    def write(self, row: HostedFile, form: Any = FORM) -> None:
        write_sidecar(self.root, row, form)

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

    def test_any(self) -> None:
        """Also of an index of two segments; what else lies there is none."""
        (self.root / "main" / "demo").mkdir(parents=True)
        (self.root / "README").touch()
        self.assertFalse(self.sidecars.any())
        self.write(a_row(index_name=TWO))
        self.assertTrue(self.sidecars.any())

    def test_blobs_of_what_is_published(self) -> None:
        """All that is kept for it; nothing for what is deleted."""
        self.write(a_row(core_metadata="01" * 32, signature="02" * 32, provenance="03" * 32))
        path = write_sidecar(self.root, a_row("demo-2.0.tar.gz", sha256="04" * 32))
        record = json.loads(path.read_bytes())
        path.write_text(json.dumps(record | {"deleted_at": "", "deleted_by": "alice"}))
        self.assertEqual(self.result(self.sidecars.blobs()), {"ab" * 32, "01" * 32, "02" * 32, "03" * 32})

    def test_a_project_s_own_sidecar_names_no_blobs(self) -> None:
        path = self.sidecars.path(MAIN, a_row().project, PROJECT)
        path.parent.mkdir(parents=True)
        path.write_text('{"sidecar": 1}')
        self.assertEqual(self.result(self.sidecars.blobs()), set())

    def test_replaced(self) -> None:
        """Written again, after a crash before the row, it is the newer one."""
        self.write(a_row(uploaded_by="alice"))
        self.write(a_row(uploaded_by="bob"))
        record = json.loads((self.root / MAIN / "demo/demo-1.0.tar.gz.json").read_bytes())
        self.assertEqual(record["uploaded_by"], "bob")
