"""The addresses of a name: asked for on threads, a few at a time."""

from __future__ import annotations

import socket
from collections.abc import Callable
from functools import partial
from ipaddress import ip_address

from twisted.internet.defer import Deferred, DeferredSemaphore, maybeDeferred, succeed

from pypid.domain.addresses import Address
from pypid.flight import SingleFlight, shield
from pypid.offload import Offload
from pypid.upstream.network import Unreachable

AT_ONCE = 4
"""Names that are looked up at once: an upstream has one or two, and each may hold a thread for half a minute."""

Ask = Callable[[str], tuple[Address, ...]]
"""Returns the addresses of a name, one at least, the best first. May block, and raises OSError."""


def ask_system(host: str) -> tuple[Address, ...]:
    """Ask the system's resolver, which also understands addresses of many forms, such as ``0x7f.1``."""
    # Bytes: text would go through a codec, which has its own idea of a name.
    found = socket.getaddrinfo(host.encode("ascii"), None, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(ip_address(entry[4][0]) for entry in found))


class Lookups:
    """
    Finds the addresses of names.

    Each name is asked for once at a time, and its thread is waited for, by
    whoever wants that name, even after everybody had given up. So name
    servers that do not answer hold no more than `AT_ONCE` threads, and the
    names that wait for one have somebody who wants them. Nothing is
    remembered: the system, or its name server, does that.
    """

    def __init__(self, offload: Offload, *, ask: Ask = ask_system) -> None:
        """``offload`` calls its functions at once, on as many threads as are under way, `AT_ONCE` at most."""
        self._offload = offload
        self._ask = ask
        self._turns = DeferredSemaphore(AT_ONCE)
        self._waiting: SingleFlight[str, tuple[Address, ...]] = SingleFlight()
        self._calls: dict[str, Deferred[tuple[Address, ...] | OSError]] = {}

    def addresses(self, host: str) -> Deferred[tuple[Address, ...]]:
        """Return the addresses of ``host``: a name, or an address. Raises `Unreachable`."""
        try:
            return succeed((ip_address(host),))
        except ValueError:
            return self._waiting.join(host, partial(self._look_up, host))

    async def _look_up(self, host: str) -> tuple[Address, ...]:
        call = self._calls.get(host)
        if call is None:
            await self._turns.acquire()
            call = self._calls[host] = maybeDeferred(self._offload, _outcome, self._ask, host)
            call.addBoth(self._ended, host)
        outcome = await shield(call)
        if isinstance(outcome, OSError):
            raise Unreachable(f"{host} has no address: {outcome.strerror}", detail="dns") from outcome
        return outcome

    def _ended(self, outcome: tuple[Address, ...] | OSError, host: str) -> tuple[Address, ...] | OSError:
        del self._calls[host]
        self._turns.release()
        return outcome


def _outcome(ask: Ask, host: str) -> tuple[Address, ...] | OSError:
    """Return also what went wrong: a failure that nobody waits for any more would be logged."""
    try:
        return ask(host)
    except OSError as e:
        return e
