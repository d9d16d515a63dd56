"""What an answer says of itself, by which the rest of the same thing can be asked for."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

APART = timedelta(seconds=60)
"""By which a thing must be older than the answer: it has not changed within a second, whosever clocks these are."""

_STRONG_TAG = re.compile(r'"[\x21\x23-\x7e\x80-\xff]*"')


def strong_validator(etag: str | None, last_modified: str | None, date: str | None) -> str | None:
    """
    Return what If-Range may say for an answer with these headers (RFC 9110 section 13.1.5), if anything.

    An entity tag that is not weak, or the time of the last change where that
    can be no other than this one (section 8.8.2.2).
    """
    if etag is not None:
        return etag if _STRONG_TAG.fullmatch(etag) else None
    changed, answered = _time(last_modified), _time(date)
    if changed is None or answered is None or answered - changed < APART:
        return None
    return last_modified


def _time(header: str | None) -> datetime | None:
    try:
        told = parsedate_to_datetime(header or "")
    except (ValueError, OverflowError):
        return None
    return told if told.tzinfo is not None else told.replace(tzinfo=UTC)
