"""The model of a project page."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version
from twisted.trial.unittest import SynchronousTestCase

from pypid.domain.files import (
    DIGEST_PREFIX_LENGTH,
    DistributionFile,
    ProjectStatus,
    Status,
    offered,
    other_bytes,
    sort_versions,
    versions_of,
)
from tests.domain.strategies import a_file, page_of, patient, versions


class FindTests(SynchronousTestCase):
    def test_by_name_and_digest(self) -> None:
        """A link to other bytes of the same name is not answered with today's."""
        file = a_file(sha256="ab" * 32)
        page = page_of(a_file("demo-2.0.tar.gz"), file)
        self.assertIs(page.find("demo-1.0.tar.gz", "ab" * 8), file)
        self.assertIsNone(page.find("demo-1.0.tar.gz", "cd" * 8))
        self.assertIsNone(page.find("demo-3.0.tar.gz", "ab" * 8))

    def test_whole_prefix(self) -> None:
        """A shortened digest finds nothing: every file has one URL."""
        file = a_file(sha256="ab" * 32)
        self.assertEqual(len(file.digest_prefix), DIGEST_PREFIX_LENGTH)
        self.assertIsNone(page_of(file).find(file.filename, "ab"))


class OtherBytesTests(SynchronousTestCase):
    def test_only_known_names_with_another_digest(self) -> None:
        """A file that is new or gone is the usual course of things."""
        before = page_of(a_file("demo-1.0.tar.gz"), a_file("demo-2.0.tar.gz"), a_file("demo-3.0.tar.gz"))
        after = page_of(a_file("demo-1.0.tar.gz"), a_file("demo-2.0.tar.gz", "cd" * 32), a_file("demo-4.0.tar.gz"))
        self.assertEqual(other_bytes(before, after), ("demo-2.0.tar.gz",))


class OfferedTests(SynchronousTestCase):
    def test_only_quarantine_hides_files(self) -> None:
        files = (a_file(),)
        self.assertEqual(offered(files, None), files)
        hidden = {status for status in Status if offered(files, ProjectStatus(status)) == ()}
        self.assertEqual(hidden, {Status.QUARANTINED})


class VersionsTests(SynchronousTestCase):
    def test_of_files(self) -> None:
        """Each version once, oldest first, in its normal spelling."""
        names = ("demo-1.10.tar.gz", "demo-1.9.tar.gz", "demo-1.9-py3-none-any.whl", "demo-2.0.0-RC1.zip", "odd.egg")
        files = tuple(DistributionFile(filename=name, sha256="00" * 32) for name in names)
        self.assertEqual(versions_of(files), ("1.9", "1.10"))
        rc = DistributionFile(filename="demo-2.0.RC1.zip", sha256="00" * 32)
        self.assertEqual(versions_of((rc, *files)), ("1.9", "1.10", "2.0rc1"))

    def test_legacy_first(self) -> None:
        """Versions from before PEP 440 are kept, and never the newest."""
        self.assertEqual(
            sort_versions(frozenset({"1.10", "dev-r7", "1.9", "2004d-x"})), ("2004d-x", "dev-r7", "1.9", "1.10")
        )

    @patient
    @given(st.frozensets(versions))
    def test_sorted_as_installers_do(self, texts: frozenset[str]) -> None:
        result = sort_versions(texts)
        self.assertEqual(frozenset(result), texts)
        self.assertEqual(len(result), len(texts))
        self.assertTrue(all(Version(a) <= Version(b) for a, b in pairwise(result)))
