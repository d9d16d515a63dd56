"""When a cached page is believed."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pypid.domain.freshness import JITTER, Freshness, Lifetime, jittered
from tests.domain.strategies import patient

_seconds = st.floats(0, 1e9)


class JudgeTests(SynchronousTestCase):
    def test_table(self) -> None:
        lifetime = Lifetime(ttl=600, grace=3600, max_stale=86400)
        for age, expected in (
            (0, Freshness.FRESH),
            (600, Freshness.FRESH),
            (600.1, Freshness.STALE),
            (4200, Freshness.STALE),
            (4200.1, Freshness.EXPIRED),
            (86400, Freshness.EXPIRED),
            (86400.1, Freshness.TOO_OLD),
        ):
            self.assertIs(lifetime.judge(age), expected, age)

    def test_no_grace(self) -> None:
        """Without grace, every client waits for a newer page once the old one's time is up."""
        self.assertIs(Lifetime(ttl=600, grace=0).judge(600.1), Freshness.EXPIRED)

    def test_no_old_page_at_all(self) -> None:
        """A ceiling below the time to live does not end that."""
        lifetime = Lifetime(ttl=600, grace=3600, max_stale=0)
        self.assertEqual([lifetime.judge(600), lifetime.judge(600.1)], [Freshness.FRESH, Freshness.TOO_OLD])

    def test_unlimited(self) -> None:
        self.assertIs(Lifetime(ttl=600, grace=0, max_stale=math.inf).judge(1e12), Freshness.EXPIRED)

    @patient
    @given(_seconds, _seconds, _seconds, _seconds, st.one_of(_seconds, st.just(math.inf)))
    def test_never_gets_fresher(self, age: float, later: float, ttl: float, grace: float, max_stale: float) -> None:
        order = list(Freshness)
        lifetime = Lifetime(ttl=ttl, grace=grace, max_stale=max_stale)
        self.assertLessEqual(order.index(lifetime.judge(age)), order.index(lifetime.judge(age + later)))


class JitterTests(SynchronousTestCase):
    @patient
    @given(st.text(), _seconds)
    def test_f12_stays_within_its_share_and_is_the_same_each_time(self, seed: str, ttl: float) -> None:
        first = jittered(ttl, share=JITTER, seed=seed)
        self.assertTrue(0.9 * ttl <= first <= 1.1 * ttl or math.isclose(first, ttl, rel_tol=0.1))
        self.assertEqual(first, jittered(ttl, share=JITTER, seed=seed))

    def test_f12_spreads_what_was_fetched_together(self) -> None:
        ttls = [jittered(600, share=JITTER, seed=f"pypi project-{number} 1800000000") for number in range(200)]
        tenths = [sum(540 + 12 * i <= ttl < 552 + 12 * i for ttl in ttls) for i in range(10)]
        self.assertTrue(all(8 <= some <= 34 for some in tenths), tenths)
