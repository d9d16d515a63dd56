"""The audit log: what was done to what is published, by whom, when, from where."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

import msgspec

from pypid.domain.names import IndexName, NormalizedName


class Action(Enum):
    """What can be done."""

    PUBLISH = "publish"
    OVERWRITE = "overwrite"
    """A file was published in the place of another one of its name, on a volatile index."""
    YANK = "yank"
    UNYANK = "unyank"
    DELETE = "delete"
    SET_STATUS = "set-status"
    RELEASE_NAME = "release-name"
    """The project's name is ours no longer: the bases of its index are asked for it again."""
    BLOCK = "block"
    UNBLOCK = "unblock"
    UNDONE = "undone"
    """The change of that serial was written here, and was never committed: pypid was killed in between."""


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One change, of one file where it is about files: a line of the log."""

    serial: int
    """Of the change. It grows; the events of one change share it."""
    time: str
    """ISO 8601 in UTC, to the microsecond."""
    user: str
    action: Action
    index: IndexName
    project: NormalizedName
    address: str | None = None
    version: str | None = None
    filename: str | None = None
    sha256: str | None = None
    status: str | None = None
    reason: str | None = None
    undoes: int | None = None
    """The serial of the change that was not made, of an event that says so."""
    group: int = 0
    """The first serial of the transaction that it was part of."""


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Event)


def to_lines(events: Iterable[Event]) -> bytes:
    """Return ``events`` as JSON, one a line."""
    return b"".join(_encoder.encode(event) + b"\n" for event in events)


def read_line(line: bytes) -> Event:
    """Return the event of a line. Raises `ValueError`."""
    return _decoder.decode(line)
