"""Mirrors that ask each other in a circle, known by what each of them adds to a header (RFC 8586)."""

from __future__ import annotations

import re
from contextvars import ContextVar

from pypid.domain.errors import MirrorLoop

HEADER = "CDN-Loop"
"""Not ``Via``: nginx, as it comes, compresses nothing for who sends that."""

MAX_MIRRORS = 3
"""Mirrors that a question may have passed: a laptop's, an office's and a company's (A58)."""

_MARK = re.compile(r"(?<![\w-])pypid-[0-9a-f]{16}(?![\w-])")

passed: ContextVar[tuple[str, ...]] = ContextVar("passed", default=())
"""The marks of the mirrors that what is done now was asked by way of."""


def read_marks(header: str | None) -> tuple[str, ...]:
    """Return the marks of mirrors, and one too many where there are more than may be."""
    return tuple(_MARK.findall(header or "")[: MAX_MIRRORS + 1])


def render_marks(mark: str) -> str:
    """Return the header's value for what the mirror of this ``mark`` asks in turn."""
    return ", ".join((*passed.get(), mark))


def check_circle(mark: str) -> None:
    """Raise `MirrorLoop` where the mirror of this ``mark`` must not ask."""
    marks = passed.get()
    if mark in marks:
        raise MirrorLoop("mirrors ask each other in a circle: this one was asked for what it asked for itself")
    if len(marks) >= MAX_MIRRORS:
        raise MirrorLoop(f"this was asked by way of {MAX_MIRRORS} mirrors already, and is not asked any further")
