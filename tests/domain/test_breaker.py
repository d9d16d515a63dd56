"""Which hosts are left alone, and for how long."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pypid.domain.breaker import FAILURES, PROBE_INTERVAL, Attempt, Breaker
from tests.domain.strategies import patient


def down(now: float = 0.0) -> Breaker:
    breaker = Breaker()
    for _ in range(FAILURES):
        breaker.failed(breaker.attempt(), now)
    return breaker


class BreakerTests(SynchronousTestCase):
    def test_new_host(self) -> None:
        self.assertEqual(Breaker().wait(0), 0)

    def test_failures_in_a_row(self) -> None:
        """One fewer than it takes is forgotten with the first answer."""
        breaker = Breaker()
        for _ in range(2):
            for _ in range(FAILURES - 1):
                breaker.failed(breaker.attempt(), 0)
            self.assertEqual(breaker.wait(0), 0)
            breaker.attempt()
            breaker.answered()

    def test_down(self) -> None:
        """A54: nobody asks a host that is down until it is time for a probe."""
        breaker = down(100)
        self.assertEqual(breaker.wait(100), PROBE_INTERVAL)
        self.assertEqual(breaker.wait(101), PROBE_INTERVAL - 1)
        self.assertEqual(breaker.wait(100 + PROBE_INTERVAL), 0)

    def test_one_probe(self) -> None:
        """While one caller probes the host, the others are refused, however long it takes."""
        breaker = down()
        self.assertIs(breaker.attempt(), Attempt.PROBE)
        self.assertEqual(breaker.wait(1000), PROBE_INTERVAL)

    def test_probe_succeeds(self) -> None:
        breaker = down()
        breaker.attempt()
        breaker.answered()
        self.assertEqual(breaker.wait(0), 0)
        self.assertIs(breaker.attempt(), Attempt.ORDINARY)

    def test_probe_fails(self) -> None:
        """One failed probe is enough: it takes no three in a row."""
        breaker = down()
        breaker.failed(breaker.attempt(), 50)
        self.assertEqual(breaker.wait(50), PROBE_INTERVAL)

    def test_probe_abandoned(self) -> None:
        """A client that leaves during its probe does not keep everybody else from making one."""
        breaker = down()
        breaker.abandoned(breaker.attempt())
        self.assertEqual(breaker.wait(PROBE_INTERVAL), 0)

    def test_late_failure(self) -> None:
        """An attempt from before the host went down is not taken for the probe when it fails."""
        breaker = Breaker()
        late = breaker.attempt()
        for _ in range(FAILURES):
            breaker.failed(breaker.attempt(), 0)
        breaker.attempt()
        breaker.failed(late, PROBE_INTERVAL)
        self.assertEqual(breaker.wait(1000), PROBE_INTERVAL)

    def test_late_answer(self) -> None:
        """An attempt from before that is answered after all says that the host works."""
        breaker = Breaker()
        breaker.attempt()
        for _ in range(FAILURES):
            breaker.failed(breaker.attempt(), 0)
        breaker.answered()
        self.assertEqual(breaker.wait(0), 0)

    def test_told_to_wait(self) -> None:
        """A12: one answer with Retry-After is enough, and a shorter one later does not shorten it."""
        breaker = Breaker()
        breaker.told_to_wait(breaker.attempt(), 0, 60)
        breaker.told_to_wait(Attempt.ORDINARY, 0, 1)
        self.assertEqual(breaker.wait(0), 60)

    def test_clock_stepped_back(self) -> None:
        """A60: a clock that is set back an hour does not leave the host alone for an hour."""
        self.assertEqual(down(now=3600).wait(0), 0)

    @patient
    @given(st.lists(st.sampled_from(["answered", "failed", "wait", "abandoned", "later"])))
    def test_never_shut_for_ever(self, steps: list[str]) -> None:
        """Whatever happened, once every attempt has ended the host may be asked again after a while."""
        breaker, now = Breaker(), 0.0
        for step in steps:
            now += 1 + 30 * (step == "later")
            if step == "later" or breaker.wait(now):
                continue
            attempt = breaker.attempt()
            if step == "answered":
                breaker.answered()
            elif step == "failed":
                breaker.failed(attempt, now)
            elif step == "wait":
                breaker.told_to_wait(attempt, now, 10)
            else:
                breaker.abandoned(attempt)
        self.assertEqual(breaker.wait(now + 10), 0)
