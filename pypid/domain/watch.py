"""The days over which downloads were counted without a break."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

LONGEST_BREAK = timedelta(days=7)
"""What may lie between two days of counting: an outage of a long week-end (as the mirrors' ``max_stale``)."""


@dataclass(frozen=True, slots=True)
class Watch:
    """
    From the first day to the last, in UTC.

    Outside of it nobody knows what was not downloaded. It is also what tells
    a clock that has jumped: by a year, say, because a battery is empty.
    """

    since: date
    until: date

    def on(self, today: date) -> Watch:
        """Return the watch as it is when ``today`` is counted: begun anew after a break, or if the clock went back."""
        broken = not timedelta(0) <= today - self.until <= LONGEST_BREAK
        return Watch(today, today) if broken else replace(self, until=today)
