"""When a cached page is believed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pypid.domain.freshness import Freshness, judge
from tests.domain.strategies import patient

_seconds = st.floats(0, 1e9)


class JudgeTests(SynchronousTestCase):
    def test_table(self) -> None:
        for age, expected in (
            (0, Freshness.FRESH),
            (600, Freshness.FRESH),
            (600.1, Freshness.STALE),
            (4200, Freshness.STALE),
            (4200.1, Freshness.EXPIRED),
        ):
            self.assertIs(judge(age, ttl=600, grace=3600), expected, age)

    def test_no_grace(self) -> None:
        """Without grace, every client waits for a newer page once the old one's time is up."""
        self.assertIs(judge(600.1, ttl=600, grace=0), Freshness.EXPIRED)

    def test_clock_stepped_back(self) -> None:
        """A page from the future is fresh, whatever the settings: no stampede because of a bad clock."""
        for ttl in (0, -1, 600):
            self.assertIs(judge(-3600, ttl=ttl, grace=0), Freshness.FRESH)

    @patient
    @given(_seconds, _seconds, _seconds, _seconds)
    def test_never_gets_fresher(self, age: float, later: float, ttl: float, grace: float) -> None:
        order = list(Freshness)
        first = judge(age, ttl=ttl, grace=grace)
        then = judge(age + later, ttl=ttl, grace=grace)
        self.assertLessEqual(order.index(first), order.index(then))
