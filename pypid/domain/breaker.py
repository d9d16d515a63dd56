"""When to stop asking a host that does not answer, and when to try again."""

from __future__ import annotations

from enum import Enum, auto

FAILURES = 3
"""In a row, until a host counts as down: one or two happen to every healthy one."""

PROBE_INTERVAL = 5.0
"""Seconds between two attempts at a host that is down: it is seen within ten that it is back (A55)."""


class Attempt(Enum):
    """What an attempt at a host is to its breaker."""

    ORDINARY = auto()
    PROBE = auto()
    """The only one at a host that is down."""


class Breaker:
    """
    Knows whether one host is to be asked.

    A host that failed `FAILURES` times in a row, or said when to come back, is
    left alone. Then one caller at a time may probe it, and all others are
    refused at once, instead of each waiting for its own time-out (A54). Any
    answer closes the breaker.

    Each `attempt` ends with exactly one of `answered`, `failed`,
    `told_to_wait` and `abandoned`. ``now`` is seconds of any clock; one that
    steps back ends the waiting.
    """

    def __init__(self) -> None:
        self._failures = 0
        self._down = False
        self._since = self._until = 0.0
        self._probed = False

    def wait(self, now: float) -> float:
        """Return for how many seconds the host is not to be asked; 0: it may be, now."""
        if not self._down:
            return 0.0
        if self._probed:
            return PROBE_INTERVAL
        return max(0.0, self._until - now) if now >= self._since else 0.0

    def attempt(self) -> Attempt:
        """Note that the host is asked, which `wait` must have allowed."""
        self._probed = self._down
        return Attempt.PROBE if self._down else Attempt.ORDINARY

    def answered(self) -> None:
        """Note that the host works."""
        self._failures = 0
        self._down = self._probed = False

    def failed(self, attempt: Attempt, now: float) -> None:
        """Note that the host gave no answer."""
        self.abandoned(attempt)
        self._failures += 1
        if self._down or self._failures >= FAILURES:
            self._leave_alone(now, PROBE_INTERVAL)

    def told_to_wait(self, attempt: Attempt, now: float, seconds: float) -> None:
        """Note that the host answered that it is not to be asked for so long."""
        self.abandoned(attempt)
        self._leave_alone(now, seconds)

    def abandoned(self, attempt: Attempt) -> None:
        """Note that nothing was learned: whoever asked has gone."""
        if attempt is Attempt.PROBE:
            self._probed = False

    def _leave_alone(self, now: float, seconds: float) -> None:
        self._down = True
        self._since = now
        self._until = max(self._until, now + seconds)
