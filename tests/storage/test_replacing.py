"""Small files that are replaced together: whole, durable, and put back if need be."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from unittest.mock import patch

from pypid.failpoints import Failpoint, arm
from pypid.storage.replacing import Replacing
from tests.storage.case import StorageCase


class ReplacingTests(StorageCase):
    def setUp(self) -> None:
        super().setUp()
        self.root, self.workspace = self.directory / "records", self.directory / "staging"
        self.root.mkdir()
        self.workspace.mkdir()
        self.replacing = Replacing(self.root, self.workspace)
        self.one, self.two = self.root / "main/demo/one.json", self.root / "main/demo/two.json"
        self.addCleanup(arm, "")

    def kept(self) -> dict[str, bytes]:
        """Return what every file holds, those of the workspace too."""
        return {name: (self.directory / name).read_bytes() for name in self.files()}

    def begin(self) -> dict[str, bytes]:
        """Have one of two files, and return what is kept then."""
        self.replacing.write({self.one: b"old"})
        self.replacing.settle()
        before = self.kept()
        self.assertEqual(before, {"records/main/demo/one.json": b"old"})
        return before

    def test_written_and_settled(self) -> None:
        self.begin()
        self.replacing.write({self.one: b"new", self.two: b"2"})
        self.replacing.settle()
        after = {"records/main/demo/one.json": b"new", "records/main/demo/two.json": b"2"}
        self.assertEqual(self.kept(), after)
        self.replacing.take_back()
        self.assertEqual(self.kept(), after, "what is settled stays")

    def test_taken_back(self) -> None:
        before = self.begin()
        self.replacing.write({self.one: b"new", self.two: b"2"})
        self.replacing.take_back()
        self.assertEqual(self.kept(), before)

    def test_taken_back_without_room(self) -> None:
        before = self.begin()
        self.replacing.write({self.one: b"new", self.two: b"2"})
        with patch.object(Path, "open", side_effect=OSError(errno.ENOSPC, "full")):
            self.replacing.take_back()
        self.assertEqual(self.kept(), before)

    def test_one_that_cannot_be_taken_back_does_not_keep_the_others(self) -> None:
        before = self.begin()
        self.replacing.write({self.two: b"2", self.one: b"new"})
        self.two.unlink()
        self.two.mkdir()
        with self.assertRaises(OSError):
            self.replacing.take_back()
        self.assertEqual(self.kept(), before)

    def test_refused(self) -> None:
        """A disk that refuses, at any step, leaves what was there, and nothing unfinished."""
        before = self.begin()
        for point in (point for point in Failpoint if point.startswith("sidecar.")):
            for number in (1, 2):
                # Forgotten, so that the steps of new directories are come to again.
                self.replacing = Replacing(self.root, self.workspace)
                arm(f"{point}@{number}=raise:ENOSPC")
                try:
                    self.replacing.write({self.one: b"new", self.two: b"2"})
                except OSError:
                    arm("")
                else:
                    self.assertEqual(point, Failpoint.SIDECAR_DIRECTORY_SYNCED, "both are in one directory")
                self.replacing.take_back()
                self.assertEqual(self.kept(), before, point)

    def test_without_its_workspace_it_loses_nothing(self) -> None:
        """Somebody has cleared the data directory of what looked like rubbish."""
        before = self.begin()
        self.workspace.rmdir()
        with self.assertRaises(FileNotFoundError):
            self.replacing.write({self.one: b"new"})
        self.replacing.take_back()
        self.assertEqual(self.kept(), before)

    def test_durable_in_this_order(self) -> None:
        """The text before its name, and the name, with every directory above it, before `write` returns."""
        steps: list[tuple[str, str]] = []
        fsync, replace = os.fsync, Path.replace

        def noted_sync(descriptor: int) -> None:
            path = Path(f"/proc/self/fd/{descriptor}").readlink()
            steps.append(("sync", "unfinished" if path.suffix == ".part" else str(path.relative_to(self.root))))
            fsync(descriptor)

        def noted_replace(source: Path, target: Path) -> Path:
            steps.append(("rename", target.name))
            return replace(source, target)

        directories = [("sync", "."), ("sync", "main")]
        files = [step for name in ("one", "two") for step in (("sync", "unfinished"), ("rename", f"{name}.json"))]
        for why, known in (
            ("in new directories", False),
            ("in those that another process made, and may not have synced", False),
            ("in those that are known to be durable", True),
        ):
            if not known:
                self.replacing = Replacing(self.root, self.workspace)
            steps.clear()
            with patch("os.fsync", noted_sync), patch.object(Path, "replace", noted_replace):
                self.replacing.write({self.one: b"1", self.two: b"2"})
            self.assertEqual(steps, [*([] if known else directories), *files, ("sync", "main/demo")], why)
            self.replacing.settle()

    def test_a_directory_that_went_is_made_again(self) -> None:
        self.begin()
        self.one.unlink()
        self.one.parent.rmdir()
        self.replacing.write({self.one: b"new"})
        self.replacing.settle()
        self.assertEqual(self.kept(), {"records/main/demo/one.json": b"new"})
