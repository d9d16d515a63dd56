"""What PyPI's change feed says (``changelog_since_serial``)."""

from __future__ import annotations

from pypid.domain.names import InvalidName, NormalizedName, normalize_name
from pypid.domain.simple_page import known_serial
from pypid.domain.xml_rpc import Fault, read_answer

Changes = dict[NormalizedName, int]
"""Projects that have changed, each with the serial of its last change."""


class InvalidChangelog(ValueError):
    """The answer is none of a change feed."""


def read_changes(body: bytes) -> Changes:
    """Return what has changed. Raises `InvalidChangelog`."""
    rows = _read(body)
    if not isinstance(rows, list):
        raise InvalidChangelog("it is no list of changes")
    changes: Changes = {}
    for row in rows:
        match row:
            case [str() as name, _, _, _, int() as claim, *_] if (serial := known_serial(claim)) is not None:
                try:
                    project = normalize_name(name)
                except InvalidName:
                    continue
                changes[project] = max(serial, changes.get(project, 0))
            case _:
                raise InvalidChangelog("it has something else than changes with a serial")
    return changes


def read_last_serial(body: bytes) -> int:
    """Return the serial of the last change of all. Raises `InvalidChangelog`."""
    serial = known_serial(_read(body))
    if serial is None:
        raise InvalidChangelog("it is no serial")
    return serial


def _read(body: bytes) -> object:
    try:
        return read_answer(body)
    except Fault as e:
        raise InvalidChangelog(e.message) from e
