"""Pages that are made to take time and memory come to a limit."""

from __future__ import annotations

from pypid.domain import html_reader, simple_html, simple_json
from pypid.domain.simple_page import InvalidPage, ParsedPage
from tests.domain.readers import ReadersTestCase
from tests.domain.strategies import ANYWHERE, DEMO, URL

SHA256 = "ab" * 32
LINK = f'<a href="demo-%s.tar.gz#sha256={SHA256}">x</a>\n'


def entry(more: str = "") -> str:
    """Return a file in JSON, with one key more."""
    more = more and f", {more}"
    return f'{{"filename": "demo-1.0.tar.gz", "url": "x", "hashes": {{"sha256": "{SHA256}"}}{more}}}'


def from_json(text: str) -> ParsedPage:
    return simple_json.parse_project(text.encode(errors="surrogatepass"), url=URL, project=DEMO, allowed=ANYWHERE)


def from_html(text: str) -> ParsedPage:
    return simple_html.parse_project(text.encode(errors="surrogatepass"), url=URL, project=DEMO, allowed=ANYWHERE)


class JsonTests(ReadersTestCase):
    def test_a43_depth(self) -> None:
        """At any depth, in any place, it is a page or none."""
        for depth in (10, 500, 900, 990, 1000, 1010, 5000, 100_000):
            for opened, closed in (("[", "]"), ('{"x":', "}"), ('[{"":', "}]")):
                nested = opened * depth + "1" + closed * depth
                beside = entry(f'"x": {nested}')
                for text in (
                    f'{{"files": [{entry()}], "x": {nested}}}',
                    f'{{"files": [{entry()}], "versions": {nested}}}',
                    f'{{"files": [{entry()}], "project-status": {nested}}}',
                    f'{{"files": [{entry()}, {nested}]}}',
                    f'{{"files": [{entry()}, {beside}]}}',
                ):
                    try:
                        page = from_json(text)
                    except InvalidPage:
                        self.assertGreater(depth, 100)
                    else:
                        self.assertEqual(len(page.files), 1)

    def test_a43_too_many_files(self) -> None:
        for entries in ("1," * 200_000, "{}," * 200_000):
            with self.assertRaisesRegex(InvalidPage, "more than 200000 files"):
                from_json(f'{{"files": [{entries}1]}}')

    def test_a43_too_many_versions(self) -> None:
        with self.assertRaisesRegex(InvalidPage, "more than 200000"):
            from_json('{"files": [], "versions": [' + '"1",' * 200_001 + '"1"]}')

    def test_a43_too_many_values(self) -> None:
        """Of any kind, before they are read: each takes memory."""
        for text in ("[" + "1," * 2_000_001 + "1]", '{"x":' + "{}," * 2_000_001):
            with self.assertRaisesRegex(InvalidPage, "more than 2000000 values"):
                from_json(text)

    def test_a43_duplicate_keys(self) -> None:
        """The last one counts, for us and for those who read what we make of it."""
        page = from_json(f'{{"files": [1], "files": [{entry()}]}}')
        self.assertEqual(len(page.files), 1)
        text = entry('"hashes": {"sha256": "short"}, "hashes": {"md5": "", "sha256": "%s"}' % ("cd" * 32))
        self.assertEqual([file.sha256 for file in from_json(f'{{"files": [{text}]}}').files], ["cd" * 32])

    def test_a43_numbers(self) -> None:
        """Too large, too precise or none at all: no claim, or no page."""
        for number in ("1" * 10_000, "1e999", "-1e999", "0." + "1" * 10_000, "-0", "1.5", str(2**64), str(-(2**63))):
            sized = entry(f'"size": {number}')
            page = from_json(f'{{"files": [{sized}], "versions": [{number}]}}')
            self.assertTrue(page.dropped or page.files[0].size in {None, 0}, number)
        for number in ("NaN", "Infinity", "-Infinity", "01", "0x1", "1_0", "+1", ".5"):
            sized = entry(f'"size": {number}')
            with self.assertRaises(InvalidPage, msg=number):
                from_json(f'{{"files": [{sized}]}}')

    def test_a43_encodings(self) -> None:
        """It is UTF-8 without a mark, or no page, wherever the wrong bytes are."""
        for spoiled in (b"\xff", b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80", b"\xf0\x9f"):
            for padding in (0, 2**16 - 20, 2**16 - 9):
                body = b'{"x": "%s%s", "files": []}' % (b" " * padding, spoiled)
                with self.assertRaises(InvalidPage, msg=(spoiled, padding)):
                    simple_json.parse_project(body, url=URL, project=DEMO, allowed=ANYWHERE)
        for padding in range(8):
            body = ('{"x": "' + " " * (2**16 - 12 + padding) + '\U0001f4a9", "files": []}').encode()
            self.assertEqual(simple_json.parse_project(body, url=URL, project=DEMO, allowed=ANYWHERE).dropped, ())
        for text in ("\ufeff{}", "\ufeff" + '{"files": []}'):
            with self.assertRaises(InvalidPage):
                from_json(text)


class HtmlTests(ReadersTestCase):
    def test_a44_links_on_every_side_of_where_a_page_is_cut(self) -> None:
        """It is read in pieces: none is lost, and none is made up."""
        for padding in range(0, 110, 7):
            count = 2 * html_reader._MAX_TAG // len(LINK)
            page = from_html("<!-- " + "x" * padding + " -->" + "".join(LINK % n for n in range(count)))
            self.assertEqual(page.versions, tuple(str(n) for n in range(count)))

    def test_a44_characters_across_a_cut(self) -> None:
        for padding in range(5):
            body = (
                "<html>"
                + " " * (html_reader._MAX_TAG - 100 + padding)
                + LINK.replace(">x", ' data-yanked="' + "\U0001f4a9" * 30 + '">x')
            )
            self.assertEqual([file.yanked for file in from_html(body % 1).files], ["\U0001f4a9" * 30])

    def test_a44_broken_ends(self) -> None:
        """A page that ends in the middle of something is cut off: what it does not list may be there."""
        for end in (
            "<a",
            "<a href",
            "<a href='",
            '<a href="x',
            "<!--",
            "<!-- -",
            "<!doctype",
            "<![CDATA[",
            "<?x",
            "</a",
            "</",
            "<",
        ):
            with self.assertRaisesRegex(InvalidPage, "cut off", msg=end):
                from_html(f"<html>{LINK % 1}{end}")
        for end in (
            "</html",
            "&",
            "&#",
            "&#1",
            "&am",
            "<b></i></a></a></html></html>",
            "< a",
            "<>",
            "</>",
            "a<3 b",
            "]]>",
        ):
            text = f"<html>{LINK % 1}{end}" + (">" if end == "</html" else "")
            self.assertEqual(from_html(text).versions, ("1",), end)

    def test_a44_nested_and_unclosed(self) -> None:
        """However deep, and whatever is not closed: only links count."""
        for before in (
            "<div>" * 100_000,
            "<table><tr><td>" * 10_000,
            "<a>" * 10_000,
            "<p",
            "<b x='" * 1000 + "'>",
            "<title>",
            "<svg><![CDATA[x]]>",
        ):
            text = before + ("" if before.endswith(">") else ">") + LINK % 1
            self.assertEqual(from_html(f"<html>{text}").versions, ("1",), before[:20])

    def test_a44_endless_constructs(self) -> None:
        """One tag, comment or script is not read on and on, as html.parser would."""
        for text in (
            "<a" + " a" * 50_000,
            "<!--" + "x" * 100_000,
            "<script>" + "x" * 100_000,
            "<!--" * 30_000,
            "<a b='" * 20_000,
            "<? " * 40_000,
        ):
            with self.assertRaisesRegex(InvalidPage, "more than 65536 characters"):
                from_html(f"<html>{text}")

    def test_a44_what_never_ends_is_looked_at_once(self) -> None:
        """Not anew at each "<" in it, as `HTMLParser.close` does: these take it from seconds to minutes."""
        for repeated in ("<!--", "<!x", "<![CDATA[", "<?x", "<a ", "<a b='", '<a b="', "</a", "</", '<a x="y" '):
            with self.assertRaisesRegex(InvalidPage, "cut off", msg=repeated):
                from_html("<html>" + repeated * (60_000 // len(repeated)))

    def test_a43_too_many_links(self) -> None:
        with self.assertRaisesRegex(InvalidPage, "more than 200000 files"):
            from_html("<a href=x>" * 200_001)
        with self.assertRaisesRegex(InvalidPage, "more than 2000000 tags"):
            from_html("<" * 2_000_001)

    def test_a44_long_base(self) -> None:
        """A hundred thousand links must not each repeat it; of the page's own URL the same is true."""
        for head, url in ((f"<base href='{'x/' * 600}'>", URL), ("", f"{URL}{'x/' * 600}")):
            with self.assertRaisesRegex(InvalidPage, "longer than 1000 characters"):
                simple_html.parse_project(f"<html>{head}{LINK % 1}".encode(), url=url, project=DEMO, allowed=ANYWHERE)
        signed = simple_html.parse_project(
            (LINK % 1).encode(), url=f"{URL}?{'x' * 2000}", project=DEMO, allowed=ANYWHERE
        )
        self.assertEqual([file.origin for file in signed.files], [f"{URL}demo-1.tar.gz"])

    def test_a43_references_of_many_digits(self) -> None:
        """int() refuses them; html.parser lets that through."""
        for text in (f"&#{'1' * 5000};", f"<a href='&#{'9' * 5000};'>"):
            with self.assertRaises(InvalidPage) as raised:
                from_html(f"<html>{text} <b>")
            self.assertLess(len(str(raised.exception)), 500)
