"""What proxies say of whom they ask for: RFC 7239, and the ``X-Forwarded`` headers from before it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from pypid.domain.authority import is_authority
from pypid.domain.trusted_proxies import UNIX, TrustedProxies

_NAME = r"[!#-'*+.^-z|~0-9A-Z-]+"
# One pair, or none, and what ends it. Many proxies send addresses without the quotes that they need.
_PIECE = re.compile(
    rf"[ \t]*(?:({_NAME})=(?:\"((?:[^\"\\]|\\.)*)\"|([!#-'*+.^-z|~0-9A-Z:\[\]-]+)))?[ \t]*([;,]|$)", re.DOTALL
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_OBFUSCATED = re.compile(r"_[A-Za-z0-9._-]+", re.ASCII)
_WITH_PORT = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+|_[A-Za-z0-9._-]+|unknown))(?::[0-9A-Za-z._-]+)?", re.ASCII)
_PREFIX = re.compile(r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)+", re.ASCII)


class ForwardedUnclear(ValueError):
    """A proxy of ours says something that cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """What one proxy says of the request that it got; None where it says nothing."""

    client: str | None = None
    """Who asked the proxy: a node of RFC 7239, section 6, as it was written."""
    scheme: str | None = None
    host: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSide:
    """Who the client is, and how it sees this site; None: as the connection and the Host header say."""

    address: str | None = None
    """An IP address, ``unix``, ``unknown``, or the name that a proxy hides one behind, which begins with ``_``."""
    scheme: str | None = None
    """``http`` or ``https``."""
    host: str | None = None
    """With its port, unless that is the scheme's own."""
    prefix: str = ""
    """What is in front of our paths: no slash at its end, and one at its beginning unless it is empty."""


AS_CONNECTED = ClientSide()
"""Nobody is in between, as far as we are concerned."""


def read_forwarded(text: str) -> list[Hop]:
    """
    Return what ``Forwarded`` says (RFC 7239, section 4), that of the proxy nearest to the client first.

    Raises `ForwardedUnclear`, whichever proxy's the broken part is: quotes that
    a client leaves open would swallow what comes after them.
    """
    hops: list[Hop] = []
    pairs: dict[str, str] = {}
    position, end = 0, ","
    while end:
        piece = _PIECE.match(text, position)
        if piece is None:
            raise ForwardedUnclear(f"{text[position:]!r} is no part of a list")
        name, quoted, bare, end = piece.groups()
        if name is not None:
            if name.lower() in pairs:
                raise ForwardedUnclear(f"{name} is said twice")
            pairs[name.lower()] = bare if quoted is None else _ESCAPED.sub(r"\1", quoted)
        if end != ";" and pairs:
            hops.append(Hop(client=pairs.get("for"), scheme=pairs.get("proto"), host=pairs.get("host")))
            pairs = {}
        position = piece.end()
    return hops


def read_x_forwarded(addresses: str, schemes: str, hosts: str) -> list[Hop]:
    """
    Return what ``X-Forwarded-For``, ``-Proto`` and ``-Host`` say, in the order of `read_forwarded`.

    Each proxy adds to the right of the first. Of the others there may be one
    value for all: then it is the outermost proxy's.
    """
    clients, known_schemes, known_hosts = _list(addresses), _list(schemes), _list(hosts)
    hops = [
        Hop(
            client=_from_right(clients, place), scheme=_nearest(known_schemes, place), host=_nearest(known_hosts, place)
        )
        for place in range(max(len(clients), 1))
    ]
    return hops[::-1]


def client_side(hops: Sequence[Hop], trusted: TrustedProxies, *, prefix: str = "") -> ClientSide:
    """
    Return what the outermost of our proxies says: each is believed, as long as it was asked by the next of them.

    What is further to the left anybody may have written. Raises
    `ForwardedUnclear` for what cannot be read of what is believed.
    """
    address, outermost = None, Hop()
    for hop in reversed(hops):
        outermost = hop
        address = None if hop.client is None else read_node(hop.client)
        if address is None or not trusted.has(address):
            break
    return ClientSide(
        address=address,
        scheme=None if outermost.scheme is None else _scheme(outermost.scheme),
        host=None if outermost.host is None else _host(outermost.host),
        prefix=_prefix(prefix),
    )


def read_node(text: str) -> str:
    """
    Return the node (RFC 7239, section 6) without its port, an address in its usual spelling.

    >>> read_node("[2001:DB8::0:1]:47011")
    '2001:db8::1'

    Raises `ForwardedUnclear`.
    """
    if text == f"{UNIX}:":  # what nginx calls the other end of a socket of the machine
        return UNIX
    lower = text.lower()
    match = _WITH_PORT.fullmatch(lower)
    bare = lower if match is None else match[1] or match[2]
    if bare == "unknown":
        return bare
    if _OBFUSCATED.fullmatch(bare):
        return text[: len(bare)]
    try:
        address = ip_address(bare)
    except ValueError:
        raise ForwardedUnclear(f"{text!r} is nobody's address") from None
    if "%" in bare:
        raise ForwardedUnclear(f"{text!r} is an address of another machine's network")
    return str(getattr(address, "ipv4_mapped", None) or address)


def _list(text: str) -> list[str]:
    return [item for item in (item.strip(" \t") for item in text.split(",")) if item]


def _from_right(items: Sequence[str], place: int) -> str | None:
    return items[-1 - place] if place < len(items) else None


def _nearest(items: Sequence[str], place: int) -> str | None:
    return _from_right(items, min(place, len(items) - 1)) if items else None


def _scheme(text: str) -> str:
    scheme = text.lower()
    if scheme not in {"http", "https"}:
        raise ForwardedUnclear(f"{text!r} is neither http nor https")
    return scheme


def _host(text: str) -> str:
    if not is_authority(text):
        raise ForwardedUnclear(f"{text!r} is no host")
    return text


def _prefix(text: str) -> str:
    prefix = text.rstrip("/")
    if prefix and (_PREFIX.fullmatch(prefix) is None or {".", ".."} & set(prefix.split("/"))):
        raise ForwardedUnclear(f"{text!r} is no path")
    return prefix
