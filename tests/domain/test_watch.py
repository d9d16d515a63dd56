"""For how long downloads have been counted, whatever the clock did meanwhile (C29, C30)."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pypid.domain.watch import LONGEST_BREAK, Watch

DAY = timedelta(days=1)
days = st.dates(min_value=date(1970, 1, 1), max_value=date(2200, 1, 1))
BEGUN, LAST = date(2026, 3, 1), date(2026, 6, 1)


def test_it_goes_on_from_day_to_day_and_over_a_week_end() -> None:
    for passed in (0 * DAY, DAY, LONGEST_BREAK):
        assert Watch(BEGUN, LAST).on(LAST + passed) == Watch(BEGUN, LAST + passed)


def test_it_begins_anew_after_a_break_and_after_a_jump_of_the_clock() -> None:
    for today in (LAST + LONGEST_BREAK + DAY, LAST + 365 * DAY, LAST - DAY, LAST - 365 * DAY, date(1970, 1, 1)):
        assert Watch(BEGUN, LAST).on(today) == Watch(today, today)


@given(st.lists(days, min_size=1))
def test_no_two_days_of_it_are_far_apart(shown: list[date]) -> None:
    watch = Watch(shown[0], shown[0])
    for today in shown[1:]:
        watch = watch.on(today)
    unbroken = shown[shown.index(watch.since) :] if watch.since in shown else []
    assert unbroken
    assert watch.until == shown[-1]
    assert watch.until - watch.since <= LONGEST_BREAK * len(shown)
