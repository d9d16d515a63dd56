"""Texts, times and URLs of a hostile upstream come out escaped and valid, or are dropped."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from html import escape

from pypid.domain import simple_html, simple_json
from pypid.domain.simple_page import (
    MAX_REASON_LENGTH,
    MAX_SPECIFIER_LENGTH,
    MAX_URL_LENGTH,
    InvalidPage,
    ParsedPage,
)
from tests.domain.readers import ReadersTestCase, read_html, read_json
from tests.domain.strategies import HTMLReader, page_of
from tests.domain.upstream_pages import MARKUP, SHA256, entry, from_html, from_json, link

OTHER = "cd" * 32


class TextTests(ReadersTestCase):
    def test_a45_markup_in_texts_is_text(self) -> None:
        for page in (
            from_json(
                entry(
                    requires_python=MARKUP, yanked=MARKUP, provenance=f"https://files.test/{MARKUP}".replace(" ", "")
                ),
                versions=["1.0", MARKUP],
                project_status={"status": "archived", "reason": MARKUP},
            ),
            from_html(
                link(
                    "demo-1.0.tar.gz",
                    attributes=f'data-requires-python="{escape(MARKUP)}" data-yanked="{escape(MARKUP)}"',
                ),
                head='<meta name="pypi:project-status" content="archived">'
                f'<meta name="pypi:project-status-reason" content="{escape(MARKUP)}">',
            ),
        ):
            self.assert_fit(page)
            shown = page_of(*page.files, status=page.status)
            document = simple_html.render_project(shown)
            self.assertNotIn(b"<script", document)
            for _, attributes in HTMLReader(document).tags:
                self.assertNotIn("onmouseover", attributes)
            for theirs in (read_html(document), read_json(simple_json.render_project(shown))):
                (package,) = theirs.packages
                self.assertEqual((package.requires_python, package.yanked_reason), (MARKUP, MARKUP))
                self.assertEqual(theirs.status_reason, MARKUP)
                self.assertTrue(package.url.startswith("https://index.test/root/files/demo/"))

    def test_a43_lone_surrogates(self) -> None:
        """They are no text in Unicode, and a page that has one no JSON; in HTML they cannot be said."""
        for key in ("filename", "url", "requires_python", "yanked", "upload_time", "provenance", "unknown"):
            with self.assertRaises(InvalidPage, msg=key):
                from_json(entry(**{key: "demo-\ud800"}))
        for key in ("versions", "project_status", "name", "unknown"):
            with self.assertRaises(InvalidPage, msg=key):
                from_json(entry(), **{key: ["\udfff"]})
        for said in ("&#xD800;", "&#55296;", "&#xDFFF;", "&#x110000;", "&#0;"):
            page = from_html(link("demo-1.0.tar.gz", attributes=f'data-yanked="{said}"'))
            self.assertEqual([file.yanked for file in page.files], ["\ufffd"], said)
            self.assert_fit(page)

    def test_a43_long_texts(self) -> None:
        """One for people is cut off; one that decides what is installed costs the entry."""
        long = "&" * 100_000
        (file,) = from_json(entry(provenance=f"https://files.test/{'x' * 2064}")).files
        self.assert_fit(ParsedPage((file,), (), ()))
        page = from_json(
            entry(yanked=long, provenance=f"https://files.test/{long}"),
            project_status={"status": "archived", "reason": long},
        )
        (file,) = page.files
        self.assertEqual((file.yanked, file.provenance), ("&" * MAX_REASON_LENGTH, None))
        assert page.status is not None
        self.assertEqual(page.status.reason, "&" * MAX_REASON_LENGTH)
        for wrong in (
            entry(requires_python=">" * (MAX_SPECIFIER_LENGTH + 1)),
            entry(url="x" * (MAX_URL_LENGTH + 1)),
            entry(filename="demo-" * 200_000),
        ):
            page = from_json(wrong)
            self.assertEqual((page.files, len(page.dropped)), ((), 1))
            self.assertLess(len(page.dropped[0]), 1000)

    def test_times_at_the_ends_of_the_calendar(self) -> None:
        """What no calendar has is no time; years below 1000 have four digits."""
        for text in (
            "0000-01-01T00:00:00Z",
            "10000-01-01T00:00:00Z",
            "9999-12-31T23:59:59-23:59",
            "0001-01-01T00:00:00+23:59",
            "2026-02-30",
            "NaN",
            "1e999",
            "9" * 5000,
        ):
            (file,) = from_json(entry(upload_time=text)).files
            self.assertIsNone(file.upload_time, text)
        for text in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"):
            (file,) = from_json(entry(upload_time=text, size=1)).files
            assert file.upload_time is not None
            (package,) = read_json(simple_json.render_project(page_of(file))).packages
            self.assertEqual(package.upload_time, file.upload_time)
            self.assertIs(file.upload_time.tzinfo, UTC)


class UrlTests(ReadersTestCase):
    def test_hosts_that_strict_readers_refuse_with_the_whole_page(self) -> None:
        for host in (
            "<b>",
            "a,b",
            "files..test%00",
            "-",
            "1.2.3.4.5",
            "files.300",
            "[::1",
            "[::x]",
            "[v1.x]",
            "[::1%25eth0]",
            "a'b",
            "files.0x1f",
            "[::]x",
            "]a[",
        ):
            page = from_json(entry(url=f"https://{host}/x", provenance=f"https://{host}/x"))
            self.assertEqual((page.files, len(page.dropped)), ((), 1), host)
            (file,) = from_json(entry(provenance=f"https://{host}/x")).files
            self.assertIsNone(file.provenance, host)
            self.assert_fit(ParsedPage((replace(file, origin="https://files.test/x"),), (), ()))
        for host in (
            "files.test",
            "FILES.test:8443",
            "my_files",
            "127.0.0.1:80",
            "[::1]",
            "[::ffff:1.2.3.4]:8080",
        ):
            (file,) = from_json(entry(url=f"https://{host}/x", provenance=f"https://{host}/x")).files
            self.assertEqual(file.provenance, f"https://{host}/x")
            self.assert_fit(ParsedPage((file,), (), ()))
        for host in ("xn--a", "a.XN--99999"):
            (file,) = from_json(entry(url=f"https://{host}/x", provenance=f"https://{host}/x")).files
            self.assertIsNone(file.provenance, host)

    def test_a44_base(self) -> None:
        """Links start at the first ``<base>``, if that is one of http; our own pages have none."""
        for base, origin in (
            ("//files.test/x/", "https://files.test/x/demo-1.0.tar.gz"),
            ("https://user:secret@files.test/", "https://files.test/demo-1.0.tar.gz"),
            ("", "https://index.test/root/simple/demo/demo-1.0.tar.gz"),
        ):
            page = from_html(
                f'<a href="demo-1.0.tar.gz#sha256={SHA256}">', head=f'<base href="{base}"><base href="http://b/">'
            )
            self.assertEqual([file.origin for file in page.files], [origin], base)
            self.assertNotIn(b"<base", simple_html.render_project(page_of(*page.files)))
        for base in (
            "javascript:",
            "data:text/html,",
            "file:///etc/",
            "ftp://files.test/",
            "http://a b/",
            "https://files.test:99999/",
        ):
            page = from_html(f'<a href="demo-1.0.tar.gz#sha256={SHA256}">', head=f'<base href="{base}">')
            self.assertEqual((page.files, len(page.dropped)), ((), 1), base)
