"""RECORD: what a wheel says is in it."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from pypid.domain.names import shorten

_SHOWN = 3
"""Paths that one message names."""


@dataclass(frozen=True, slots=True)
class RecordedFile:
    """What RECORD says of one file, as it is written there; empty where it says nothing."""

    digest: str = ""
    size: str = ""


Record = Mapping[str, RecordedFile]
"""By path."""


class InvalidRecord(ValueError):
    """RECORD cannot be read; the message says why."""


def read_record(content: bytes) -> Record:
    """Return what RECORD says. Raises `InvalidRecord`."""
    try:
        rows = list(csv.reader(content.decode().splitlines()))
    except (UnicodeDecodeError, csv.Error) as e:
        raise InvalidRecord(f"RECORD cannot be read: {e}.") from e
    return {row[0].replace("\\", "/"): RecordedFile(*row[1:3]) for row in rows if row}


def signatures(directory: str) -> frozenset[str]:
    """Return the files beside RECORD, in ``directory``, that are made after it and so are not in it."""
    return frozenset({f"{directory}/RECORD.jws", f"{directory}/RECORD.p7s"})


def list_differences(record: Record, sizes: Mapping[str, int], directory: str) -> Iterator[str]:
    """Yield how ``record``, in ``directory``, differs from the list of the wheel's files, whose ``sizes`` these are."""
    if unlisted := sizes.keys() - record.keys() - signatures(directory):
        yield f"RECORD does not list {some(unlisted)}."
    if missing := record.keys() - sizes.keys():
        yield f"RECORD lists {some(missing)}, which the wheel does not have."
    wrong = {path for path in record.keys() & sizes.keys() if record[path].size not in {"", str(sizes[path])}}
    if wrong:
        yield f"RECORD has another size for {some(wrong)}."


def some(paths: AbstractSet[str]) -> str:
    """Return the first of ``paths``, and how many more there are."""
    shown = ", ".join(shorten(path) for path in sorted(paths)[:_SHOWN])
    return shown if len(paths) <= _SHOWN else f"{shown} and {len(paths) - _SHOWN} more"
