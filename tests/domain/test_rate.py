"""How fast something arrives."""

from twisted.trial.unittest import SynchronousTestCase

from pypid.domain.rate import WINDOW, Rate


class RateTests(SynchronousTestCase):
    def test_unknown_at_first(self) -> None:
        rate = Rate(100.0)
        rate.count(100.0, 1000)
        self.assertEqual(rate.per_second(100.0), 0)

    def test_average_from_the_first_moment_on(self) -> None:
        rate = Rate(100.0)
        rate.count(100.5, 1000)
        self.assertEqual(rate.per_second(102.0), 500)

    def test_steady(self) -> None:
        rate = Rate(0.0)
        for second in range(1, 100):
            rate.count(second, 1000)
            self.assertTrue(900 <= rate.per_second(second) <= 1200, second)

    def test_silence(self) -> None:
        """What came before a silence is forgotten with it."""
        rate = Rate(0.0)
        rate.count(1.0, 10**9)
        self.assertGreater(rate.per_second(WINDOW - 1), 10**8)
        for later in (1, 2, 3):
            rate.per_second(later * WINDOW)
        self.assertEqual(rate.per_second(3 * WINDOW + 1), 0)
