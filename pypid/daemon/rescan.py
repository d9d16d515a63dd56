"""Looks at the directories of the snapshot in force, each at its own pace."""

from __future__ import annotations

from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from pypid.indexes.looks import Looks
from pypid.web.snapshot import Current

AGAIN = 5.0
"""Seconds after which is looked again where a file may be half copied, however seldom its directory is looked at."""


class RescanService(Service):
    """Looks while it runs, and never twice at a time at one directory."""

    _log = Logger()

    def __init__(self, clock: IReactorTime, current: Current) -> None:
        self._clock = clock
        self._current = current
        self._intervals: dict[Looks, float] = {}
        self._next: dict[Looks, IDelayedCall] = {}

    def startService(self) -> None:
        super().startService()
        self.follow()

    def follow(self) -> None:
        """Look at all directories that are in force now, at once; those that are not any more are left."""
        self._leave()
        self._intervals = dict(self._current.value.directories.values())
        for looks in self._intervals:
            self._look(looks)

    def stopService(self) -> Deferred[Any]:
        """Fire when no file is being read any more."""
        super().stopService()
        ending = [looks.stop() for looks in self._intervals]
        self._leave()
        return gatherResults(ending)

    def _leave(self) -> None:
        for call in self._next.values():
            call.cancel()
        self._next.clear()
        self._intervals.clear()

    def _look(self, looks: Looks) -> None:
        self._next.pop(looks, None)
        failed = "{index} could not be looked at"
        looking = looks.look().addErrback(lambda why: self._log.failure(failed, why, index=looks.index))
        looking.addCallback(lambda _: self._wait(looks))

    def _wait(self, looks: Looks) -> None:
        interval = self._intervals.get(looks)
        # A reload during the look has called for it, too.
        if interval is not None and looks not in self._next:
            delay = min(interval, AGAIN) if looks.is_waiting else interval
            self._next[looks] = self._clock.callLater(delay, self._look, looks)
