"""What distribution file names say."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version
from twisted.trial.unittest import SynchronousTestCase

from pypid.domain.filenames import (
    MAX_FILENAME_LENGTH,
    OLD_SDISTS,
    FileKind,
    ParsedFilename,
    UnknownFilename,
    parse_filename,
)
from pypid.domain.names import normalize_name
from tests.domain.strategies import filenames, patient, versions


class ParseFilenameTests(SynchronousTestCase):
    def test_wheel(self) -> None:
        parsed = parse_filename("Zope.Interface-5.0rc1-1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl")
        self.assertEqual(parsed.project, "zope-interface")
        self.assertEqual((parsed.version, parsed.kind), (Version("5.0rc1"), FileKind.WHEEL))

    def test_a_name_that_expands_to_many_tags(self) -> None:
        """A compressed tag set that would take long to expand is refused unexpanded."""
        many = ".".join(f"cp{number}" for number in range(16))
        parse_filename(f"demo-1.0-{many}-{many}-any.whl")
        self.assertRaises(UnknownFilename, parse_filename, f"demo-1.0-{many}-{many}-any.win32.whl")

    def test_sdists(self) -> None:
        """The project of an old sdist may have dashes: the version begins after the last one."""
        for filename in ("zope_interface-5.0.tar.gz", "zope-interface-5.0.zip"):
            parsed = parse_filename(filename)
            self.assertEqual(parsed.project, "zope-interface")
            self.assertEqual((parsed.version, parsed.kind), (Version("5.0"), FileKind.SDIST))

    def test_old_sdists(self) -> None:
        """Twisted 20.3 has none but a .tar.bz2, and pip installs it."""
        for suffix in OLD_SDISTS:
            filename = f"Zope.Interface-5.0{suffix}"
            parsed = parse_filename(filename)
            self.assertEqual(parsed, ParsedFilename(normalize_name("zope-interface"), Version("5.0"), FileKind.SDIST))

    def test_refused(self) -> None:
        """What is no sdist or wheel, or looks like one only to people, is refused with a reason."""
        for filename in (
            "",
            "demo",
            "demo-1.0.exe",
            "demo-1.0-py3.11.egg",
            "demo-1.0.tar.Z",
            "demo-1.0.bz2",
            "demo-1.0.TGZ",
            ".tar.bz2",
            "demo.tgz",
            "demo-1.0.tar.gz\n",
            "demo-one.tar.gz",
            "demo-1.0-none-any.whl",
            "-1.0.tar.gz",
            "-demo-1.0.tar.gz",
            "_demo-1.0.zip",
            "demo_-1.0.tgz",
            "../demo-1.0.tar.gz",
            "a\\demo-1.0.tar.gz",
            "demo -1.0.tar.gz",
            "d\u0435mo-1.0.tar.gz",
            "demo-1.0\u202e.tar.gz",
            "demo-1.0.tar.gz\0.whl",
        ):
            error = self.assertRaises(UnknownFilename, parse_filename, filename)
            self.assertTrue(str(error))

    def test_longest(self) -> None:
        longest = f"{'a' * (MAX_FILENAME_LENGTH - len('-1.tar.gz'))}-1.tar.gz"
        self.assertEqual(parse_filename(longest).version, Version("1"))
        self.assertRaises(UnknownFilename, parse_filename, f"a{longest}")

    @patient
    @given(versions)
    def test_says_its_version(self, version: str) -> None:
        self.assertEqual(parse_filename(f"demo-{version}.tar.gz").version, Version(version))
        self.assertEqual(parse_filename(f"demo-{version}-py3-none-any.whl").version, Version(version))

    @patient
    @given(
        st.text()
        | filenames
        | st.builds("{}-{}-py3-none-{}.whl".format, st.text(), st.text(), st.text())
        | st.builds("{}-{}.tar.gz".format, st.text("a.-_"), versions)
    )
    def test_what_parses_is_safe(self, filename: str) -> None:
        """Any text is either refused in words, or safe as a path segment and in a log line."""
        try:
            parse_filename(filename)
        except UnknownFilename:
            return
        self.assertTrue(filename.isascii() and filename.isprintable())
        self.assertEqual(set(filename) & set("/\\ "), set())
        self.assertNotIn(filename, {"", ".", ".."})
