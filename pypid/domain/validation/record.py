"""RECORD: what a wheel says is in it."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping

from pypid.domain.names import shorten

_SHOWN = 3
"""Paths that one message names."""


def record_differences(record: bytes, sizes: Mapping[str, int], directory: str) -> Iterator[str]:
    """
    Yield what ``record`` says wrongly of the files in a wheel, whose ``sizes`` these are.

    ``directory`` is that of RECORD itself. Digests are not looked at: that
    would unpack the whole wheel.
    """
    try:
        rows = list(csv.reader(record.decode().splitlines()))
    except (UnicodeDecodeError, csv.Error) as e:
        yield f"RECORD cannot be read: {e}."
        return
    recorded = {row[0].replace("\\", "/"): row for row in rows if row}
    exempt = {f"{directory}/RECORD.jws", f"{directory}/RECORD.p7s"}
    unlisted = sizes.keys() - recorded.keys() - exempt
    if unlisted:
        yield f"RECORD does not list {_some(unlisted)}."
    if missing := recorded.keys() - sizes.keys():
        yield f"RECORD lists {_some(missing)}, which the wheel does not have."
    wrong = {
        path for path in recorded.keys() & sizes.keys() if recorded[path][2:3] not in ([], [""], [str(sizes[path])])
    }
    if wrong:
        yield f"RECORD has another size for {_some(wrong)}."


def _some(paths: set[str]) -> str:
    shown = ", ".join(shorten(path) for path in sorted(paths)[:_SHOWN])
    return shown if len(paths) <= _SHOWN else f"{shown} and {len(paths) - _SHOWN} more"
