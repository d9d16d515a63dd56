"""When somebody is told that a certificate ends."""

from __future__ import annotations

from enum import Enum

WARN_FROM = 1 / 3
"""
Of the lifetime, what is left when warnings begin.

Certificates live for 398, 90, 45 or 6 days; what renews them by itself does so
when a third is left, and has not done so by then.
"""

DAY = 86400.0


class Expiry(Enum):
    """How near the end is."""

    FAR = "far"
    NEAR = "near"
    PAST = "past"


def judge_expiry(begins: float, ends: float, now: float) -> Expiry:
    """Classify a certificate; all in seconds since 1970."""
    if now >= ends:
        return Expiry.PAST
    return Expiry.NEAR if ends - now <= (ends - begins) * WARN_FROM else Expiry.FAR


class Reminders:
    """
    Decides what is said again: each certificate once a day, and at once when it becomes `Expiry.PAST`.

    Certificates are known by any key of their own.
    """

    def __init__(self) -> None:
        self._said: dict[str, tuple[Expiry, float]] = {}

    def is_due(self, certificate: str, expiry: Expiry, now: float) -> bool:
        """Return whether it is to be said now, and take it for said."""
        if expiry is Expiry.FAR:
            self._said.pop(certificate, None)
            return False
        before, when = self._said.get(certificate, (Expiry.FAR, now))
        if before is expiry and 0 <= now - when < DAY:
            return False
        self._said[certificate] = expiry, now
        return True
