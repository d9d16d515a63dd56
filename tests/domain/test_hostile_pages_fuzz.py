"""Whatever bytes an upstream calls its page, it is no page, or one that can be shown to anybody."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pypid.domain import simple_html, simple_json
from pypid.domain.simple_page import InvalidPage
from tests.domain.readers import ReadersTestCase
from tests.domain.strategies import ANYWHERE, DEMO, URL, hostile_texts, pages, patient

SHA256 = "ab" * 32
PARSERS = (simple_json.parse_project, simple_html.parse_project)

# What breaks a parser of either form, or a reader of what we make of it.
MARKUP = "<!-- --> <![ <![x[ ]]> <! <? </a <a <a\thref= <base\thref='//b/'> <script> &#xD800; &lt; &amp;lt;"
WORDS = r'\ud800 \u0000 \u202e null false true NaN -1 1e999 "sha256" [[[[ {"": "files":[ "filename":'
CLAIMS = "0000-01-01 9999-12-31T23:59:59-23:59 javascript: file:/// //u:p@h/ https://[ :99999/ \u202e \u212a"
TOKENS = [
    *(token.encode() for line in (MARKUP, WORDS, CLAIMS) for token in line.split(" ")),
    *(bytes([byte]) for byte in b"\0\t\n\r \"'&,/:;<=>?[\\]{}#%-0Z"),
    *(f"&#{'1' * 5000};".encode(), b"9" * 5000, b"[" * 5000),
    *(b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xf0\x9f"),
]

rendered = pages.flatmap(
    lambda page: st.sampled_from([simple_json.render_project(page), simple_html.render_project(page)])
)
edits = st.lists(
    st.tuples(st.integers(0, 10_000), st.integers(0, 40), st.sampled_from(TOKENS) | st.binary(max_size=4)), max_size=6
)

texts = hostile_texts | st.sampled_from(
    [
        "",
        "true",
        "demo-1.0.tar.gz",
        "\0",
        SHA256,
        "9" * 5000,
        "9999-12-31T23:59:59-23:59",
        "//h/",
        "https://[::1%25x]/",
        "1.0",
        "2.0",
    ]
)
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts | st.just(10**400),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["sha256", "status", "reason"]) | texts, inner, max_size=3)
    ),
    max_leaves=5,
)
ENTRY = ("filename", "url", "hashes", "size", "upload-time", "requires-python", "yanked", "core-metadata", "provenance")
PAGE = ("meta", "name", "versions", "project-status", "files")
entries = st.fixed_dictionaries(
    {"filename": st.just("demo-1.0.tar.gz"), "url": st.just("x"), "hashes": st.just({"sha256": SHA256})},
    optional={key: values for key in ENTRY if key not in {"filename", "url", "hashes"}},
) | st.dictionaries(st.sampled_from(ENTRY), values)
junk = st.fixed_dictionaries(
    {"files": st.lists(entries, max_size=3)}, optional={key: values for key in PAGE if key != "files"}
)


class FuzzTests(ReadersTestCase):
    def check(self, body: bytes) -> None:
        for parse in PARSERS:
            try:
                page = parse(body, url=URL, project=DEMO, allowed=ANYWHERE)
            except InvalidPage as e:
                self.assertLess(len(str(e)), 1000)
            else:
                self.assert_fit(page)

    @patient
    @given(rendered, edits)
    def test_spoiled_pages(self, body: bytes, edits: list[tuple[int, int, bytes]]) -> None:
        """A page of ours that something was done to, in a few places."""
        for position, removed, added in edits:
            at = position % (len(body) + 1)
            body = body[:at] + added + body[at + removed :]
        self.check(body)

    @patient
    @given(junk)
    def test_well_formed_junk(self, page: dict[str, Any]) -> None:
        """JSON with the right keys, which have anything but the right values."""
        self.check(json.dumps(page).encode())

    _attributes = st.dictionaries(
        st.sampled_from(
            [
                "href",
                "data-yanked",
                "data-requires-python",
                "data-core-metadata",
                "data-provenance",
                "data-upload-time",
                "x",
            ]
        ),
        texts | st.just(f"demo-1.0.tar.gz#sha256={SHA256}"),
    )
    _metas = st.sampled_from(["pypi:repository-version", "pypi:project-status", "pypi:project-status-reason"])

    @patient
    @given(st.lists(_attributes, max_size=3), st.dictionaries(_metas, texts | st.just("archived"), max_size=3))
    def test_links_that_say_anything(self, links: list[dict[str, str]], metas: dict[str, str]) -> None:
        """HTML with the right attributes, which have anything but the right values."""
        head = "".join(_tag("meta", {"name": name, "content": text}) for name, text in metas.items())
        body = "".join(_tag("a", link) for link in links)
        self.check(f"<html>{head}{body}".encode(errors="surrogatepass"))


def _tag(name: str, attributes: dict[str, str]) -> str:
    """Return a tag in which nothing but the quotes is escaped."""
    return (
        f"<{name} "
        + " ".join('{}="{}"'.format(key, text.replace('"', "&quot;")) for key, text in attributes.items())
        + ">"
    )
