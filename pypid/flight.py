"""One call per key, however many want its outcome."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

from twisted.internet.defer import CancelledError, Deferred

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class _Flight(Generic[V]):
    def __init__(self) -> None:
        self.waiters: list[Deferred[V]] = []
        self.call: Deferred[Any] | None = None


class SingleFlight(Generic[K, V]):
    """
    Run at most one call per key; every concurrent caller gets its outcome.

    Cancelling what `join` returned detaches that caller only.  The shared call
    is cancelled when its last caller has gone.
    """

    def __init__(self) -> None:
        self._flights: dict[K, _Flight[V]] = {}

    def __len__(self) -> int:
        return len(self._flights)

    def __contains__(self, key: K) -> bool:
        """Say whether a call for ``key`` is under way."""
        return key in self._flights

    def join(self, key: K, begin: Callable[[], Coroutine[Deferred[Any], Any, V]]) -> Deferred[V]:
        """
        Wait for the call for ``key``, starting it with ``begin()`` if none runs.

        The outcome is not kept: a caller arriving after it starts a new call.
        """
        flight = self._flights.get(key)
        boarding = flight is None
        if flight is None:
            flight = self._flights[key] = _Flight()
        waiter: Deferred[V] = Deferred(lambda gone: self._leave(key, flight, gone))
        flight.waiters.append(waiter)
        if boarding:
            # Registered before it starts: begin() may finish synchronously.
            flight.call = Deferred.fromCoroutine(begin())
            flight.call.addBoth(self._land, key, flight)
        return waiter

    def _leave(self, key: K, flight: _Flight[V], waiter: Deferred[V]) -> None:
        if waiter not in flight.waiters:
            return  # the flight is landing: a waiter before this one cancelled it
        flight.waiters.remove(waiter)
        if not flight.waiters and flight.call is not None:
            # Forgotten first: whoever asks from now on must not board a call that is being cancelled.
            self._forget(key, flight)
            flight.call.cancel()

    def _land(self, outcome: Any, key: K, flight: _Flight[V]) -> None:
        self._forget(key, flight)
        waiters, flight.waiters = flight.waiters, []
        for waiter in waiters:
            if not waiter.called:
                waiter.callback(outcome)

    def _forget(self, key: K, flight: _Flight[V]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]


async def acquired(call: Deferred[V], release: Callable[[V], object]) -> V:
    """
    Return what ``call`` brings: something that must be given back.

    If the waiting is cancelled, ``release`` gets it when it comes.
    """
    try:
        return await shield(call)
    except CancelledError:
        call.addCallbacks(release, lambda _: None)
        raise


def shield(call: Deferred[V]) -> Deferred[V]:
    """
    Wait for ``call`` without being able to cancel it.

    Cancelling what is returned lets the waiter go; the call runs to its end,
    and a failure that nobody waits for any more is logged by Twisted as unhandled.
    """
    waiter: Deferred[V] = Deferred()
    call.addBoth(lambda outcome: outcome if waiter.called else waiter.callback(outcome))
    return waiter
