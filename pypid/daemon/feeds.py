"""The change feeds of the snapshot in force, asked now and then."""

from __future__ import annotations

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from pypid.web.snapshot import Current

INTERVAL = 60.0
"""Seconds between two questions: pages are so old at most, and PyPI allows a call in a second."""


class FeedService(Service):
    """Polls while it runs."""

    _log = Logger()

    def __init__(self, clock: IReactorTime, current: Current) -> None:
        self._current = current
        self._loop = LoopingCall(self._poll)
        self._loop.clock = clock

    def startService(self) -> None:
        super().startService()
        self._loop.start(INTERVAL)

    def stopService(self) -> None:
        self._loop.stop()
        super().stopService()

    def _poll(self) -> None:
        for feed in self._current.value.feeds:
            polling = Deferred.fromCoroutine(feed.poll())
            polling.addErrback(lambda failure: self._log.failure("a change feed was not polled", failure))
