"""The weighted lists of Accept and Accept-Encoding (RFC 9110, section 12.4.2), read as they were meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

# An unclosed quote swallows the rest of the header, which keeps this linear in its length.
_QUOTED = re.compile(r'"(?:\\.|[^"\\])*+(?:"|\Z)', re.DOTALL)
_QVALUE = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")
_TOKEN = r"[!#$%&'*+.^_`|~0-9a-z-]+"  # noqa: S105 (RFC 9110, section 5.6.2)
_MEDIA_RANGE = re.compile(rf"{_TOKEN}/{_TOKEN}")
_CODING = re.compile(_TOKEN)


class Weighted(NamedTuple):
    """One element of an Accept-like list, in lower case."""

    name: str
    parameters: tuple[str, ...]
    q: float


def media_ranges(accept: str | None) -> list[Weighted]:
    """Return the media ranges of an Accept header; what is malformed counts as not there."""
    return [element for element in _elements(accept or "") if _MEDIA_RANGE.fullmatch(element.name)]


def coding_weights(accept_encoding: str | None) -> dict[str, float]:
    """Return the q of each content coding that an Accept-Encoding header names, ``*`` among them."""
    weights: dict[str, float] = {}
    for coding in _elements(accept_encoding or ""):
        if _CODING.fullmatch(coding.name):
            name = "gzip" if coding.name == "x-gzip" else coding.name
            weights[name] = max(coding.q, weights.get(name, 0))
    return weights


def _elements(header: str) -> Iterator[Weighted]:
    """Yield the elements of a comma-separated list in lower case, without those whose q is malformed."""
    unquoted = _QUOTED.sub(_drop_content, header)
    for element in unquoted.lower().split(","):
        name, *parameters = [part.strip(" \t") for part in element.split(";")]
        weights = [p.removeprefix("q=") for p in parameters if p.startswith("q=")] or ["1"]
        if name and all(_QVALUE.fullmatch(weight) for weight in weights):
            others = tuple(p for p in parameters if p and not p.startswith("q="))
            yield Weighted(name, others, float(weights[0]))


def _drop_content(quoted: re.Match[str]) -> str:
    """Keep ``"utf-8"`` recognisable; any other quoted text only has to lose its commas and semicolons."""
    return "utf-8" if quoted[0].lower() == '"utf-8"' else '"..."'
