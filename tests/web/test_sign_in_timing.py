"""E03, E04: how long a refusal takes tells nobody which users there are, nor who is signed in."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from itertools import count

import bcrypt
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from pypid.domain.htpasswd import parse_htpasswd
from pypid.offload import inline
from pypid.web.password_checks import PasswordChecks

SAMPLES = 150
TRIES = 3
"""Each is wrong once in a hundred times where nothing is; all of them once in a million."""


def p_of_difference(one: Sequence[float], other: Sequence[float]) -> float:
    """Return how likely so different ranks are of samples of one distribution (Mann and Whitney, two-sided)."""
    ranked = sorted([*((value, True) for value in one), *((value, False) for value in other)])
    ranks = sum(rank for rank, (_, is_of_one) in enumerate(ranked, 1) if is_of_one)
    n, m = len(one), len(other)
    u = ranks - n * (n + 1) / 2
    z = (u - n * m / 2) / math.sqrt(n * m * (n + m + 1) / 12)
    return math.erfc(abs(z) / math.sqrt(2))


class RankTests(SynchronousTestCase):
    def test_what_differs_is_told_from_what_does_not(self) -> None:
        even, odd = [float(value) for value in range(0, 200, 2)], [float(value) for value in range(1, 200, 2)]
        self.assertGreater(p_of_difference(even, odd), 0.5)
        self.assertLess(p_of_difference(even, [value + 60 for value in odd]), 0.01)


class TimingTests(SynchronousTestCase):
    """In time of the processor, which others that are at work do not change; of users with hashes of two costs."""

    def setUp(self) -> None:
        hashes = ((user, bcrypt.hashpw(b"secret", bcrypt.gensalt(cost))) for user, cost in (("alice", 4), ("bob", 6)))
        self.users = parse_htpasswd("".join(f"{user}:{hashed.decode()}\n" for user, hashed in hashes))
        self.checks = PasswordChecks(inline, Clock())
        self.numbers = count()

    def seconds(self, user: str) -> float:
        """Return what a wrong password for ``user`` takes, from where nobody has guessed before."""
        number = next(self.numbers)
        place, password = f"192.0.2.{number}", b"wrong %d" % number
        begun = time.thread_time()
        asked = Deferred.fromCoroutine(self.checks.is_right(self.users, user, password, place))
        took = time.thread_time() - begun
        self.assertFalse(self.successResultOf(asked))
        return took

    def assert_alike(self, one: str, other: str) -> None:
        found = []
        for _ in range(TRIES):
            pairs = [(self.seconds(one), self.seconds(other)) for _ in range(SAMPLES)]
            found.append(p_of_difference(*zip(*pairs, strict=True)))
            if found[-1] > 0.01:
                return
        self.fail(f"{one} and {other} are told apart by time: p = {found}")

    def test_user_who_is_there_is_refused_as_slowly_as_one_who_is_not(self) -> None:
        """Also one whose own hash is cheaper than others'."""
        self.assert_alike("bob", "nobody")
        self.assert_alike("alice", "nobody")

    def test_user_who_is_signed_in_is_refused_as_slowly_as_one_who_is_not(self) -> None:
        asked = Deferred.fromCoroutine(self.checks.is_right(self.users, "bob", b"secret", "192.0.2.1"))
        self.assertTrue(self.successResultOf(asked))
        self.assert_alike("bob", "nobody")
