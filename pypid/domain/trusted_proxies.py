"""Which peers are proxies of ours, whose word is taken for whom they ask for."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

UNIX = "unix"
"""Stands for whoever connects to a socket of this machine."""

Network = IPv4Network | IPv6Network


class TrustedProxies:
    """Those that were named."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        """``names``: addresses, networks and `UNIX`. Raises as `parse_network` does."""
        named = frozenset(names)
        self._has_unix = UNIX in named
        self._networks = tuple(parse_network(name) for name in named - {UNIX})

    def has(self, peer: str) -> bool:
        """Return whether ``peer``, an address or `UNIX`, is one of them. What is neither is none."""
        if peer == UNIX:
            return self._has_unix
        try:
            address = ip_address(peer)
        except ValueError:
            return False
        # A socket for both kinds of addresses sees those of IPv4 as a part of IPv6.
        address = getattr(address, "ipv4_mapped", None) or address
        return any(address in network for network in self._networks)


def parse_network(text: str) -> Network:
    """
    Return the network that ``text`` is, or the one address.

    Raises `ValueError`, which says what may have been meant.
    """
    try:
        return ip_network(text)
    except ValueError:
        try:
            near = ip_network(text, strict=False)
        except ValueError:
            raise ValueError(f"{text!r} is no address, no network such as 10.0.0.0/8, and not {UNIX!r}") from None
        raise ValueError(f"{text!r} is an address inside a network (did you mean {near}?)") from None
