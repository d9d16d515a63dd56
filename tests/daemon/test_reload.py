"""SIGHUP: once for several, whole or not at all, and never the end of the process."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorFromThreads
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from pypid.config import ConfigError
from pypid.daemon.reload import ReloadService


@implementer(IReactorFromThreads)
class HeldCalls:
    """The part of a reactor that a signal handler may use: keeps what it is given until `turn`."""

    def __init__(self) -> None:
        self.handed_over: list[Callable[[], object]] = []

    def callFromThread(self, callable: Callable[..., object], *args: object, **kwargs: object) -> None:  # noqa: A002
        self.handed_over.append(lambda: callable(*args, **kwargs))

    def turn(self) -> None:
        calls, self.handed_over = self.handed_over, []
        for call in calls:
            call()


class ReloadServiceTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = HeldCalls()
        self.reloads = 0
        self.raises: Exception | None = None
        self.lasts: Deferred[None] = succeed(None)
        self.service = ReloadService(self.reactor, self.reload)
        self.service.privilegedStartService()
        self.addCleanup(signal.signal, signal.SIGHUP, signal.SIG_DFL)

    async def reload(self) -> None:
        self.reloads += 1
        await self.lasts
        if self.raises is not None:
            raise self.raises

    def hang_up(self) -> None:
        os.kill(os.getpid(), signal.SIGHUP)

    def test_a_signal_reloads_on_the_reactor(self) -> None:
        """The handler itself does nothing but hand over."""
        self.service.startService()
        self.hang_up()
        self.assertEqual(self.reloads, 0)
        self.reactor.turn()
        self.assertEqual(self.reloads, 1)

    def test_many_signals_at_once_are_one_reload(self) -> None:
        self.service.startService()
        for _ in range(100):
            self.hang_up()
        self.reactor.turn()
        self.assertEqual(self.reloads, 1)
        self.hang_up()
        self.reactor.turn()
        self.assertEqual(self.reloads, 2)

    def test_signals_during_a_reload_are_one_more_after_it(self) -> None:
        """D07: at most one under way and one waiting."""
        self.service.startService()
        self.lasts = Deferred()
        for _ in range(3):
            self.hang_up()
            self.reactor.turn()
        self.assertEqual(self.reloads, 1)
        self.lasts.callback(None)
        self.assertEqual(self.reloads, 2)
        self.reactor.turn()
        self.assertEqual(self.reloads, 2)

    def test_a_signal_before_the_start_is_survived(self) -> None:
        """Its default action would end the process; there is nothing to reload yet."""
        self.hang_up()
        self.reactor.turn()
        self.assertEqual(self.reloads, 0)

    def test_a_refused_reload_leaves_the_next_one_possible(self) -> None:
        self.service.startService()
        self.raises = ConfigError(["one", "two"])
        self.hang_up()
        self.reactor.turn()
        self.raises = RuntimeError("something else")
        self.hang_up()
        self.reactor.turn()
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
        self.raises = None
        self.hang_up()
        self.reactor.turn()
        self.assertEqual(self.reloads, 3)

    def test_stopping_gives_the_signal_back(self) -> None:
        self.service.startService()
        self.service.stopService()
        self.assertEqual(signal.getsignal(signal.SIGHUP), signal.SIG_DFL)
