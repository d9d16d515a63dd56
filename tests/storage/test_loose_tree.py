"""Which files are found in a directory, and when nobody can say what is there."""

from __future__ import annotations

import os
from pathlib import Path

from pypid.storage.loose_tree import survey
from tests.storage.case import StorageCase

NOBODY = 65534
"""The user id of Debian's ``nobody``."""


class SurveyTests(StorageCase):
    def put(self, path: str) -> Path:
        target = self.directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(b"x")
        return target

    def found(self, *roots: str) -> list[str]:
        tree = survey([str(self.directory / root) for root in roots or [""]])
        return [str(Path(path).relative_to(self.directory)) for path, _ in tree.files]

    def test_finds_distribution_files_in_the_order_of_the_roots_and_of_their_paths(self) -> None:
        for path in ("b/x/demo-1.0.zip", "b/demo-1.0.tar.gz", "a/z.whl", "a/deep/er/demo-1.tgz", "c/no.whl"):
            self.put(path)
        self.assertEqual(
            self.found("b", "a"), ["b/demo-1.0.tar.gz", "b/x/demo-1.0.zip", "a/deep/er/demo-1.tgz", "a/z.whl"]
        )

    def test_leaves_out_what_is_hidden_or_called_otherwise(self) -> None:
        """rsync's temporary files, editors' and version control's; signatures, notes and eggs."""
        for path in (".demo-1.0.tar.gz.x7Zk2q", ".demo-1.0.whl", ".git/demo-1.0.whl", "demo-1.0.tar.gz.asc"):
            self.put(path)
        for path in ("README.txt", "demo-1.0-py3.8.egg", "demo-1.0.whl.part", "lost+found/demo-1.0.whl"):
            self.put(path)
        self.assertEqual(self.found(), [])

    def test_follows_no_link_but_those_to_a_root(self) -> None:
        """Who may write here must not make public what pypid alone can read."""
        secret = self.put("secret/demo-1.0.whl")
        self.put("root/own-1.0.whl")
        (self.directory / "root" / "demo-1.0.whl").symlink_to(secret)
        (self.directory / "root" / "all").symlink_to(secret.parent)
        os.mkfifo(self.directory / "root" / "pipe-1.0.whl")
        (self.directory / "link").symlink_to(self.directory / "root")
        self.assertEqual(self.found("link"), ["link/demo-1.0.whl", "link/own-1.0.whl"], "the name of one counts")

    def test_says_which_roots_have_nothing_at_all(self) -> None:
        self.put("full/.keep")
        (self.directory / "empty").mkdir()
        roots = [str(self.directory / name) for name in ("full", "empty")]
        self.assertEqual(survey(roots).empty, (roots[1],))

    def test_directory_that_cannot_be_read_is_an_error_whichever_it_is(self) -> None:
        self.put("root/demo-1.0.whl")
        with self.assertRaises(FileNotFoundError):
            self.found("root", "gone")
        with self.assertRaises(NotADirectoryError):
            self.found("root/demo-1.0.whl")
        locked = self.put("root/locked/other-1.0.whl").parent
        locked.chmod(0)
        self.addCleanup(locked.chmod, 0o700)
        if os.geteuid() == 0:  # who may read everything
            self.directory.chmod(0o755)
            os.seteuid(NOBODY)
            self.addCleanup(os.seteuid, 0)
        with self.assertRaises(PermissionError):
            self.found("root")
