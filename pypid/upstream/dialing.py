"""The way to a host: its addresses looked up, checked, and connected to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from twisted.internet import defer
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from zope.interface import implementer

from pypid.domain.addresses import Address, is_public
from pypid.domain.errors import UpstreamBroken
from pypid.upstream.fastest import FastestEndpoint, alternating
from pypid.upstream.lookups import Lookups
from pypid.upstream.network import Unreachable

T = TypeVar("T")


class Dialer:
    """
    A `pypid.upstream.agent.Dial`.

    What is connected to is an address that has been checked, not a name that
    could mean another one by then. ``may_be_private`` says of a host whether
    it may be anywhere; others must be on the public internet. Finding the
    address takes at most ``timeout`` seconds, and so does connecting.
    """

    def __init__(
        self, lookups: Lookups, reactor: Any, *, timeout: float, may_be_private: Callable[[str], bool]
    ) -> None:
        self._lookups = lookups
        self._reactor = reactor
        self._timeout = timeout
        self._may_be_private = may_be_private

    def __call__(self, host: str, port: int) -> IStreamClientEndpoint:
        return _Host(self, host, port)

    async def connect(self, host: str, port: int, factory: IProtocolFactory) -> IProtocol:
        """Raises `Unreachable`, or what Twisted raises, or `UpstreamBroken` for an address that nobody should ask."""
        found = await self._in_time(
            self._lookups.addresses(host), Unreachable(f"looking up {host} took too long", detail="dns")
        )
        addresses = self._checked(host, found)
        endpoint = FastestEndpoint([self._endpoint(address, port) for address in alternating(addresses)], self._reactor)
        return await self._in_time(
            endpoint.connect(factory),
            Unreachable(f"{host} does not connect within {self._timeout:g} s", detail="timeout"),
        )

    def _checked(self, host: str, found: tuple[Address, ...]) -> list[Address]:
        if self._may_be_private(host):
            return list(found)
        public = [address for address in found if is_public(address)]
        if not public:
            raise UpstreamBroken(
                f"{host} is {found[0]}, which is no address on the internet: allow_private does not let us ask it",
                detail="private",
            )
        return public

    def _endpoint(self, address: Address, port: int) -> IStreamClientEndpoint:
        kind = TCP4ClientEndpoint if address.version == 4 else TCP6ClientEndpoint
        # The time-out that is for all of them comes first.
        return kind(self._reactor, str(address), port, timeout=self._timeout + 1)

    async def _in_time(self, work: Deferred[T], too_late: Unreachable) -> T:
        try:
            return await work.addTimeout(self._timeout, self._reactor)
        except defer.TimeoutError as e:
            raise too_late from e


@implementer(IStreamClientEndpoint)
class _Host:
    def __init__(self, dialer: Dialer, host: str, port: int) -> None:
        self._dialer = dialer
        self._host = host
        self._port = port

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        return Deferred.fromCoroutine(self._dialer.connect(self._host, self._port, protocolFactory))
