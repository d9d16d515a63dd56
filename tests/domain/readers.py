"""What others make of our pages: pypi-simple, packaging, a JSON parser and an HTML parser that are not ours."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote, urlsplit

from packaging.utils import parse_sdist_filename, parse_wheel_filename
from pypi_simple import DistributionPackage
from pypi_simple import ProjectPage as TheirPage
from twisted.trial.unittest import SynchronousTestCase

from pypid.domain import simple_html, simple_json
from pypid.domain.files import ProjectPage
from pypid.domain.simple_page import ParsedPage
from tests.domain.strategies import DEMO, URL, HTMLReader

OUR_TAGS = frozenset({"html", "head", "meta", "title", "body", "h1", "a", "br"})


def read_json(body: bytes, url: str = URL) -> TheirPage:
    return TheirPage.from_json_data(json.loads(body), url)


def read_html(body: bytes, url: str = URL) -> TheirPage:
    return TheirPage.from_html(DEMO, body, url)


def owner(package: DistributionPackage) -> str:
    """Return the project that the file belongs to, by its URL."""
    filename = unquote(urlsplit(package.url).path.rpartition("/")[2])
    parse: Any = parse_wheel_filename if filename.endswith(".whl") else parse_sdist_filename
    return str(parse(filename)[0])


def empty_claims(value: Any) -> list[str]:
    """Return the keys, at any depth, whose value is null or false."""
    if isinstance(value, list):
        return [key for each in value for key in empty_claims(each)]
    if not isinstance(value, dict):
        return []
    return [key for key, each in value.items() if each is None or each is False or empty_claims(each)]


class ReadersTestCase(SynchronousTestCase):
    """For pages that are anyone's: what is left of them can be shown to anybody."""

    def assert_fit(self, parsed: ParsedPage) -> None:
        """Fail unless every field is valid, and every reader accepts what we make of the page."""
        for file in parsed.files:
            self.assertRegex(file.sha256 or "ab" * 32, r"\A[0-9a-f]{64}\Z")
            self.assertRegex(file.core_metadata or "ab" * 32, r"\A[0-9a-f]{64}\Z")
            origin = urlsplit(file.origin or "")
            self.assertIn(origin.scheme, {"http", "https"}, file)
            self.assertTrue(origin.hostname, file)
        page = ProjectPage(name=DEMO, files=parsed.files, revision="1", versions=parsed.versions, status=parsed.status)
        filenames = [file.filename for file in page.files]
        written = simple_json.render_project(page)
        self.assertEqual(empty_claims(json.loads(written)), [])
        document = simple_html.render_project(page)
        self.assertLessEqual({tag for tag, _ in HTMLReader(document).tags}, OUR_TAGS)
        for theirs in (read_json(written), read_html(document)):
            self.assertEqual([package.filename for package in theirs.packages], filenames)
            self.assertLessEqual({owner(package) for package in theirs.packages}, {DEMO})
