"""Pages as an upstream would send them, in either form."""

from __future__ import annotations

import json
from html import escape
from typing import Any

from pypid.domain import simple_html, simple_json
from pypid.domain.simple_page import ParsedPage
from tests.domain.strategies import ANYWHERE, DEMO, URL

SHA256 = "ab" * 32
MARKUP = '"\'></a><script>alert(1)</script><a onmouseover="alert(1)" href="javascript:alert(1)">'


def entry(**keys: Any) -> dict[str, Any]:
    """Return a file as it is on the wire; underlines in ``keys`` are the wire's hyphens."""
    usual = {"filename": "demo-1.0.tar.gz", "url": "demo-1.0.tar.gz", "hashes": {"sha256": SHA256}}
    return usual | {name.replace("_", "-"): value for name, value in keys.items()}


def from_json(*entries: Any, **keys: Any) -> ParsedPage:
    said = {name.replace("_", "-"): value for name, value in keys.items()}
    return simple_json.parse_project(
        json.dumps({"files": entries, **said}).encode(), url=URL, project=DEMO, allowed=ANYWHERE
    )


def from_html(*links: str, head: str = "") -> ParsedPage:
    return simple_html.parse_project(f"<html>{head}{''.join(links)}".encode(), url=URL, project=DEMO, allowed=ANYWHERE)


def link(filename: str, sha256: str = SHA256, attributes: str = "") -> str:
    return f'<a href="/files/{escape(filename)}#sha256={sha256}" {attributes}>{escape(filename)}</a>'
