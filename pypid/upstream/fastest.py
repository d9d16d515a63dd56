"""Several addresses of one host, tried until one answers: happy eyeballs (RFC 8305)."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain, zip_longest

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionRefusedError as Refused
from twisted.internet.interfaces import IDelayedCall, IProtocol, IProtocolFactory, IReactorTime, IStreamClientEndpoint
from twisted.python.failure import Failure
from zope.interface import implementer

from pypid.domain.addresses import Address

HEAD_START = 0.25
"""Seconds for which an address is waited for before the next one is tried as well: what RFC 8305 recommends."""


def alternating(addresses: Iterable[Address]) -> list[Address]:
    """Return them in turns by IP version, beginning with the first's, so that none waits for many of the other."""
    by_version: dict[int, list[Address]] = {}
    for address in addresses:
        by_version.setdefault(address.version, []).append(address)
    return [address for address in chain(*zip_longest(*by_version.values())) if address is not None]


@implementer(IStreamClientEndpoint)
class FastestEndpoint:
    """
    Whichever of ``endpoints`` connects first.

    They are tried in their order, the next one as soon as one has failed, or
    has not answered for `HEAD_START`. `connect` fails when all have, with the
    reason of one.
    """

    def __init__(self, endpoints: Iterable[IStreamClientEndpoint], clock: IReactorTime) -> None:
        self._endpoints = list(endpoints)
        self._clock = clock

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        return _Race(self._endpoints, protocolFactory, self._clock).won


class _Race:
    def __init__(self, endpoints: list[IStreamClientEndpoint], factory: IProtocolFactory, clock: IReactorTime) -> None:
        self._waiting = endpoints[::-1]
        self._factory = factory
        self._clock = clock
        self._running: list[Deferred[IProtocol]] = []
        self._failures: list[Failure] = []
        self._timer: IDelayedCall | None = None
        self.won: Deferred[IProtocol] = Deferred(lambda _: self._end())
        self._begin_next()

    def _begin_next(self) -> None:
        self._stop_timer()
        endpoint = self._waiting.pop()
        if self._waiting:
            self._timer = self._clock.callLater(HEAD_START, self._begin_next)
        attempt = endpoint.connect(self._factory)
        self._running.append(attempt)
        attempt.addCallbacks(self._win, self._lose, callbackArgs=(attempt,), errbackArgs=(attempt,))

    def _win(self, protocol: IProtocol, attempt: Deferred[IProtocol]) -> None:
        self._running.remove(attempt)
        self._end()
        self.won.callback(protocol)

    def _lose(self, failure: Failure, attempt: Deferred[IProtocol]) -> None:
        if attempt not in self._running:
            return  # the race is over, and this is how it learns of it
        self._running.remove(attempt)
        self._failures.append(failure)
        if self._waiting:
            self._begin_next()
        elif not self._running:
            # A server that says no says more than a network that does not lead there.
            refused = [failure for failure in self._failures if failure.check(Refused)]
            self.won.errback((refused or self._failures)[0])

    def _end(self) -> None:
        self._stop_timer()
        self._waiting.clear()
        running, self._running = self._running, []
        for attempt in running:
            attempt.cancel()

    def _stop_timer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
