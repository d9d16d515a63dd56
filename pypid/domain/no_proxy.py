"""NO_PROXY: the hosts that are reached without a proxy, as curl and pip read it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

_WITH_PORT = re.compile(r"(.+):([0-9]{1,5})")
_EVERY_HOST = "*"


@dataclass(frozen=True, slots=True)
class _Entry:
    hosts: str | IPv4Network | IPv6Network
    """A domain with all that is below it, a network, or `_EVERY_HOST`."""
    port: int | None
    """None: any."""

    def covers(self, host: str | IPv4Address | IPv6Address, port: int) -> bool:
        if self.port not in {None, port}:
            return False
        if not isinstance(self.hosts, str):
            return not isinstance(host, str) and host in self.hosts
        if self.hosts == _EVERY_HOST:
            return True
        return isinstance(host, str) and f".{host}".endswith(f".{self.hosts}")


@dataclass(frozen=True, slots=True)
class NoProxy:
    """Hosts that need no proxy; none unless `parse_no_proxy` says more."""

    entries: tuple[_Entry, ...] = ()

    def covers(self, host: str, port: int) -> bool:
        """Return whether this host, by name or as an address without brackets, is reached directly at this port."""
        name = host.lower().rstrip(".")
        address = _address(name)
        return any(entry.covers(address or name, port) for entry in self.entries)


def parse_no_proxy(text: str) -> NoProxy:
    """
    Return the hosts that ``text`` lists, between commas or spaces.

    An entry is ``*`` for all, a domain (with or without a dot or ``*.``
    before it: always itself and all that is below it), an address or a
    network such as ``10.0.0.0/8``, each also with ``:PORT``. Whatever else it
    is covers nothing: other programs read this variable, too.
    """
    return NoProxy(tuple(_entry(word) for word in re.split(r"[,\s]+", text) if word.strip(".")))


def _entry(word: str) -> _Entry:
    network = _network(word)
    if network is not None:
        return _Entry(network, None)
    with_port = _WITH_PORT.fullmatch(word)
    host, port = (with_port[1], int(with_port[2])) if with_port else (word, None)
    return _Entry(_network(host) or host.lower().removeprefix("*.").strip("."), port)


def _network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text.removeprefix("[").removesuffix("]"), strict=False)
    except ValueError:
        return None


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
