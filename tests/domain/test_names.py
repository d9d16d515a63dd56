"""Names: what we take for one, and that we agree with installers about it."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from packaging.utils import InvalidName as PackagingInvalidName
from packaging.utils import canonicalize_name
from twisted.trial.unittest import SynchronousTestCase

from pypid.domain.names import (
    MAX_NAME_LENGTH,
    RESERVED_SEGMENTS,
    InvalidName,
    normalize_name,
    parse_index_name,
    shorten,
)
from tests.domain.strategies import patient


class NormalizeNameTests(SynchronousTestCase):
    @patient
    @given(st.text(alphabet="aZ9-_./ \n\u0130\u212a", max_size=8))  # the nasty letters, densely
    @example("")
    @example("..")
    @example("a\n")
    def test_agrees_with_packaging(self, name: str) -> None:
        """Installers' own implementation accepts and returns the same."""
        try:
            expected = canonicalize_name(name, validate=True)
        except PackagingInvalidName:
            self.assertRaises(InvalidName, normalize_name, name)
        else:
            self.assertEqual(normalize_name(name), expected)

    @patient
    @given(st.from_regex(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,20}[A-Za-z0-9])?", fullmatch=True))
    def test_one_spelling(self, name: str) -> None:
        """The canonical spelling of a canonical spelling is itself."""
        once = normalize_name(name)
        self.assertEqual(normalize_name(once), once)

    def test_too_long(self) -> None:
        """A name that no file system could store is refused, and the message does not repeat all of it."""
        self.assertEqual(normalize_name("a" * MAX_NAME_LENGTH), "a" * MAX_NAME_LENGTH)
        error = self.assertRaises(InvalidName, normalize_name, "a" * 100_000)
        self.assertLess(len(str(error)), 200)


class IndexNameTests(SynchronousTestCase):
    def test_accepted(self) -> None:
        for text in ("main", "root/pypi", "team-1/dev_2.x", "a", "0/1"):
            self.assertEqual(parse_index_name(text), text)

    def test_refused(self) -> None:
        """Nothing that could leave the URL's segment, or that only differs in case from another index."""
        for text in (
            "",
            "/",
            "a/",
            "/a",
            "a/b/c",
            "..",
            "a/..",
            ".a",
            "-",
            "a-",
            "Main",
            "+simple",
            "main/+simple",
            "a b",
            "a\n",
            "\u0430",
            "%61",
        ):
            self.assertRaises(InvalidName, parse_index_name, text)

    def test_reserved(self) -> None:
        """No index can hide behind a path that the URL map uses."""
        for segment in RESERVED_SEGMENTS:
            self.assertRaises(InvalidName, parse_index_name, segment)
            self.assertRaises(InvalidName, parse_index_name, f"team/{segment}")


class ShortenTests(SynchronousTestCase):
    def test_quotes(self) -> None:
        """A message cannot be broken by what it quotes."""
        self.assertEqual(shorten("a\nb"), r"'a\nb'")

    def test_cuts(self) -> None:
        self.assertEqual(shorten("abcdef", limit=3), "'abc'...")
