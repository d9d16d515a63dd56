"""Which form of a page a client wants: by its Accept and Accept-Encoding headers (RFC 9110), or by its URL."""

from __future__ import annotations

from enum import Enum

from pypid.domain.accept import Weighted, coding_weights, media_ranges


class Format(Enum):
    """The forms of a Simple API page; the value is the media type to answer with."""

    JSON = "application/vnd.pypi.simple.v1+json"
    HTML_V1 = "application/vnd.pypi.simple.v1+html"
    HTML = "text/html"


class Coding(Enum):
    """How a page is compressed; the value is the content coding."""

    ZSTD = "zstd"
    GZIP = "gzip"
    IDENTITY = "identity"


_BY_NAME = {format_.value: format_ for format_ in Format} | {
    # PEP 691: the alias may be asked for, but the answer must name the concrete type.
    "application/vnd.pypi.simple.latest+json": Format.JSON,
    "application/vnd.pypi.simple.latest+html": Format.HTML_V1,
}
_WHEN_NAMED = (Format.JSON, Format.HTML_V1, Format.HTML)
_WHEN_WILDCARD = (Format.HTML, Format.HTML_V1, Format.JSON)
"""The order of PyPI. ``*/*`` says nothing about Simple API pages: curl, a browser or an old script."""


def negotiate(accept: str | None, *, asked: str | None = None) -> Format | None:
    """
    Return the form to answer in, or None if the client accepts none of ours (406).

    ``asked`` is the URL's ``?format=`` (PEP 691), which decides alone. Without
    it, and without a usable Accept header, it is HTML, as on PyPI. The highest
    q wins; of several with that q, one that the client names beats one that
    only a wildcard covers.
    """
    if asked is not None:
        # A "+" that nobody escaped, as in the PEP's own example, arrives as a space.
        return _BY_NAME.get(asked.replace(" ", "+").lower())
    ranges = media_ranges(accept)
    if not ranges:
        return Format.HTML
    named = {format_: q for format_ in Format if (q := _named_q(format_, ranges)) is not None}
    covered = {format_: _wildcard_q(format_, ranges) for format_ in Format if format_ not in named}
    best = max((*named.values(), *covered.values()))
    if best == 0:
        return None
    for format_ in _WHEN_NAMED:
        if named.get(format_) == best:
            return format_
    return next(format_ for format_ in _WHEN_WILDCARD if covered.get(format_) == best)


def preferred_coding(accept_encoding: str | None) -> Coding:
    """
    Return the coding of the highest q; of equally liked ones the smaller: zstd, gzip, none.

    No header would allow any coding, but comes from clients that decode none;
    and ``*`` is taken for gzip only, since zstd is younger than many of those
    that send it.
    """
    weights = coding_weights(accept_encoding)
    offered = {
        Coding.ZSTD: weights.get("zstd", 0),
        Coding.GZIP: weights.get("gzip", weights.get("*", 0)),
        Coding.IDENTITY: weights.get("identity", 0),
    }
    best = max(offered, key=lambda coding: offered[coding])
    return best if offered[best] > 0 else Coding.IDENTITY


def _named_q(format_: Format, ranges: list[Weighted]) -> float | None:
    return max((r.q for r in ranges if _BY_NAME.get(r.name) is format_ and _is_ours(r.parameters)), default=None)


def _wildcard_q(format_: Format, ranges: list[Weighted]) -> float:
    """Return the q of the most specific wildcard that covers ``format_``; 0 if there is none."""
    kind = format_.value.partition("/")[0]
    for wildcard in (f"{kind}/*", "*/*"):
        weights = [r.q for r in ranges if r.name == wildcard and _is_ours(r.parameters)]
        if weights:
            return max(weights)
    return 0


def _is_ours(parameters: tuple[str, ...]) -> bool:
    """A media range with parameters names only representations that have them; ours have the charset."""
    return all(parameter == "charset=utf-8" for parameter in parameters)
