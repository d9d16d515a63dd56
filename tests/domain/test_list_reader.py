"""Reading upstream's project list as it comes."""

import gzip
import json
import re
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pypid.domain import simple_html, simple_json
from pypid.domain.list_reader import RUN, ListReader
from pypid.domain.list_scanners import MAX_VALUE
from pypid.domain.names import normalize_name
from pypid.domain.simple_page import InvalidPage

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "text/html"

projects = st.lists(st.from_regex(r"[a-zA-Z0-9]{1,3}([._-][a-zA-Z0-9]{1,3})?", fullmatch=True), min_size=1, max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
pieces = st.integers(1, 40)


def read(
    body: bytes, content_type: str = JSON, encoding: str = "identity", *, piece: int = 7, limit: int = 10**6
) -> list[str]:
    reader = ListReader(content_type, encoding, limit=limit)
    for start in range(0, len(body), piece):
        reader.feed(body[start : start + piece])
    return list(reader.finish())


def a_list(entries: object, **others: object) -> bytes:
    return json.dumps({"meta": {"api-version": "1.4"}, **others, "projects": entries}).encode()


def normalized(names: Iterable[str]) -> list[str]:
    return sorted({normalize_name(name) for name in names})


class ListReaderTests(SynchronousTestCase):
    def assert_invalid(self, body: bytes, why: str, content_type: str = JSON, encoding: str = "identity") -> None:
        with self.assertRaisesRegex(InvalidPage, re.escape(why)):
            read(body, content_type, encoding, piece=len(body) or 1)

    @given(projects, pieces, st.sampled_from(["identity", "gzip"]))
    def test_names_are_normalized_sorted_and_distinct_however_they_come(
        self, names: list[str], piece: int, encoding: str
    ) -> None:
        html = "<!DOCTYPE html><body>" + "".join(f'<A class=x\n href="/x/">\n{name} </a><br>' for name in names)
        for content_type, body in ((JSON, a_list([{"name": name} for name in names])), (HTML, html.encode())):
            sent = gzip.compress(body) if encoding == "gzip" else body
            self.assertEqual(read(sent, content_type, encoding, piece=piece), normalized(names))

    @given(projects, pieces)
    def test_what_pypid_renders_is_read(self, names: list[str], piece: int) -> None:
        """One pypid may mirror another."""
        listed = [normalize_name(name) for name in normalized(names)]
        for content_type, renderer in ((JSON, simple_json), (HTML, simple_html)):
            body = b"".join(renderer.render_project_list(listed))
            self.assertEqual(read(body, content_type, piece=piece), listed)

    @given(values, values, pieces, st.sampled_from([None, 1]))
    def test_whatever_else_the_json_says_is_passed_over(
        self, first: object, second: object, piece: int, indent: int | None
    ) -> None:
        document = {
            "x": first,
            "name": "no",
            "projects": [{"name": "a", "x": second}, {"y": {"name": "no"}, "name": "b"}, second, {"name": 7}],
            "z": second,
        }
        self.assertEqual(read(json.dumps(document, indent=indent).encode(), piece=piece), ["a", "b"])

    def test_names_that_are_none_are_left_out(self) -> None:
        wrong = ["", "..", "../x", "a b", "-a", "a\n", "x" * 256, "\u0130", "<b>"]
        self.assertEqual(read(a_list([{"name": name} for name in [*wrong, "a"]])), ["a"])
        self.assertEqual(
            read(b'<a href="../">../</a><a>Up &amp; away</a><a href="a/">&#97;</a><a>&#9999999;</a>', HTML), ["a"]
        )

    def test_more_names_than_are_sorted_at_once(self) -> None:
        names = [f"p{number}" for number in range(RUN + 10)]
        body = a_list([{"name": name} for name in [*reversed(names), *names[:5]]])
        self.assertEqual(read(body, piece=2**16, limit=2**22), sorted(names))

    def test_empty_list_of_json_is_one(self) -> None:
        self.assertEqual(read(a_list([])), [])

    def test_cut_off(self) -> None:
        body = a_list([{"name": "a"}, {"name": "b"}])
        for end in range(len(body)):
            with self.assertRaises(InvalidPage):
                read(body[:end])
        zipped = gzip.compress(body)
        self.assert_invalid(zipped[:-1], "cut off", encoding="gzip")
        self.assert_invalid(b"", "cut off", encoding="gzip")

    def test_other_documents(self) -> None:
        for body in (
            b"[]",
            b"null",
            b'"projects"',
            b'{"projects": {}}',
            b"<html>",
            b'{"projects" []}',
            b'{"meta": {}}',
        ):
            with self.assertRaises(InvalidPage, msg=body):
                read(body)
        self.assert_invalid(a_list([]).replace(b"1.4", b"2.0"), "version")
        self.assert_invalid(b'{"projects": [{"name": "\xff"}]}', "JSON")
        self.assert_invalid(b"<html><form><input name=user></form>", "no links", HTML)
        self.assert_invalid(b"xxxx", "damaged", encoding="gzip")
        self.assert_invalid(b"x", "coding", encoding="br")

    def test_what_would_take_too_much_ends(self) -> None:
        self.assert_invalid(b'{"projects": [' + b"[" * MAX_VALUE * 2, "JSON")
        self.assert_invalid(b'{"projects": ["' + b"x" * MAX_VALUE * 2, "too long")
        self.assert_invalid(b'{"projects": [' + b"1" * MAX_VALUE * 2, "too long")
        self.assert_invalid(gzip.compress(b" " * 10**7), "more than 1000000 bytes", encoding="gzip")
        self.assert_invalid(b" " * 10**7, "more than 1000000 bytes")

    def test_links_without_an_end_are_forgotten(self) -> None:
        for open_end in (b"<a " * 100_000, b"<a>" * 100_000, b"<a>" + b"x" * 300_000, b'<a href="' * 30_000):
            self.assertEqual(read(open_end + b"<a>demo</a>", HTML, piece=2**15), ["demo"])
