"""Something that is done again and again."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure


class RepeatingService(Service):
    """
    Makes a call by the clock: once after a while, and again some time after the last one has ended.

    What goes wrong is logged, and the next turn comes all the same. A call
    that is under way when this stops goes on.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        call: Callable[[], Coroutine[Deferred[Any], Any, object]],
        what: str,
        *,
        first: float,
        interval: float,
    ) -> None:
        """``what``: could not be done, for the log; ``first``, ``interval``: seconds."""
        self._clock = clock
        self._call = call
        self._what = what
        self._first = first
        self._interval = interval
        self._next: IDelayedCall | None = None

    def startService(self) -> None:
        super().startService()
        self._next = self._clock.callLater(self._first, self._turn)

    def stopService(self) -> None:
        super().stopService()
        if self._next is not None and self._next.active():
            self._next.cancel()

    def _turn(self) -> None:
        Deferred.fromCoroutine(self._call()).addErrback(self._log_failure).addCallback(self._again)

    def _again(self, _: object) -> None:
        if self.running:
            self._next = self._clock.callLater(self._interval, self._turn)

    def _log_failure(self, failure: Failure) -> None:
        if failure.check(OSError):
            self._log.error("{what}: {why}", what=self._what, why=failure.value)
        else:
            self._log.failure("{what}", failure, what=self._what)
