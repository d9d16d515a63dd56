"""What both forms of a project page are sifted by."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pypid.domain import simple_page
from pypid.domain.files import DistributionFile, ProjectStatus, Status
from pypid.domain.reach import AllowedHosts
from pypid.domain.simple_page import (
    MAX_DROPPED_LINES,
    InvalidPage,
    Sieve,
    encodable,
    known_provenance,
    known_requires_python,
    known_sha256,
    known_status,
    known_time,
    relative_url,
)
from tests.domain.strategies import ANYWHERE, DEMO, URL, a_file

SHA256 = "ab" * 32
LINK = "../../files/demo-1.0.tar.gz"


def an_entry(
    filename: str = "demo-1.0.tar.gz",
    *,
    sha256: str | None = SHA256,
    origin: str | None = LINK,
    size: int | None = None,
) -> DistributionFile:
    return DistributionFile(filename=filename, sha256=sha256, origin=origin, size=size)


def sifted(*entries: DistributionFile, base: str = URL, allowed: AllowedHosts = ANYWHERE) -> Sieve:
    sieve = Sieve(DEMO, base=base, allowed=allowed)
    for entry in entries:
        sieve.offer(entry)
    return sieve


class SieveTests(SynchronousTestCase):
    def assert_dropped(self, entry: DistributionFile, why: str) -> None:
        sieve = sifted(entry)
        self.assertEqual(sieve.files(), (), entry)
        (line,) = sieve.dropped()
        self.assertIn(why, line)
        self.assertTrue(line.isprintable(), "a log line stays one line")

    def test_kept(self) -> None:
        """A link is made absolute, and a digest in upper case lowered."""
        sieve = sifted(an_entry(sha256="AB" * 32))
        (file,) = sieve.files()
        self.assertEqual(file.origin, "https://index.test/root/files/demo-1.0.tar.gz")
        self.assertEqual(file.sha256, SHA256)
        self.assertEqual(sieve.dropped(), ())

    def test_other_hosts(self) -> None:
        """Files may live anywhere, as PyPI's do."""
        for link in ("https://files.test:8443/a/demo-1.0.tar.gz", "http://[::1]:80/demo-1.0.tar.gz"):
            (file,) = sifted(an_entry(origin=link)).files()
            self.assertEqual(file.origin, link)
        (file,) = sifted(an_entry(origin="//files.test/x")).files()
        self.assertEqual(file.origin, "https://files.test/x")

    def test_fragment(self) -> None:
        (file,) = sifted(an_entry(origin="https://files.test/x#sha256=00")).files()
        self.assertEqual(file.origin, "https://files.test/x")

    def test_bad_filenames(self) -> None:
        """Only files of this very project that installers would look at."""
        self.assert_dropped(an_entry("other-1.0.tar.gz"), "belongs to the project other")
        for filename in (
            "",
            "demo.exe",
            "demo-1.0.egg",
            "demo-1.0.tar.gz\n",
            "../demo-1.0.tar.gz",
            "demo-\u0661.tar.gz",
        ):
            self.assert_dropped(an_entry(filename), "")

    def test_bad_digests(self) -> None:
        """What claims to be verifiable and is not is not offered."""
        for claim in ("ab" * 31, "ab" * 33, "zz" * 32, SHA256 + "\n", "\u0661" * 64):
            self.assert_dropped(an_entry(sha256=claim), "not 64 hex digits")

    def test_bad_links(self) -> None:
        """Nothing but plain http and https is ever fetched, and no one's password is."""
        for link, why in (
            (None, "is empty"),
            ("", "is empty"),
            ("https://files.test/a\nb", "characters that no URL has"),
            ("https://files.test/a b", "characters that no URL has"),
            ("https://files.test\\@evil.test/x", "characters that no URL has"),
            ("https://files.test/\u00e9", "characters that no URL has"),
            ("ftp://files.test/x", "not one of http or https"),
            ("file:///etc/passwd", "not one of http or https"),
            ("javascript:alert(1)", "not one of http or https"),
            ("http:///x", "not one of http or https"),
            ("https://user:secret@files.test/x", "contains a user name"),
            ("https://files.test:0/x", "port 0"),
            ("https://files.test:65536/x", ""),
            ("https://files.test:http/x", ""),
            ("https://[::1/x", ""),
        ):
            self.assert_dropped(an_entry(origin=link), why)

    def test_secret_is_not_logged(self) -> None:
        (line,) = sifted(an_entry(origin="https://user:secret@files.test/x")).dropped()
        self.assertNotIn("secret", line)

    def test_base_userinfo(self) -> None:
        """The credentials of an upstream's URL do not travel on into its files' URLs."""
        (file,) = sifted(an_entry(), base="https://user:secret@index.test/root/simple/demo/").files()
        self.assertEqual(file.origin, "https://index.test/root/files/demo-1.0.tar.gz")

    def test_listed_twice(self) -> None:
        """The same file twice is one; the first entry counts."""
        sieve = sifted(an_entry(size=1), an_entry(size=2), an_entry("demo-2.0.tar.gz"))
        self.assertEqual(
            [(f.filename, f.size) for f in sieve.files()], [("demo-1.0.tar.gz", 1), ("demo-2.0.tar.gz", None)]
        )
        self.assertEqual(sieve.dropped(), ())

    def test_disputed(self) -> None:
        """Of two entries that disagree neither is right, nor is a third that sides with one."""
        sieve = sifted(an_entry(), an_entry(sha256="cd" * 32), an_entry(), an_entry("demo-2.0.tar.gz"))
        self.assertEqual([file.filename for file in sieve.files()], ["demo-2.0.tar.gz"])
        two, again = sieve.dropped()
        self.assertIn(SHA256, two)
        self.assertIn("cd" * 32, two)
        self.assertIn("listed again", again)

    def test_many_dropped(self) -> None:
        """A page of nothing but rubbish does not fill the log."""
        sieve = sifted(*[an_entry(f"demo-{n}.exe") for n in range(MAX_DROPPED_LINES + 3)])
        self.assertEqual(len(sieve.dropped()), MAX_DROPPED_LINES + 1)
        self.assertEqual(sieve.dropped()[-1], "and 3 more")
        self.assertIn("demo-0.exe", sieve.dropped()[0])

    def test_long_filename(self) -> None:
        """Nor does one enormous name."""
        (line,) = sifted(an_entry("x" * 100_000)).dropped()
        self.assertLess(len(line), 500)

    def test_too_many(self) -> None:
        """The limit counts what was dropped, too."""
        self.patch(simple_page, "MAX_FILES", 2)
        sieve = sifted(an_entry())
        sieve.drop("entry 2", "it is not one")
        with self.assertRaisesRegex(InvalidPage, "more than 2 files"):
            sieve.offer(an_entry())


class ClaimTests(SynchronousTestCase):
    def test_sha256(self) -> None:
        self.assertEqual(known_sha256("AB" * 32), SHA256)
        for claim in (None, "", "ab", SHA256 + " "):
            self.assertIsNone(known_sha256(claim))

    def test_requires_python(self) -> None:
        """An empty one is none: installers would find no Python that it allows."""
        self.assertEqual(known_requires_python(">=3.9"), ">=3.9")
        for text in (None, "", " \n"):
            self.assertIsNone(known_requires_python(text))

    def test_provenance(self) -> None:
        """Clients fetch it as it is: from https, and with nobody's password."""
        for url in ("https://index.test/integrity/demo/provenance", "https://[::1]:8443/x?a=b"):
            self.assertEqual(known_provenance(url), url)
        for claim in (
            None,
            "",
            "true",
            "http://index.test/x",
            "//index.test/x",
            "/integrity/x",
            "https:x",
            "https:///x",
            "https://index.test:http/x",
            "https://[::1/x",
            "https://user:secret@index.test/x",
            "https://index.test/a b",
            "https://index.test/\n",
            "https://index.test/\u00e9",
            " https://index.test/x",
            "javascript:alert(1)",
        ):
            self.assertIsNone(known_provenance(claim), claim)

    def test_status(self) -> None:
        """One of the four that there are; what a newer version has beside them is not handed on."""
        for status in Status:
            self.assertEqual(known_status(status.value, None), ProjectStatus(status))
        self.assertEqual(known_status("archived", "it is done"), ProjectStatus(Status.ARCHIVED, "it is done"))
        nonsense: tuple[object, ...] = (None, "", " \n", 1, True, [], {})
        for claim in ("Archived", "frozen", {"status": "archived"}, *nonsense):
            self.assertIsNone(known_status(claim, "why"), claim)
        for reason in nonsense:
            self.assertEqual(known_status("archived", reason), ProjectStatus(Status.ARCHIVED), reason)

    def test_time(self) -> None:
        expected = datetime(2026, 1, 2, 3, 4, 5, 600_000, tzinfo=UTC)
        for text in ("2026-01-02T03:04:05.6Z", "2026-01-02T03:04:05.600000+00:00", "2026-01-02T05:04:05.6+02:00"):
            self.assertEqual(known_time(text), expected, text)
        self.assertEqual(known_time("2026-01-02T03:04:05.600000"), expected, "without an offset it is UTC")

    def test_no_time(self) -> None:
        for text in (
            None,
            "",
            "yesterday",
            "2026-13-01T00:00:00Z",
            "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:00:00-14:00",
        ):
            self.assertIsNone(known_time(text), text)

    @given(st.text(max_size=40))
    def test_time_of_anything(self, text: str) -> None:
        """Upstream's text is a time in UTC or none; it is never an exception."""
        time = known_time(text)
        self.assertTrue(time is None or time.tzinfo is UTC)

    def test_encodable(self) -> None:
        self.assertEqual(encodable("a\ud800b\u00e9"), "a?b\u00e9")


class RelativeUrlTests(SynchronousTestCase):
    def test_two_up(self) -> None:
        self.assertEqual(relative_url(DEMO, a_file(sha256=SHA256)), "../../files/demo/abababababababab/demo-1.0.tar.gz")
        self.assertEqual(relative_url(DEMO, a_file(sha256=SHA256), up="../")[:15], "../files/demo/a")

    def test_local_version(self) -> None:
        """A plus sign, a percent sign or a question mark in a filename survives any URL parser."""
        url = relative_url(DEMO, a_file("demo-1.0+a%2F?#&-py3-none-any.whl"))
        self.assertTrue(url.endswith("/demo-1.0%2Ba%252F%3F%23%26-py3-none-any.whl"), url)
