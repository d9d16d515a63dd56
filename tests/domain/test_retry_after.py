"""How long an upstream is left alone when it says so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypid.domain.retry_after import LIMITS, UNSAID, seconds_to_wait
from tests.domain.strategies import patient

NOON = "Sat, 21 Nov 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        ("7", 7),
        (" 7 ", 7),
        ("0", LIMITS[0]),
        ("99999999999999999999", LIMITS[1]),
        ("Sat, 21 Nov 2026 12:00:30 GMT", 30),
        ("Sat, 21 Nov 2026 11:00:00 GMT", LIMITS[0]),
        ("Sat, 21 Nov 2027 12:00:00 GMT", LIMITS[1]),
        ("-3", UNSAID),
        ("soon", UNSAID),
        ("²", UNSAID),
        ("Sat, 21 Nov 2026 12:00:30", UNSAID),
        ("", UNSAID),
        (None, UNSAID),
    ],
)
def test_a12_seconds_or_a_date_within_limits(retry_after: str | None, seconds: int) -> None:
    assert seconds_to_wait(retry_after, NOON) == seconds


def test_a60_a_date_is_counted_from_the_servers_own_now() -> None:
    """A server whose clock is years off still means thirty seconds."""
    assert seconds_to_wait("Wed, 01 Jan 2020 00:00:30 GMT", "Wed, 01 Jan 2020 00:00:00 GMT") == 30


def test_a_date_without_the_servers_now_says_nothing() -> None:
    assert seconds_to_wait("Sat, 21 Nov 2026 12:00:30 GMT", None) == UNSAID


@patient
@given(st.none() | st.text(), st.none() | st.text())
def test_anything_is_within_the_limits(retry_after: str | None, date: str | None) -> None:
    assert LIMITS[0] <= seconds_to_wait(retry_after, date) <= LIMITS[1]
