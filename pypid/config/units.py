"""Sizes and durations as people write them: ``64 MiB``, ``5 min``."""

from __future__ import annotations

import re

SIZE_UNITS = {
    "B": 1,
    "kB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
}
"""Bytes. Bare letters (``2G``) are left out: half of the world reads them as 1000, half as 1024."""

DURATION_UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
"""Seconds."""

_QUANTITY = re.compile(r"(-?\d{1,30}(?:\.\d{1,30})?)\s*([A-Za-z]*)", re.ASCII)


class NoQuantity(ValueError):
    """The text does not begin with a number."""


class UnknownUnit(ValueError):
    """The text is a number with a unit that is not known here."""


def parse_size(text: str) -> int:
    """
    Return the bytes that ``text`` says; without a unit it says bytes.

    Raises `NoQuantity` or `UnknownUnit`. Units are matched in any case.

    >>> parse_size("64 MiB")
    67108864
    """
    return round(_parse(text, SIZE_UNITS, bare="B"))


def parse_duration(text: str) -> float:
    """
    Return the seconds that ``text`` says; without a unit it says seconds.

    Raises `NoQuantity` or `UnknownUnit`. Units are matched in any case.

    >>> parse_duration("5 min")
    300.0
    """
    return float(_parse(text, DURATION_UNITS, bare="s"))


def _parse(text: str, units: dict[str, int] | dict[str, float], *, bare: str) -> float:
    match = _QUANTITY.fullmatch(text.strip())
    if match is None:
        raise NoQuantity(text)
    number, unit = match.groups()
    factors = {name.lower(): factor for name, factor in units.items()}
    factor = factors.get((unit or bare).lower())
    if factor is None:
        raise UnknownUnit(f"unknown unit {unit!r} (have: {', '.join(units)})")
    # Whole numbers stay integers: a float would lose bytes above 2**53.
    return (float(number) if "." in number else int(number)) * factor
