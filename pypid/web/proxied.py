"""Requests that proxies of ours pass on: who the client is, and how it sees this site."""

from __future__ import annotations

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import IAddress
from twisted.web.http_headers import Headers
from zope.interface import implementer

from pypid.domain.forwarded import AS_CONNECTED, ClientSide, client_side, read_forwarded, read_x_forwarded
from pypid.domain.trusted_proxies import UNIX, TrustedProxies


@implementer(IAddress)
class HiddenAddress:
    """That of a client of which a proxy does not tell more than a name of its own."""

    def __init__(self, host: str) -> None:
        self.host = host

    def __repr__(self) -> str:
        return f"HiddenAddress({self.host!r})"


def is_trusted(peer: IAddress, trusted: TrustedProxies) -> bool:
    """Return whether ``peer``, who has connected, is one of our proxies."""
    if isinstance(peer, UNIXAddress):
        return trusted.has(UNIX)
    return isinstance(peer, IPv4Address | IPv6Address) and trusted.has(peer.host)


def seen_by_client(headers: Headers, peer: IAddress, trusted: TrustedProxies) -> ClientSide:
    """
    Return what ``headers`` say, if ``peer`` is to be believed, and nothing otherwise.

    ``Forwarded`` counts only where there is none of the others: a proxy that
    sets those may not know it, and pass on what a client has put there.
    Raises `ForwardedUnclear`.
    """
    if not is_trusted(peer, trusted):
        return AS_CONNECTED
    addresses, schemes, hosts = (_joined(headers, f"X-Forwarded-{name}") for name in ("For", "Proto", "Host"))
    if addresses or schemes or hosts:
        hops = read_x_forwarded(addresses, schemes, hosts)
    else:
        hops = read_forwarded(_joined(headers, "Forwarded"))
    return client_side(hops, trusted, prefix=_joined(headers, "X-Forwarded-Prefix"))


def address_of(client: str) -> IAddress:
    """Return the address of a client that is known by what its proxy says, `ClientSide.address`."""
    if client == UNIX:
        return UNIXAddress(None)
    if client == "unknown" or client.startswith("_"):
        return HiddenAddress(client)
    return (IPv6Address if ":" in client else IPv4Address)("TCP", client, 0)


def _joined(headers: Headers, name: str) -> str:
    return b", ".join(headers.getRawHeaders(name.encode("ascii"), [])).decode("latin-1")
