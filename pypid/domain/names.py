"""Names of projects and of indexes, proven legal by their types."""

from __future__ import annotations

import re
from typing import NewType

NormalizedName = NewType("NormalizedName", str)
"""A project name in its one canonical spelling (PEP 503); always safe as a path segment."""

IndexName = NewType("IndexName", str)
"""One segment (``main``) or two (``root/pypi``), lower case; always safe in a URL path."""

MAX_NAME_LENGTH = 255
"""Characters. A file system's limit for a name, and five times PyPI's longest project name."""

_VALID_NAME = re.compile(r"[A-Z0-9](?:[A-Z0-9._-]*[A-Z0-9])?", re.ASCII | re.IGNORECASE)
_SEPARATORS = re.compile(r"[-_.]+")
_INDEX_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?(?:/[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?)?")

RESERVED_SEGMENTS = frozenset({"-", "files", "legacy", "packages", "simple", "static"})
"""First segments that the URL map itself uses, so that no index can hide behind them."""


class InvalidName(ValueError):
    """The text is not a legal name."""


def normalize_name(name: str) -> NormalizedName:
    """
    Return the one spelling under which an index stores a project.

    >>> normalize_name("Zope.Interface")
    'zope-interface'

    Raises `InvalidName` for anything outside the grammar of the name field
    (core metadata), so a value of type `NormalizedName` cannot be empty,
    ``..`` or contain a slash.
    """
    # re.IGNORECASE lets two non-ASCII letters (U+0130, U+212A) match [A-Z] without re.ASCII.
    if len(name) > MAX_NAME_LENGTH or _VALID_NAME.fullmatch(name) is None:
        raise InvalidName(f"not a project name: {shorten(name)}")
    return NormalizedName(_SEPARATORS.sub("-", name).lower())


def parse_index_name(text: str) -> IndexName:
    """
    Return ``text`` as the name of an index.

    Raises `InvalidName` unless it is one or two segments of lower-case
    letters, digits and inner ``.``, ``_``, ``-``, the first of them not one
    that the URL map uses (`RESERVED_SEGMENTS`).
    """
    if len(text) > MAX_NAME_LENGTH or _INDEX_NAME.fullmatch(text) is None:
        raise InvalidName(f"not an index name: {shorten(text)}")
    segments = text.split("/")
    if segments[0] in RESERVED_SEGMENTS or segments[-1] in RESERVED_SEGMENTS:
        raise InvalidName(f"{text!r} is a name that pypid's own URLs use")
    return IndexName(text)


def shorten(text: str, limit: int = 100) -> str:
    """Return ``repr(text)``, cut to about ``limit`` characters, for a message."""
    return repr(text) if len(text) <= limit else f"{text[:limit]!r}..."
