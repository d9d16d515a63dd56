"""When an upstream says that it may be asked again."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

LIMITS = (1, 600)
"""Seconds between which it is believed (A12): no server means a year, and none is asked again at once."""

UNSAID = 5
"""Seconds, where it says nothing that can be read."""


def seconds_to_wait(retry_after: str | None, date: str | None) -> int:
    """
    Return the seconds that a Retry-After header asks for, within `LIMITS` (RFC 9110 section 10.2.3).

    ``date`` is the Date header beside it: a time is counted from the server's
    own now, since its clock need not be ours.
    """
    low, high = LIMITS
    return min(max(_asked(retry_after, date), low), high)


def _asked(retry_after: str | None, date: str | None) -> int:
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return int(text[:9])
    try:
        return int((parsedate_to_datetime(text) - parsedate_to_datetime(date or "")).total_seconds())
    except (ValueError, TypeError, OverflowError):  # TypeError: one of them has no time zone
        return UNSAID
