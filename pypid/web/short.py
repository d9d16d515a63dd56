"""URLs that are no more than the name of an index, of a project, or of a project in an index."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

from pypid.domain.errors import IndexNotFound
from pypid.domain.names import IndexName, InvalidName, NormalizedName, normalize_name

ASKED_BY_BROWSERS = frozenset({"favicon.ico", "robots.txt"})
"""What browsers and robots look for on every site: upstream need not be asked for projects of these names."""


@dataclass(frozen=True, slots=True)
class ShortUrl:
    """What such a URL means."""

    index: IndexName | None
    """None: the default index."""
    project: NormalizedName | None
    """None: the index as a whole."""


def read_short_url(path: str, indexes: Container[str]) -> ShortUrl:
    """
    Return what ``path``, without slashes around it, means where there are ``indexes``.

    The name of an index wins over that of a project, and of two indexes the
    longer name. Raises `IndexNotFound` where it means nothing.
    """
    segments = path.split("/")
    for length in (2, 1):
        name, rest = "/".join(segments[:length]), segments[length:]
        if name in indexes and len(rest) < 2:
            return ShortUrl(IndexName(name), _project(rest[0]) if rest else None)
    if len(segments) == 1 and path not in ASKED_BY_BROWSERS:
        return ShortUrl(None, _project(path))
    raise IndexNotFound("there is no such index")


def _project(segment: str) -> NormalizedName:
    try:
        return normalize_name(segment)
    except InvalidName as e:
        raise IndexNotFound(str(e)) from e
