"""Who is told what went wrong in JSON, who in HTML, and who in plain text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pypid.domain.error_form import ErrorForm, error_form
from tests.domain.strategies import patient

V1 = "application/vnd.pypi.simple.v1"
PROBLEM, JSON, HTML, TEXT = ErrorForm

CLIENTS: dict[str, tuple[str | None, ErrorForm | None]] = {
    "pip, for a page": (f"{V1}+json, {V1}+html; q=0.1, text/html; q=0.01", PROBLEM),
    "uv, for a page": (f"{V1}+json, {V1}+html;q=0.2, text/html;q=0.01", PROBLEM),
    "poetry, for a page": (f"{V1}+json, */*;q=0.1", PROBLEM),
    "uv publish": ("application/json;q=0.9, text/plain;q=0.8, text/html;q=0.7", JSON),
    "curl, twine, any installer for a file": ("*/*", None),
    "a script": (None, None),
    "Firefox": ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", HTML),
    "Chrome": ("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", HTML),
    "lynx": ("text/html, text/plain, text/sgml, */*;q=0.01", HTML),
    "axios": ("application/json, text/plain, */*", JSON),
    "httpie": ("application/json, */*;q=0.5", JSON),
}

RULES: list[tuple[str, ErrorForm | None]] = [
    ("", None),
    ("application/problem+json", PROBLEM),
    ("application/problem+json, application/json", PROBLEM),
    ("application/json, application/problem+json;q=0.9", JSON),
    ("application/json;charset=utf-8", JSON),
    ("APPLICATION/JSON ; Q=0.5, text/html;q=0.4", JSON),
    ("application/*", PROBLEM),
    ("text/*", TEXT),
    ("text/plain", TEXT),
    ("text/html;q=0.5, text/plain;q=0.6", TEXT),
    ("text/html;q=0.5, application/ld+json;q=0.4", HTML),
    # Whatever */* stands for is liked better than what is named.
    ("text/html;q=0.1, */*", None),
    ("text/html, */*", HTML),
    # Nothing that fits: an error is said all the same.
    ("image/png", None),
    ("application/xml", None),
    ("application/json;q=0", None),
    ("*/*;q=0", None),
    ("application/json;q=2", None),
]


class ErrorFormTests(SynchronousTestCase):
    def test_tables(self) -> None:
        """None in the tables: the client leaves it to us."""
        for accept, expected in [*CLIENTS.values(), *RULES]:
            self.assertIs(error_form(accept), expected or TEXT, accept)
            self.assertIs(error_form(accept, PROBLEM), expected or PROBLEM, accept)

    @patient
    @given(st.text() | st.text("*/;,q=01.+json ") | st.text().map("text/html;{}".format), st.sampled_from(ErrorForm))
    def test_any_header(self, header: str, otherwise: ErrorForm) -> None:
        self.assertIn(error_form(header, otherwise), set(ErrorForm))
