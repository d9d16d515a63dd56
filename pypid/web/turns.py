"""Checks of passwords take turns by place, so that a storm from one holds up no other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, DeferredSemaphore

from pypid.domain.errors import TooManySignIns
from pypid.domain.throttle import Place
from pypid.flight import shield

T = TypeVar("T")

MAX_CHECKS = 64
"""Checks under way or waiting: at 0.3 s each on one thread, the last waits 20 s, as long as pip and twine do."""

OF_ONE_PLACE = 16
"""Of these, from one place: a quarter, so that it takes four to keep everybody else out."""

AT_ONCE = 2
"""Checks of one place in the queue of the threads: who comes from elsewhere waits for no more of them than these."""


@dataclass(slots=True)
class _Queue:
    turns: DeferredSemaphore = field(default_factory=lambda: DeferredSemaphore(AT_ONCE))
    calls: int = 0


class Turns:
    """Knows which places have checks under way."""

    def __init__(self) -> None:
        self._queues: dict[Place, _Queue] = {}
        self._calls = 0

    async def take(self, place: Place, call: Callable[[], Deferred[T]]) -> T:
        """
        Return what ``call`` brings when it is the turn of ``place``. Raises `TooManySignIns`.

        Cancelling gives the turn up; a call that has begun goes on, and counts for as long.
        """
        queue = self._queues.get(place) or _Queue()
        if self._calls >= MAX_CHECKS or queue.calls >= OF_ONE_PLACE:
            raise TooManySignIns("Too many passwords are being checked; try again soon")
        self._queues[place] = queue
        queue.calls += 1
        self._calls += 1
        try:
            await queue.turns.acquire()
        except BaseException:
            self._leave(place, queue)
            raise
        return await shield(call().addBoth(self._end, place, queue))

    def _end(self, outcome: Any, place: Place, queue: _Queue) -> Any:
        queue.turns.release()
        self._leave(place, queue)
        return outcome

    def _leave(self, place: Place, queue: _Queue) -> None:
        self._calls -= 1
        queue.calls -= 1
        if not queue.calls:
            del self._queues[place]
