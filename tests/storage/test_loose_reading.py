"""Reading files that others change meanwhile: what comes to its end has the right digest."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pypid.domain.loose_files import LooseFile
from pypid.storage.loose_reading import (
    CheckedFile,
    FileChanged,
    FileDamaged,
    Interrupted,
    compare_file,
    open_file,
    read_core_metadata,
    read_file,
)
from pypid.storage.loose_tree import state_of
from tests.domain.strategies import patient
from tests.kit.dists import sdist, wheel
from tests.storage.case import StorageCase, open_descriptors

DEMO = wheel("demo", size=300_000)
OTHER = wheel("demo", size=300_000, summary="Another one")


class LooseReadingCase(StorageCase):
    def setUp(self) -> None:
        super().setUp()
        before = open_descriptors()
        self.addCleanup(lambda: self.assertEqual(open_descriptors(), before))
        self.roots = [str(self.directory)]
        self.path = self.put(DEMO.content)
        self.file = self.read()

    def put(self, content: bytes, name: str = f"deep/{DEMO.filename}") -> Path:
        path = self.directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        return path

    def read(self, path: Path | None = None, *, stopped: Callable[[], bool] = lambda: False) -> LooseFile:
        path = path or self.path
        return read_file(self.roots, str(path), state_of(path.stat()), stopped=stopped)

    def opened(self) -> CheckedFile:
        checked = open_file(self.roots, self.file)
        self.addCleanup(checked.close)
        return checked

    def rest(self, checked: CheckedFile, size: int = 65536) -> bytes:
        got = b""
        while part := checked.read_on(size):
            got += part
        return got

    def overwrite(self, content: bytes, offset: int = 0) -> None:
        """As ``rsync --inplace`` does, or scp."""
        with self.path.open("r+b") as file:
            file.seek(offset)
            file.write(content)


class ReadFileTests(LooseReadingCase):
    def test_tells_what_a_file_is(self) -> None:
        self.assertEqual((self.file.sha256, self.file.core_metadata), (DEMO.sha256, DEMO.metadata_sha256))
        self.assertEqual((self.file.problem, self.file.filename), ("", DEMO.filename))
        self.assertEqual(read_core_metadata(self.roots, self.file), DEMO.metadata)

    def test_half_a_file_has_a_problem(self) -> None:
        self.put(DEMO.content[:-1])
        self.assertIn("Invalid distribution file", self.read().problem)

    def test_other_file_than_was_looked_at_is_none(self) -> None:
        before = state_of(self.path.stat())
        self.put(OTHER.content)
        with self.assertRaises(FileChanged):
            read_file(self.roots, str(self.path), before)
        self.path.unlink()
        with self.assertRaises(FileChanged):
            read_file(self.roots, str(self.path), before)

    def test_file_that_changes_while_it_is_read_is_none(self) -> None:
        def stopped() -> bool:
            self.overwrite(b"x", 200_000)
            return False

        with self.assertRaises(FileChanged):
            self.read(stopped=stopped)

    def test_reading_ends_when_nobody_wants_it(self) -> None:
        with self.assertRaises(Interrupted):
            self.read(stopped=lambda: True)

    def test_link_that_took_the_place_of_file_or_directory_is_not_followed(self) -> None:
        state = state_of(self.path.stat())
        elsewhere = self.put(DEMO.content, "elsewhere.whl")
        self.path.unlink()
        self.path.symlink_to(elsewhere)
        with self.assertRaises(OSError):
            read_file(self.roots, str(self.path), state)
        self.path.unlink()
        self.path.parent.rename(self.directory / "moved")
        self.path.parent.symlink_to(self.directory / "moved")
        with self.assertRaises(OSError):
            read_file(self.roots, str(self.path), state)

    def test_pipe_that_took_its_place_keeps_nobody_waiting(self) -> None:
        self.path.unlink()
        os.mkfifo(self.path)
        with self.assertRaises(FileChanged):
            open_file(self.roots, self.file)

    def test_metadata_of_another_wheel_is_not_sent(self) -> None:
        for content in (OTHER.content, DEMO.content[:-1], sdist("demo").content):
            self.put(content)
            with self.assertRaises(FileChanged):
                read_core_metadata(self.roots, self.file)


class CheckedFileTests(LooseReadingCase):
    @patient
    @given(st.integers(1, 400_000))
    def test_all_bytes_come_in_whatever_portions(self, size: int) -> None:
        checked = open_file(self.roots, self.file)
        self.assertEqual(self.rest(checked, size), DEMO.content)
        checked.close()

    def test_file_that_is_replaced_is_read_to_its_end(self) -> None:
        """As rsync and mv do it: who has it open keeps it."""
        checked = self.opened()
        first = checked.read_on(1000)
        self.put(OTHER.content, "new")
        (self.directory / "new").replace(self.path)
        self.assertEqual(first + self.rest(checked), DEMO.content)
        with self.assertRaises(FileChanged):
            open_file(self.roots, self.file)

    @patient
    @given(st.integers(0, 300_000), st.integers(1, 300_000), st.booleans())
    def test_file_that_is_written_over_never_comes_to_its_end(self, read: int, offset: int, keeps_time: bool) -> None:  # noqa: FBT001 (hypothesis)
        """A42: with its old time given back, too."""
        self.path.unlink()
        self.put(DEMO.content)
        self.file = self.read()
        before = self.path.stat()
        checked = open_file(self.roots, self.file)
        got = checked.read_on(read) if read else b""
        changed = bytes([DEMO.content[offset] ^ 1])
        self.overwrite(changed, offset)
        if keeps_time:
            os.utime(self.path, ns=(before.st_atime_ns, before.st_mtime_ns))
        if offset < len(got):
            self.assertEqual(got + self.rest(checked), DEMO.content)
        else:
            with self.assertRaises(FileChanged) as caught:
                self.rest(checked)
            self.assertNotIsInstance(caught.exception, FileDamaged)
        checked.close()

    def test_file_that_is_cut_off_never_comes_to_its_end(self) -> None:
        checked = self.opened()
        checked.read_on(1000)
        os.truncate(self.path, 1000)
        with self.assertRaises(FileChanged):
            checked.read_on(1000)

    def test_what_is_appended_is_not_read(self) -> None:
        checked = self.opened()
        self.overwrite(b"more", len(DEMO.content))
        self.assertEqual(self.rest(checked), DEMO.content)

    def test_bytes_that_change_by_themselves_are_damage(self) -> None:
        """A disk's, whose times stay: here the digest is the one that is wrong."""
        wrong = LooseFile(path=self.file.path, state=self.file.state, sha256=OTHER.sha256)
        damaged = CheckedFile(os.open(self.path, os.O_RDONLY), wrong)
        self.addCleanup(damaged.close)
        with self.assertRaises(FileDamaged):
            self.rest(damaged)
        with self.assertRaises(FileDamaged):
            compare_file(self.roots, wrong)
        compare_file(self.roots, self.file)

    def test_parts_come_only_while_nothing_has_changed(self) -> None:
        checked = self.opened()
        compare_file(self.roots, self.file)
        self.assertEqual(checked.read_part(100, 5000), DEMO.content[5000:5100])
        self.overwrite(b"\0", 200_000)
        for _ in range(2):
            with self.assertRaises(FileChanged):
                checked.read_part(100, 5000)
