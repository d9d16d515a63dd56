"""Which form of a page a client wants, by its Accept and Accept-Encoding headers (RFC 9110, section 12.5)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple


class Format(Enum):
    """The forms of a Simple API page; the value is the media type to answer with."""

    JSON = "application/vnd.pypi.simple.v1+json"
    HTML_V1 = "application/vnd.pypi.simple.v1+html"
    HTML = "text/html"


_BY_NAME = {format_.value: format_ for format_ in Format} | {
    # PEP 691: the alias may be asked for, but the answer must name the concrete type.
    "application/vnd.pypi.simple.latest+json": Format.JSON,
    "application/vnd.pypi.simple.latest+html": Format.HTML_V1,
}
_WHEN_NAMED = (Format.JSON, Format.HTML_V1, Format.HTML)
_WHEN_WILDCARD = (Format.HTML, Format.HTML_V1, Format.JSON)
"""The order of PyPI. ``*/*`` says nothing about Simple API pages: curl, a browser or an old script."""

# An unclosed quote swallows the rest of the header, which keeps this linear in its length.
_QUOTED = re.compile(r'"(?:\\.|[^"\\])*+(?:"|\Z)', re.DOTALL)
_QVALUE = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")
_TOKEN = r"[!#$%&'*+.^_`|~0-9a-z-]+"  # noqa: S105 (RFC 9110, section 5.6.2)
_MEDIA_RANGE = re.compile(rf"{_TOKEN}/{_TOKEN}")
_CODING = re.compile(_TOKEN)


class _Weighted(NamedTuple):
    """One element of an Accept-like list."""

    name: str
    parameters: tuple[str, ...]
    q: float


def negotiate(accept: str | None) -> Format | None:
    """
    Return the form to answer in, or None if the client accepts none of ours (406).

    Without a usable Accept header it is HTML, as on PyPI. The highest q wins;
    of several with that q, one that the client names beats one that only a
    wildcard covers.
    """
    ranges = [element for element in _elements(accept or "") if _MEDIA_RANGE.fullmatch(element.name)]
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


def accepts_gzip(accept_encoding: str | None) -> bool:
    """
    Return whether the client takes gzip, and likes it no less than unencoded bytes.

    No header would allow any coding, but comes from clients that decode none.
    """
    weights: dict[str, float] = {}
    for coding in _elements(accept_encoding or ""):
        if _CODING.fullmatch(coding.name):
            name = "gzip" if coding.name == "x-gzip" else coding.name
            weights[name] = max(coding.q, weights.get(name, 0))
    gzip = weights.get("gzip", weights.get("*", 0))
    return gzip > 0 and gzip >= weights.get("identity", 0)


def _named_q(format_: Format, ranges: list[_Weighted]) -> float | None:
    return max((r.q for r in ranges if _BY_NAME.get(r.name) is format_ and _is_ours(r.parameters)), default=None)


def _wildcard_q(format_: Format, ranges: list[_Weighted]) -> float:
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


def _elements(header: str) -> Iterator[_Weighted]:
    """Yield the elements of a comma-separated list in lower case, without those whose q is malformed."""
    unquoted = _QUOTED.sub(_drop_content, header)
    for element in unquoted.lower().split(","):
        name, *parameters = [part.strip(" \t") for part in element.split(";")]
        weights = [p.removeprefix("q=") for p in parameters if p.startswith("q=")] or ["1"]
        if name and all(_QVALUE.fullmatch(weight) for weight in weights):
            others = tuple(p for p in parameters if p and not p.startswith("q="))
            yield _Weighted(name, others, float(weights[0]))


def _drop_content(quoted: re.Match[str]) -> str:
    """Keep ``"utf-8"`` recognisable; any other quoted text only has to lose its commas and semicolons."""
    return "utf-8" if quoted[0].lower() == '"utf-8"' else '"..."'
