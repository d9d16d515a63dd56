"""The HTML form of the Simple API."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urljoin

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pypid.domain.files import DistributionFile, ProjectPage, ProjectStatus, Status
from pypid.domain.names import normalize_name
from pypid.domain.simple_html import parse_project, render_project, render_project_list
from pypid.domain.simple_page import InvalidPage, ParsedPage
from tests.domain.strategies import ANYWHERE, DEMO, URL, HTMLReader, a_file, as_mirrored, page_of, pages, patient

SHA256 = "ab" * 32
METADATA = "cd" * 32
PROVENANCE = "https://index.test/integrity/demo/1.9/demo-1.9-py3-none-any.whl/provenance"

PYPI = f"""\
<!DOCTYPE html>
<html>
  <head>
    <meta name="pypi:repository-version" content="1.4">
    <meta name="pypi:project-status" content="deprecated">
    <meta name="pypi:project-status-reason" content="use &quot;other&quot;">
    <title>Links for demo</title>
  </head>
  <body>
    <h1>Links for demo</h1>
<a href="https://files.test/packages/70/demo-1.9-py3-none-any.whl#sha256={SHA256}" data-requires-python="&gt;=3.9"\
 data-dist-info-metadata="sha256={METADATA}" data-core-metadata="sha256={METADATA}"\
 data-provenance="{PROVENANCE}">demo-1.9-py3-none-any.whl</a><br />
<a href="../../packages/9d/demo-1.10.tar.gz#sha256={SHA256}" data-yanked="broken on &quot;Tuesdays&quot;"\
 >demo-1.10.tar.gz</a><br />
</body>
</html>
<!--SERIAL 24888689-->
"""


def parsed(document: str | bytes) -> ParsedPage:
    body = document if isinstance(document, bytes) else document.encode()
    return parse_project(body, url=URL, project=DEMO, allowed=ANYWHERE)


def only(attributes: str = "", *, href: str = f"demo-1.0.tar.gz#sha256={SHA256}") -> DistributionFile:
    """Return how a link with these attributes is understood."""
    page = parsed(f'<html><body><a href="{href}" {attributes}>x</a>')
    assert len(page.files) == 1, page.dropped
    return page.files[0]


class ParseTests(SynchronousTestCase):
    def test_pypi(self) -> None:
        page = parsed(PYPI)
        self.assertEqual(
            page.files,
            (
                DistributionFile(
                    filename="demo-1.9-py3-none-any.whl",
                    sha256=SHA256,
                    requires_python=">=3.9",
                    core_metadata=METADATA,
                    provenance=PROVENANCE,
                    origin="https://files.test/packages/70/demo-1.9-py3-none-any.whl",
                ),
                DistributionFile(
                    filename="demo-1.10.tar.gz",
                    sha256=SHA256,
                    yanked='broken on "Tuesdays"',
                    origin="https://index.test/root/packages/9d/demo-1.10.tar.gz",
                ),
            ),
        )
        self.assertEqual(page.versions, ("1.9", "1.10"))
        self.assertEqual(page.dropped, ())
        self.assertEqual(page.status, ProjectStatus(Status.DEPRECATED, 'use "other"'))

    def test_status(self) -> None:
        """Of several the first counts; one that nobody knows is none; a quarantined project offers nothing."""
        page = (
            '<html><meta name="pypi:project-status" content="{}"><meta name="pypi:project-status" content="active">'
            f'<a href="demo-1.0.tar.gz#sha256={SHA256}">'
        )
        self.assertEqual(parsed(page.format("archived")).status, ProjectStatus(Status.ARCHIVED))
        for status in ("", "frozen"):
            self.assertEqual((len(parsed(page.format(status)).files), parsed(page.format(status)).status), (1, None))
        quarantined = parsed(page.format("quarantined"))
        self.assertEqual((quarantined.files, quarantined.status), ((), ProjectStatus(Status.QUARANTINED)))

    def test_pep_708(self) -> None:
        """What was rejected is not handed on."""
        page = parsed(
            '<html><meta name="pypi:tracks" content="https://tracked.test/simple/demo/">'
            '<meta name="pypi:alternate-locations" content="https://alternate.test/simple/demo/">'
            f'<a href="demo-1.0.tar.gz#sha256={SHA256}">'
        )
        body = render_project(page_of(*page.files, status=page.status))
        for word in (b"tracks", b"alternate", b"tracked.test"):
            self.assertNotIn(word, body)

    def test_no_files(self) -> None:
        """An index page with nothing on it is a page."""
        for document in ("<!doctype html>", "<HTML>", "<body></body>", "<a>no link</a>"):
            self.assertEqual(parsed(document), ParsedPage((), (), ()), document)

    def test_no_page(self) -> None:
        """A proxy's plain-text error, or an answer in JSON, is no empty page."""
        for document in (
            "",
            "Bad Gateway",
            '{"files": []}',
            "<?xml version='1.0'?><rss></rss>",
            "<!-- <a> -->",
            "<p>a</p>",
        ):
            with self.assertRaises(InvalidPage, msg=document):
                parsed(document)

    def test_repository_version(self) -> None:
        meta = (
            '<html><meta name="pypi:repository-version" content="{}"><a href="demo-1.0.tar.gz#sha256=' + SHA256 + '">'
        )
        for version in ("1.0", "1.99", "1"):
            self.assertEqual(len(parsed(meta.format(version)).files), 1, version)
        for version in ("2.0", "0.1", "", "x"):
            with self.assertRaises(InvalidPage, msg=version):
                parsed(meta.format(version))

    def test_filename_is_in_the_url(self) -> None:
        """What a link is called does not matter; where it leads does, percent signs decoded."""
        page = parsed(f'<a href="/x/demo-1.0%2Blocal.tar.gz?a=b/c#sha256={SHA256}">evil-6.6.tar.gz</a>')
        self.assertEqual([file.filename for file in page.files], ["demo-1.0+local.tar.gz"])

    def test_hidden_slash(self) -> None:
        """An encoded slash does not make a path out of a filename."""
        page = parsed(f'<a href="/x/..%2Fdemo-1.0.tar.gz#sha256={SHA256}">')
        self.assertEqual(page.files, ())
        self.assertEqual(len(page.dropped), 1)

    def test_fragments(self) -> None:
        """The digest is found among other claims; two that differ are none."""
        for fragment in (
            f"egg=demo&amp;sha256={SHA256}",
            f"sha256={SHA256}&sha256={SHA256}",
            f"x#sha256={SHA256.upper()}",
        ):
            self.assertEqual(only(href=f"demo-1.0.tar.gz#{fragment}").sha256, SHA256, fragment)
        for fragment in ("", f"notsha256={SHA256}", SHA256, f"sha256:{SHA256}"):
            file = only(href=f"demo-1.0.tar.gz#{fragment}")
            self.assertEqual((file.sha256, file.verified), (None, False), fragment)
        for fragment in ("md5=00", f"sha256={SHA256}&sha256={METADATA}"):
            page = parsed(f'<a href="demo-1.0.tar.gz#{fragment}">')
            self.assertEqual((page.files, len(page.dropped)), ((), 1), fragment)

    def test_base(self) -> None:
        """Links start at ``<base href>``, which may be relative itself; one that is no URL counts for nothing."""
        link = f'<a href="demo-1.0.tar.gz#sha256={SHA256}">'
        for base, expected in (
            ("https://files.test/x/", "https://files.test/x/demo-1.0.tar.gz"),
            ("../f/", "https://index.test/root/simple/f/demo-1.0.tar.gz"),
            ("https://[", "https://index.test/root/simple/demo/demo-1.0.tar.gz"),
            ("", "https://index.test/root/simple/demo/demo-1.0.tar.gz"),
        ):
            (file,) = parsed(f'<html><base href="{base}"><base href="https://second.test/">{link}').files
            self.assertEqual(file.origin, expected, base)

    def test_base_scheme(self) -> None:
        page = parsed(f'<html><base href="file:///etc/"><a href="demo-1.0.tar.gz#sha256={SHA256}">')
        self.assertEqual((page.files, len(page.dropped)), ((), 1))

    def test_yanked(self) -> None:
        """The attribute counts, with or without a value."""
        self.assertEqual(only("data-yanked").yanked, "")
        self.assertEqual(only('data-yanked=""').yanked, "")
        self.assertEqual(only('data-yanked="a &lt;b&gt; &amp;amp;"').yanked, "a <b> &amp;")
        self.assertIsNone(only().yanked)

    def test_core_metadata(self) -> None:
        for name in ("data-core-metadata", "data-dist-info-metadata"):
            self.assertEqual(only(f'{name}="sha256={METADATA.upper()}"').core_metadata, METADATA)
            for claim in ("true", "", "sha256=", "sha256=short", f"md5={METADATA}", METADATA):
                self.assertIsNone(only(f'{name}="{claim}"').core_metadata, claim)

    def test_other_attributes(self) -> None:
        self.assertIsNone(only('data-requires-python=""').requires_python)
        self.assertEqual(only('DATA-REQUIRES-PYTHON="&gt;=3" data-requires-python="<3"').requires_python, ">=3")
        file = only('data-upload-time="2026-01-02T03:04:05Z"')
        self.assertEqual(file.upload_time, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))

    def test_provenance(self) -> None:
        self.assertEqual(only(f'data-provenance="{PROVENANCE}"').provenance, PROVENANCE)
        for claim in ("", "None", "../provenance", "http://index.test/provenance"):
            self.assertIsNone(only(f'data-provenance="{claim}"').provenance, claim)

    def test_not_markup(self) -> None:
        """Links in comments and scripts are none."""
        link = f'<a href="demo-1.0.tar.gz#sha256={SHA256}">'
        for document in (f"<!--{link}-->", f"<script>{link}</script>", f"<style>{link}</style>"):
            self.assertEqual(parsed(f"<html>{document}").files, (), document)

    def test_wrong_bytes(self) -> None:
        """Bytes that are not UTF-8 spoil their own entry only; a byte order mark spoils nothing."""
        good = f'<a href="demo-1.0.tar.gz#sha256={SHA256}">x</a>'.encode()
        page = parsed(b"\xef\xbb\xbf" + good + b'<a href="demo-2.0\xff.tar.gz#sha256=' + SHA256.encode() + b'">')
        self.assertEqual([file.filename for file in page.files], ["demo-1.0.tar.gz"])
        self.assertEqual(len(page.dropped), 1)

    _pieces = st.sampled_from(
        (
            f"""<a| href=|"|'|>|<|/|#sha256=|{SHA256}|demo-1.0.tar.gz|<base|<meta|<!|[|]]>|<![|CDATA[|<!DOCTYPE|<?|&#"""
            """|&lt|;|<script>|</|--|\0|\n|http://[|x|\ud800"""
        ).split("|")
    )

    @patient
    @given(st.lists(_pieces, max_size=25))
    def test_any_markup(self, pieces: list[str]) -> None:
        """However broken, it is a page or none."""
        try:
            page = parsed("".join(pieces).encode(errors="surrogatepass"))
        except InvalidPage:
            return
        self.assertTrue(all(file.sha256 == SHA256 for file in page.files))

    @patient
    @given(st.binary(max_size=200).filter(lambda body: b"<" not in body))
    def test_any_bytes(self, body: bytes) -> None:
        """No text, in whatever encoding, hides the link after it."""
        page = parsed(b"<html>" + body + f'<a href="demo-1.0.tar.gz#sha256={SHA256}">'.encode())
        self.assertEqual(len(page.files), 1)


class RenderTests(SynchronousTestCase):
    def test_whole(self) -> None:
        file = replace(a_file(requires_python=">=3.9", yanked="why"), core_metadata=METADATA, provenance=PROVENANCE)
        page = page_of(file, status=ProjectStatus(Status.ARCHIVED, "it is done"))
        reader = HTMLReader(render_project(page))
        self.assertEqual(
            [attributes for tag, attributes in reader.tags if tag == "meta" and "name" in attributes],
            [
                {"name": "pypi:repository-version", "content": "1.4"},
                {"name": "pypi:project-status", "content": "archived"},
                {"name": "pypi:project-status-reason", "content": "it is done"},
            ],
        )
        self.assertEqual(
            [attributes for tag, attributes in reader.tags if tag == "a"],
            [
                {
                    "href": f"../../files/demo/abababababababab/demo-1.0.tar.gz#sha256={SHA256}",
                    "data-requires-python": ">=3.9",
                    "data-yanked": "why",
                    "data-core-metadata": f"sha256={METADATA}",
                    "data-dist-info-metadata": f"sha256={METADATA}",
                    "data-provenance": PROVENANCE,
                }
            ],
        )

    def test_core_metadata_of_which_the_digest_is_not_known(self) -> None:
        reader = HTMLReader(render_project(page_of(replace(a_file(), core_metadata=""))))
        (anchor,) = [attributes for tag, attributes in reader.tags if tag == "a"]
        self.assertEqual((anchor["data-core-metadata"], anchor["data-dist-info-metadata"]), ("true", "true"))

    def test_left_out(self) -> None:
        reader = HTMLReader(render_project(page_of(a_file())))
        (anchor,) = [attributes for tag, attributes in reader.tags if tag == "a"]
        self.assertEqual(set(anchor), {"href"})
        self.assertEqual(sum(tag == "meta" for tag, _ in reader.tags), 2, "the charset and the version")

    def test_nul(self) -> None:
        """HTML cannot say NUL."""
        body = render_project(page_of(a_file(yanked="a\0b")))
        self.assertNotIn(b"\0", body)
        self.assertEqual(parsed(body).files[0].yanked, "a\ufffdb")

    def test_lone_surrogates(self) -> None:
        self.assertEqual(parsed(render_project(page_of(a_file(yanked="\ud800")))).files[0].yanked, "?")

    @patient
    @given(pages)
    def test_read_back(self, page: ProjectPage) -> None:
        """Another pypid that mirrors this one has what HTML can carry."""
        back = parsed(render_project(page))
        expected = tuple(replace(as_mirrored(file), size=None, upload_time=None) for file in page.files)
        self.assertEqual(back.files, expected)
        self.assertEqual(back.dropped, ())
        self.assertEqual(back.status, page.status)

    @patient
    @given(pages)
    def test_independent_reader(self, page: ProjectPage) -> None:
        """Hostile text stays inside its attribute: no tag is there that we did not write, one line is one file."""
        body = render_project(page)
        reader = HTMLReader(body)
        anchors = [attributes for tag, attributes in reader.tags if tag == "a"]
        self.assertEqual(len(anchors), len(page.files))
        self.assertLessEqual(
            {tag for tag, _ in reader.tags}, {"html", "head", "meta", "title", "body", "h1", "a", "br"}
        )
        self.assertEqual(sum(line.startswith(b"<a ") for line in body.split(b"\n")), len(page.files))
        for file, anchor in zip(page.files, anchors, strict=True):
            self.assertEqual(anchor.get("data-yanked"), file.yanked)
            self.assertEqual(anchor.get("data-requires-python"), file.requires_python)
            self.assertEqual(anchor.get("data-provenance"), file.provenance)
            url = urljoin(URL, anchor["href"] or "")
            self.assertTrue(url.startswith("https://index.test/root/files/demo/"), url)

    def test_list(self) -> None:
        reader = HTMLReader(b"".join(render_project_list([normalize_name("A"), normalize_name("b_c")])))
        self.assertEqual([attrs["href"] for tag, attrs in reader.tags if tag == "a"], ["a/", "b-c/"])
        self.assertIn("b-c", reader.text)
