"""The same document of an index at another of its URLs."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urljoin, urlsplit

from pypid.domain.reach import origin_of


def at_replicas(url: str, bases: Sequence[str]) -> list[str]:
    """
    Return where ``url`` is to be had, one URL for each of ``bases``, the URLs of one index, and in their order.

    It lies everywhere at the same place, seen from the base. What is on no
    host of theirs is nowhere else.
    """
    home = _home(url, bases)
    return [url] if home is None else [_moved(url, home, base) for base in bases]


def _home(url: str, bases: Sequence[str]) -> str | None:
    near = [base for base in bases if origin_of(base) == origin_of(url)]
    return max(near, key=lambda base: _shared(_segments(url), _segments(base)), default=None)


def _moved(url: str, home: str, base: str) -> str:
    if home == base:
        return url
    segments, above = _segments(url), _segments(home)[:-1]
    shared = _shared(segments, above)
    up = "../" * (len(above) - shared)
    query = urlsplit(url).query
    # "./", since a first segment with a colon would be taken for a scheme.
    return urljoin(base, f"./{up}{'/'.join(segments[shared:])}{f'?{query}' if query else ''}")


def _segments(url: str) -> list[str]:
    return urlsplit(url).path.split("/")


def _shared(one: list[str], other: list[str]) -> int:
    """Return how many segments both begin with."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
