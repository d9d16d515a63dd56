"""When it is said that a certificate ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypid.domain.expiry import DAY, Expiry, Reminders, judge_expiry


@pytest.mark.parametrize("days", [6, 45, 90, 397])
def test_a_third_of_the_lifetime(days: int) -> None:
    """D11: thirty days before the end would be never, or always, for the certificates of today."""
    ends = days * DAY
    assert judge_expiry(0, ends, ends * 0.66) is Expiry.FAR
    assert judge_expiry(0, ends, ends * 0.67) is Expiry.NEAR
    assert judge_expiry(0, ends, ends - 1) is Expiry.NEAR
    assert judge_expiry(0, ends, ends) is Expiry.PAST


@given(st.integers(1, 500), st.integers(0, 23))
def test_once_a_day_and_at_once_at_the_end(hours: int, start: int) -> None:
    """However often one looks."""
    reminders = Reminders()
    said = [
        hour
        for hour in range(start, start + hours + 30)
        if reminders.is_due("a", Expiry.NEAR if hour < start + hours else Expiry.PAST, hour * 3600.0)
    ]
    assert said[0] == start
    assert start + hours in said
    assert [hour for hour in said if hour < start + hours] == list(range(start, start + hours, 24))


def test_each_certificate_for_itself() -> None:
    reminders = Reminders()
    assert reminders.is_due("a", Expiry.NEAR, 0)
    assert reminders.is_due("b", Expiry.NEAR, 1)
    assert not reminders.is_due("a", Expiry.NEAR, 2)
    assert not reminders.is_due("a", Expiry.FAR, 3)


def test_clock_that_is_set_back() -> None:
    """It says it once more rather than never again."""
    reminders = Reminders()
    assert reminders.is_due("a", Expiry.NEAR, 10 * DAY)
    assert reminders.is_due("a", Expiry.NEAR, 0)
