"""Who gets JSON, who gets HTML, and who gets it compressed."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pypid.domain.negotiation import Coding, Format, negotiate, preferred_coding
from tests.domain.strategies import patient

V1 = "application/vnd.pypi.simple.v1"
LATEST = "application/vnd.pypi.simple.latest"
JSON, HTML_V1, HTML = Format.JSON, Format.HTML_V1, Format.HTML
ZSTD, GZIP, IDENTITY = Coding.ZSTD, Coding.GZIP, Coding.IDENTITY

CLIENTS = {
    "pip": (f"{V1}+json, {V1}+html; q=0.1, text/html; q=0.01", JSON),
    "uv": (f"{V1}+json, {V1}+html;q=0.2, text/html;q=0.01", JSON),
    "poetry": (f"{V1}+json, */*;q=0.1", JSON),
    "pdm": (f"{V1}+json, {V1}+html; q=0.1, text/html; q=0.01", JSON),
    "hatch": ("*/*", HTML),
    "curl": ("*/*", HTML),
    "pip of 2021": ("text/html", HTML),
    "Firefox": ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", HTML),
    "Chrome": (
        (
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,"
            "application/signed-exchange;v=b3;q=0.7"
        ),
        HTML,
    ),
    "Java": ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", HTML),
}

RULES: list[tuple[str | None, Format | None]] = [
    (None, HTML),
    ("", HTML),
    (" , ,", HTML),
    # Aliases.
    (f"{LATEST}+json", JSON),
    (f"{LATEST}+html", HTML_V1),
    # Other names are not ours.
    ("application/json", None),
    ("application/vnd.pypi.simple.v2+json", None),
    ("image/*", None),
    # Case and white space.
    (f"{V1.upper()}+JSON ;\tQ=0.5 , text/html;q=0.4", JSON),
    # Weights.
    (f"{V1}+json;q=0.1, {V1}+html;q=0.3, text/html;q=0.2", HTML_V1),
    (f"{V1}+json;q=0.123, text/html;q=0.124", HTML),
    ("text/html;q=0", None),
    ("*/*;q=0", None),
    ("*/*;q=0.000, text/html;q=0.001", HTML),
    # The more specific range decides, whatever its weight and place.
    ("*/*, text/html;q=0", HTML_V1),
    ("text/*;q=0, */*", HTML_V1),
    (f"*/*, text/*;q=0, {V1}+html;q=0", JSON),
    (f"text/html;q=0.1, text/*;q=0.9, {V1}+json;q=0.5", JSON),
    (f"application/*;q=0.2, {V1}+json;q=0.1", HTML_V1),
    ("text/*", HTML),
    ("application/*", HTML_V1),
    # Equal weights.
    (f"text/html, {V1}+html, {V1}+json", JSON),
    (f"text/html, {V1}+html", HTML_V1),
    (f"*/*, {V1}+html", HTML_V1),
    (f"{V1}+json, {V1}+json;q=0", JSON),
    # Parameters name representations; ours have only a charset.
    ("text/html;charset=utf-8", HTML),
    ('text/html; Charset="UTF-8"; q=0.5', HTML),
    ("text/html;charset=latin-1", None),
    ("text/html;level=1", None),
    (f'text/html;q=0.1, {V1}+json;x=", text/html;q=1', HTML),
    (f'image/png;x="a\\", text/html", {V1}+html', HTML_V1),
    # Malformed elements count as not there.
    (f"text/html;q=2, {V1}+html", HTML_V1),
    (f"text/html;q=0.1234, {V1}+html;q=0.1", HTML_V1),
    (f"text/html;q=-1, {V1}+html;q=0.1", HTML_V1),
    (f"text/html;q=, {V1}+html;q=0.1", HTML_V1),
    (f"text/html;q=nan, {V1}+html;q=0.1", HTML_V1),
    (f"text, */, /html, te xt/html, {V1}+html", HTML_V1),
    ("*", HTML),
]

FORMATS: list[tuple[str, Format | None]] = [
    (f"{V1}+json", JSON),
    (f"{V1}+html", HTML_V1),
    ("text/html", HTML),
    (f"{LATEST}+json", JSON),
    (f"{LATEST}+html", HTML_V1),
    # What a "+" becomes that was not escaped in the URL.
    (f"{V1} json", JSON),
    (f"{V1.upper()}+JSON", JSON),
    # It is one media type, not a header.
    ("", None),
    ("json", None),
    ("*/*", None),
    ("application/json", None),
    ("application/vnd.pypi.simple.v2+json", None),
    (f"{V1}+json;q=1", None),
    (f"{V1}+json, text/html", None),
]

ENCODINGS: list[tuple[str | None, Coding]] = [
    ("gzip, deflate", GZIP),  # pip, pdm
    ("gzip, deflate, zstd", ZSTD),  # uv, poetry
    ("zstd,gzip,deflate", ZSTD),  # uv, for metadata
    ("gzip, deflate, br, zstd", ZSTD),  # browsers
    ("identity", IDENTITY),  # pip's and uv's downloads
    (None, IDENTITY),
    ("", IDENTITY),
    ("*", GZIP),
    ("*;q=0", IDENTITY),
    ("gzip;q=0", IDENTITY),
    ("gzip;q=0, *", IDENTITY),
    ("gzip;q=0.001", GZIP),
    ("gzip;q=0.5, identity;q=0.4", GZIP),
    ("gzip;q=0.5, identity", IDENTITY),
    ("identity;q=0, gzip;q=0.1", GZIP),
    ("*;q=0, gzip", GZIP),
    ("X-GZIP", GZIP),
    ("br, deflate", IDENTITY),
    ("gzipped", IDENTITY),
    ("gzip;q=high", IDENTITY),
    ("ZSTD", ZSTD),
    ("zstd;q=0", IDENTITY),
    ("zstd;q=0, gzip", GZIP),
    ("zstd;q=0.5, gzip", GZIP),
    ("zstd;q=0.5, gzip;q=0.4", ZSTD),
    ("zstd;q=0.5, *", GZIP),
    ("zstd;q=0.5, identity;q=0.6", IDENTITY),
    ("zstd;q=0.5, gzip;q=0.5, identity;q=0.5", ZSTD),
    ("zstd;q=2, gzip;q=0.1", GZIP),
]


class NegotiateTests(SynchronousTestCase):
    def test_clients(self) -> None:
        """Every client gets the best form that it can read."""
        for client, (accept, expected) in CLIENTS.items():
            self.assertIs(negotiate(accept), expected, client)

    def test_rules(self) -> None:
        for accept, expected in RULES:
            self.assertIs(negotiate(accept), expected, accept)

    def test_format_of_the_url_decides_alone(self) -> None:
        for asked, expected in FORMATS:
            for accept in (None, "*/*", "text/html", f"{V1}+json", "image/png", "*/*;q=0"):
                self.assertIs(negotiate(accept, asked=asked), expected, (asked, accept))

    @patient
    @given(st.data())
    def test_order_does_not_matter(self, data: st.DataObject) -> None:
        """Only weights say what is preferred, not the order of the list."""
        names = ["*/*", "text/*", "application/*", *(f.value for f in Format), f"{LATEST}+json", "image/png"]
        elements = st.builds("{};q={}".format, st.sampled_from(names), st.sampled_from(["0", "0.5", "1"]))
        listed = data.draw(st.lists(elements, max_size=6))
        shuffled = data.draw(st.permutations(listed))
        self.assertIs(negotiate(",".join(listed)), negotiate(",".join(shuffled)))

    @patient
    @given(st.text() | st.text('*/;,q=01."\\ ') | st.text().map("text/html;{}".format))
    def test_any_header(self, header: str) -> None:
        """Nothing in a header is a crash."""
        self.assertIn(negotiate(header), {None, *Format})
        self.assertIn(negotiate(None, asked=header), {None, *Format})
        self.assertIn(preferred_coding(header), set(Coding))

    def test_hostile_quotes(self) -> None:
        """A header made to be slow is read as fast as any: the whole of it takes milliseconds."""
        for header in ('\\"' * 50_000, '"' * 100_001, 'a/b;x="' * 20_000, ";q=1" * 30_000, "*/*," * 5000):
            began = time.process_time()
            negotiate(header)
            self.assertLess(time.process_time() - began, 1)


class PreferredCodingTests(SynchronousTestCase):
    def test_table(self) -> None:
        for header, expected in ENCODINGS:
            self.assertIs(preferred_coding(header), expected, header)
