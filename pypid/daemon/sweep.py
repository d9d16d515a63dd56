"""Sweeps from time to time, besides those for which a transfer has no room."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import LoopingCall

from pypid.indexes.room import Room, log_failure

FIRST = 300.0
"""Seconds from the start to the first sweep: a restart has other work to do."""

INTERVAL = 3600.0
"""Seconds between sweeps. Those for which a file has no room do not wait for it; this one finds the orphans."""

RECORD_INTERVAL = 60.0
"""Seconds between two records of the last uses: a crash forgets so many, which changes little."""


class SweepService(Service):
    """Calls on a `Room`, by ``clock``. What goes wrong is logged, and the next turn comes all the same."""

    def __init__(self, clock: IReactorTime, room: Room) -> None:
        self._clock = clock
        self._room = room
        self._next: IDelayedCall | None = None
        self._recording = LoopingCall(lambda: self._logged(room.record_uses))
        self._recording.clock = clock

    def startService(self) -> None:
        super().startService()
        self._recording.start(RECORD_INTERVAL, now=False)
        self._next = self._clock.callLater(FIRST, self.sweep)

    def sweep(self) -> None:
        """Begin a sweep, and wait the usual time for the next."""
        if self._next is not None and self._next.active():
            self._next.cancel()
        self._next = self._clock.callLater(INTERVAL, self.sweep)
        self._logged(self._room.sweep)

    def stopService(self) -> Deferred[None]:
        """Fire when nothing is being removed any more, and the last uses are recorded."""
        super().stopService()
        if self._recording.running:
            self._recording.stop()
        if self._next is not None and self._next.active():
            self._next.cancel()
        return self._logged(self._room.stop)

    def _logged(self, call: Callable[[], Coroutine[Deferred[Any], Any, object]]) -> Deferred[None]:
        return Deferred.fromCoroutine(call()).addCallbacks(lambda _: None, log_failure)
