"""Passwords are checked once for all who send them at once, and not again for a while."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import bcrypt
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from pypid.domain.errors import TooManyGuesses, TooManySignIns
from pypid.domain.htpasswd import Htpasswd, parse_htpasswd
from pypid.domain.throttle import GUESSES, REFILL
from pypid.web.password_checks import RIGHT_FOR, WRONG_FOR, PasswordChecks
from pypid.web.turns import AT_ONCE, MAX_CHECKS, OF_ONE_PLACE

P = ParamSpec("P")
T = TypeVar("T")

HERE, THERE = "192.0.2.1", "192.0.2.2"


def users(**passwords: bytes) -> Htpasswd:
    lines = (f"{user}:{bcrypt.hashpw(password, bcrypt.gensalt(4)).decode()}" for user, password in passwords.items())
    return parse_htpasswd("\n".join(lines))


class PasswordChecksTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.under_way: list[tuple[Deferred[Any], Any]] = []
        self.checks = PasswordChecks(self.offload, self.clock)
        self.users = users(alice=b"secret")

    def offload(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Deferred[T]:
        done: Deferred[T] = Deferred()
        self.under_way.append((done, lambda: function(*args, **kwargs)))
        return done

    def ask(
        self, password: bytes, user: str = "alice", among: Htpasswd | None = None, place: str = HERE
    ) -> Deferred[bool]:
        return Deferred.fromCoroutine(self.checks.is_right(among or self.users, user, password, place))

    def work(self) -> int:
        """Do what was handed in; how much that was."""
        under_way, self.under_way = self.under_way, []
        for done, call in under_way:
            done.callback(call())
        return len(under_way)

    def test_thousand_at_once_are_one_check(self) -> None:
        """E05."""
        asked = [self.ask(b"secret") for _ in range(1000)]
        self.assertEqual(self.work(), 1)
        self.assertEqual({self.successResultOf(each) for each in asked}, {True})

    def test_right_credentials_are_remembered_for_a_time(self) -> None:
        """E02, E09."""
        self.ask(b"secret")
        self.work()
        self.clock.advance(RIGHT_FOR - 1)
        self.assertTrue(self.successResultOf(self.ask(b"secret")))
        self.assertEqual(self.work(), 0)
        self.clock.advance(1)
        self.ask(b"secret")
        self.assertEqual(self.work(), 1)

    def test_wrong_credentials_are_remembered_for_less_whoever_exists(self) -> None:
        """E04, E08: also right after the right ones."""
        self.ask(b"secret")
        self.work()
        for user in ("alice", "nobody"):
            wrong = self.ask(b"wrong", user)
            self.assertEqual(self.work(), 1)
            self.assertFalse(self.successResultOf(wrong))
            self.assertFalse(self.successResultOf(self.ask(b"wrong", user)))
            self.clock.advance(WRONG_FOR)
            self.ask(b"wrong", user)
            self.assertEqual(self.work(), 1)

    def test_changed_or_removed_line_forgets(self) -> None:
        """D05: for the next request."""
        self.ask(b"secret")
        self.work()
        for among in (users(alice=b"other"), users(bob=b"secret")):
            asked = self.ask(b"secret", among=among)
            self.assertEqual(self.work(), 1)
            self.assertFalse(self.successResultOf(asked))

    def test_storm_is_bounded_and_harms_nobody_who_is_known(self) -> None:
        """E06: also of clients that do not wait."""
        self.ask(b"secret")
        self.work()
        places = [f"198.51.100.{number}" for number in range(MAX_CHECKS)]
        for place in places:
            asked = self.ask(place.encode(), place=place)
            asked.addErrback(lambda _: None)
            asked.cancel()
        self.failureResultOf(self.ask(b"one more"), TooManySignIns)
        self.assertTrue(self.successResultOf(self.ask(b"secret")))
        self.assertEqual(self.work(), MAX_CHECKS)
        self.ask(b"one more")
        self.assertEqual(self.work(), 1)

    def test_storm_from_one_place_holds_up_no_other(self) -> None:
        """E06: with another user each time, so that no guess is counted twice."""
        storm = [self.ask(b"x", f"user{number}") for number in range(OF_ONE_PLACE)]
        self.failureResultOf(self.ask(b"x", "one more"), TooManySignIns)
        self.assertEqual(len(self.under_way), AT_ONCE)
        first = self.ask(b"secret", place=THERE)
        self.assertEqual(self.work(), AT_ONCE + 1)
        self.assertTrue(self.successResultOf(first))
        while self.work():
            pass
        self.assertEqual([self.successResultOf(each) for each in storm], [False] * OF_ONE_PLACE)
        self.ask(b"x", "one more")
        self.assertEqual(self.work(), 1)

    def test_who_leaves_before_his_turn_is_not_checked(self) -> None:
        storm = [self.ask(b"x", f"user{number}") for number in range(OF_ONE_PLACE)]
        for each in storm:
            each.addErrback(lambda _: None)
            each.cancel()
        self.assertEqual(self.work(), AT_ONCE)
        self.assertEqual(self.work(), 0)
        self.ask(b"x", "one more")
        self.assertEqual(self.work(), 1)

    def guess(self, times: int, user: str = "alice") -> None:
        for number in range(times):
            self.ask(b"%d" % number, user)
            self.work()

    def test_guesses_are_throttled_by_place_and_user(self) -> None:
        """E07: nobody else has to wait."""
        self.guess(GUESSES)
        failure = self.failureResultOf(self.ask(b"secret"), TooManyGuesses)
        self.assertEqual(failure.value.retry_after, REFILL)
        self.assertEqual(self.work(), 0)
        for user, place in (("bob", HERE), ("alice", THERE)):
            self.ask(b"secret", user, place=place)
            self.assertEqual(self.work(), 1)
        self.clock.advance(REFILL)
        self.ask(b"next")
        self.assertEqual(self.work(), 1)
        self.failureResultOf(self.ask(b"and next"), TooManyGuesses)

    def test_many_guesses_at_once_are_no_more_than_one_after_the_other(self) -> None:
        """E07: they are counted before anybody knows that they are wrong."""
        asked = [self.ask(b"%d" % number) for number in range(GUESSES)]
        self.failureResultOf(self.ask(b"one more"), TooManyGuesses)
        while self.work():
            pass
        self.assertEqual([self.successResultOf(each) for each in asked], [False] * GUESSES)

    def test_right_credentials_are_kept_out_by_no_wrong_ones(self) -> None:
        """E07: the good job behind the address of a bad one, also when it is checked again after a time."""
        self.ask(b"secret")
        self.work()
        self.guess(GUESSES)
        self.assertTrue(self.successResultOf(self.ask(b"secret")))
        self.clock.advance(RIGHT_FOR)
        self.guess(GUESSES)
        self.failureResultOf(self.ask(b"other"), TooManyGuesses)
        again = self.ask(b"secret")
        self.assertEqual(self.work(), 1)
        self.assertTrue(self.successResultOf(again))

    def test_signing_in_uses_up_no_guess(self) -> None:
        for _ in range(GUESSES + 1):
            self.ask(b"secret")
            self.assertEqual(self.work(), 1)
            self.clock.advance(RIGHT_FOR)
        for _ in range(GUESSES + 1):
            gone = self.ask(b"left")
            gone.addErrback(lambda _: None)
            gone.cancel()
            self.work()

    def test_wrong_ones_are_counted_also_when_they_are_remembered(self) -> None:
        """E08."""
        for _ in range(GUESSES):
            wrong = self.ask(b"wrong")
            self.work()
            self.assertFalse(self.successResultOf(wrong))
        self.failureResultOf(self.ask(b"wrong"), TooManyGuesses)

    def test_no_password_is_kept(self) -> None:
        """E09."""
        self.ask(b"secret")
        self.work()
        self.assertNotIn("secret", repr(vars(self.checks)))
        self.assertEqual({len(key) for key in self.checks._right}, {32})
