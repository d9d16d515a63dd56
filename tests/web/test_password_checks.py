"""Passwords are checked once for all who send them at once, and not again for a while."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import bcrypt
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from pypid.domain.errors import TooManySignIns
from pypid.domain.htpasswd import Htpasswd, parse_htpasswd
from pypid.web.password_checks import MAX_CHECKS, RIGHT_FOR, WRONG_FOR, PasswordChecks

P = ParamSpec("P")
T = TypeVar("T")


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

    def ask(self, password: bytes, user: str = "alice", among: Htpasswd | None = None) -> Deferred[bool]:
        return Deferred.fromCoroutine(self.checks.is_right(among or self.users, user, password))

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
        for number in range(MAX_CHECKS):
            asked = self.ask(b"%d" % number)
            asked.addErrback(lambda _: None)
            asked.cancel()
        self.failureResultOf(self.ask(b"one more"), TooManySignIns)
        self.assertTrue(self.successResultOf(self.ask(b"secret")))
        self.assertEqual(self.work(), MAX_CHECKS)
        self.ask(b"one more")
        self.assertEqual(self.work(), 1)

    def test_no_password_is_kept(self) -> None:
        """E09."""
        self.ask(b"secret")
        self.work()
        self.assertNotIn("secret", repr(vars(self.checks)))
        self.assertEqual({len(key) for key in self.checks._right}, {32})
