"""What of a file's metadata is looked up often, and so is kept in its row."""

from __future__ import annotations

from dataclasses import dataclass

from packaging.metadata import parse_email
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from pypid.domain.simple_page import encodable

MAX_SUMMARY = 512
"""Characters: PyPI takes no longer ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """None is what the metadata does not say."""

    summary: str | None = None
    requires_python: str | None = None


def read_headline(metadata: bytes) -> Headline:
    """Return what METADATA says; a Requires-Python that is none is left out."""
    raw, _ = parse_email(metadata)
    return Headline(summary=one_line(raw.get("summary")), requires_python=_specifier(raw.get("requires_python")))


def one_line(text: str | None) -> str | None:
    """Return ``text`` as a summary should be, None where nothing is left of it."""
    start = (text or "")[: 8 * MAX_SUMMARY]
    line = " ".join(encodable(start).split())[:MAX_SUMMARY]
    return None if line in {"", "UNKNOWN"} else line


def _specifier(text: str | None) -> str | None:
    try:
        SpecifierSet(text or "")
    except InvalidSpecifier:
        return None
    return text or None
