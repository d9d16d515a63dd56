"""B07: how long a body is waited for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pypid.domain.pace import GRACE, LEAST_RATE, SILENCE, patience
from tests.domain.strategies import patient


class PatienceTests(SynchronousTestCase):
    def test_body_of_which_nothing_comes(self) -> None:
        self.assertEqual(patience(0, 0), GRACE)
        self.assertEqual(patience(GRACE, 0), 0)

    def test_silence_ends_even_the_fastest(self) -> None:
        self.assertEqual(patience(0, 2**40), SILENCE)

    @patient
    @given(st.integers(1, 2 * LEAST_RATE), st.integers(1, 100))
    def test_steady_drip(self, rate: int, seconds: int) -> None:
        """What comes at the least rate is waited for without end; what comes slower is not."""
        left = patience(seconds, rate * seconds)
        self.assertEqual(left >= GRACE, rate >= LEAST_RATE)
        if rate <= LEAST_RATE // 2:
            self.assertLessEqual(patience(3 * GRACE, rate * int(3 * GRACE)), 0)
