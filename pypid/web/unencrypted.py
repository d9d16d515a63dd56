"""Requests that come over the network without TLS."""

from __future__ import annotations

import re
from ipaddress import ip_address

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import IAddress
from twisted.logger import Logger
from twisted.web.resource import IResource, Resource

from pypid.domain.error_form import ErrorForm, error_form
from pypid.web.errors import answer, plain
from pypid.web.request import Request

HTTPS = 443
"""The port that a URL without one means."""

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::\d*)?", re.ASCII)


class EncryptedOnly(Resource):
    """
    ``inner``, for whom nobody can listen to: with TLS, or from this machine.

    Where the snapshot says that there is TLS, everybody else is refused, but
    for people with a browser, who are sent there (ASVS 4.1.2: a program that
    is redirected would go on to send its password in the clear each time).
    Where there is none everybody is answered, and the first password logged.
    """

    isLeaf = True

    _log = Logger()

    def __init__(self, inner: IResource) -> None:
        super().__init__()
        self._inner = inner
        self._has_warned = False

    def render(self, request: Request) -> bytes | int:
        if not request.isSecure() and not is_this_machine(request.getClientAddress()):
            port = request.snapshot.https_port
            if port is not None:
                return _send_away(request, port)
            if not self._has_warned and request.header("Authorization") is not None:
                self._has_warned = True
                self._log.warn(
                    "passwords cross the network as they are, the first one from {peer}: give pypid a certificate, "
                    "or put it behind a proxy with TLS (docs/tls.md). This is not said again",
                    peer=str(request.getClientAddress()),
                )
        rendered: bytes | int = self._inner.render(request)
        return rendered


def is_this_machine(peer: IAddress) -> bool:
    """Return whether what the peer sends stays on the machine."""
    if isinstance(peer, IPv4Address | IPv6Address):
        address = ip_address(peer.host.partition("%")[0])
        return (getattr(address, "ipv4_mapped", None) or address).is_loopback
    return isinstance(peer, UNIXAddress)


def _send_away(request: Request, port: int) -> bytes:
    url = _secure_url(request, port)
    if request.header("Authorization") is not None:
        why = "the password has just crossed the network as it is: change it"
        return answer(request, 403, (f"Only {url or 'https'} takes credentials, and {why}",))
    if url is not None and request.method in {b"GET", b"HEAD"} and _is_person(request):
        body = plain(request, "")
        request.setResponseCode(302)  # not 301, which browsers keep
        request.setHeader(b"Location", url.encode("ascii").removesuffix(b"/") + request.uri)
        return body
    return answer(request, 403, (f"Nothing is served without TLS: use {url or 'https'}",))


def _is_person(request: Request) -> bool:
    return error_form(request.header("Accept")) is ErrorForm.HTML


def _secure_url(request: Request, port: int) -> str | None:
    """Return our top by the name that the client knows us under."""
    host = _HOST.fullmatch(request.site_host or "")
    if host is None:
        return None
    return f"https://{host[1]}/" if port == HTTPS else f"https://{host[1]}:{port}/"
