"""A request whose handler runs when its headers are in, and reads the body as it comes."""

from __future__ import annotations

from contextvars import copy_context
from http import HTTPMethod
from io import BytesIO
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from twisted.internet.interfaces import IAddress
from twisted.logger import Logger
from twisted.web import server

from pypid.domain import circle
from pypid.domain.authority import is_authority
from pypid.domain.error_form import ErrorForm
from pypid.domain.errors import AuthenticationRequired
from pypid.domain.forwarded import AS_CONNECTED, ForwardedUnclear
from pypid.domain.rights import NOBODY, Identity
from pypid.domain.target import origin_form
from pypid.web.body import RequestBody
from pypid.web.proxied import address_of, seen_by_client
from pypid.web.snapshot import Snapshot

if TYPE_CHECKING:
    from pypid.web.channel import Channel
    from pypid.web.site import PypidSite


METHODS = frozenset(method.value.encode() for method in HTTPMethod if method is not HTTPMethod.CONNECT)
"""Those that there are, but for that of proxies. Their case counts; Werkzeug would take "get" for GET."""


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


class Request(server.Request):
    """
    One request, with the snapshot that it is answered from.

    ``body`` is None when the client sends none; ``default_error_form`` is
    for an error of which the client does not say how it likes it; ``identity``
    is None until it had to be known; what ``is_private`` no shared cache keeps;
    ``client_side`` is what our proxies say, if any.
    """

    _log = Logger()

    channel: Channel
    site: PypidSite
    snapshot: Snapshot

    def __init__(self, channel: Channel, queued: object = None) -> None:  # noqa: ARG002 (deprecated, and still passed)
        super().__init__(channel, parsePOSTFormSubmission=False)
        self.body: RequestBody | None = None
        self.identity: Identity | None = None
        self.no_identity: AuthenticationRequired | None = None
        self.is_private = False
        self.client_side = AS_CONNECTED
        self.default_error_form = ErrorForm.TEXT

    def header(self, name: str) -> str | None:
        """
        Return a header, of which there may be several lines (RFC 9110, section 5.3).

        Any bytes are text (Twisted's `getHeader` raises where they are not UTF-8).
        """
        values = self.requestHeaders.getRawHeaders(name.encode("ascii"))
        return None if values is None else b", ".join(values).decode("latin-1")

    @property
    def site_url(self) -> str:
        """The URL that the client knows this site by, with its slash."""
        # Not prePathURL(), which takes the port that pypid listens on for the one that the client knows.
        return f"{'https' if self.isSecure() else 'http'}://{self.site_host or 'HOST'}{self.client_side.prefix}/"

    @property
    def secure_url(self) -> str | None:
        """The URL that was asked for, as the client knows it, where that is one of TLS."""
        if not self.isSecure() or not self.site_host:
            return None
        return f"{self.site_url.removesuffix('/')}{self.path.decode('ascii')}"

    @property
    def upload_url(self) -> str | None:
        """
        The URL to upload to, None if there is none.

        It is that of the index that the path begins with, else of the default
        one; if that takes no uploads, of the first that does and is no secret.
        """
        visible = self.snapshot.visible_to(self.identity or NOBODY)
        segments = self.path.decode("ascii").split("/")[1:]
        for named in ("/".join(segments[:2]), segments[0]):
            if named in self.snapshot.hosted and named in visible:
                return f"{self.site_url}{named}/"
        if self.snapshot.default_index in self.snapshot.hosted:
            return self.site_url
        return next((f"{self.site_url}{name}/" for name in self.snapshot.hosted if name in visible), None)

    @property
    def site_host(self) -> str | None:
        """The host, with its port, that the client knows this site by."""
        return self.client_side.host or self.header("Host")

    def isSecure(self) -> bool:
        """Return whether nobody can listen to what goes between the client and us, or the first of our proxies."""
        scheme = self.client_side.scheme
        return bool(super().isSecure()) if scheme is None else scheme == "https"

    def getClientAddress(self) -> IAddress:
        """Return where the client is, which is not always where the connection comes from."""
        told = self.client_side.address
        address: IAddress = super().getClientAddress() if told is None else address_of(told)
        return address

    @property
    def client_address(self) -> str:
        """
        Where the client is, for the audit log and the like.

        An IP address, or ``local`` over a socket of this machine, or the name that a proxy hides it behind.
        """
        return getattr(self.getClientAddress(), "host", "local")

    def gotLength(self, length: int | None) -> None:  # noqa: ARG002
        # What handles a body reads it from `body`: nothing is spooled behind its back.
        self.content = BytesIO()

    def begin(self, command: bytes, uri: bytes, version: bytes, body: RequestBody) -> None:
        """Start the handler while the body is still to come."""
        self.body = body
        super().requestReceived(command, uri, version)

    def handleContentChunk(self, data: bytes) -> None:
        if self.body is not None:
            self.body.received(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        """Be told by the channel that everything has come."""
        if self.body is not None:
            self.body.finished()
        else:
            super().requestReceived(command, path, version)

    def process(self) -> None:
        self.site = self.channel.site
        self.snapshot = self.site.current.value
        status = self._misuse()
        if status is None:
            # In a context of its own: what is asked in turn, for this request, says the same.
            copy_context().run(self._process)
            return
        self.setResponseCode(status)
        self.setHeader(b"Content-Length", b"0")
        self.setHeader(b"Connection", b"close")
        self.channel.persistent = False
        self.finish()

    def _process(self) -> None:
        circle.passed.set(circle.read_marks(self.header(circle.HEADER)))
        super().process()

    @property
    def expectations(self) -> set[str]:
        """What the client expects before it sends the body (RFC 9110, section 10.1.1)."""
        members = (member.strip().lower() for member in (self.header("Expect") or "").split(","))
        return {member for member in members if member}

    def _misuse(self) -> int | None:
        """Return the status for a request that no handler should see: without one good Host, of no known method."""
        if self.method not in METHODS:
            return 501
        hosts = self.requestHeaders.getRawHeaders(b"Host") or []
        if len(hosts) > 1 or (not hosts and self.clientproto == b"HTTP/1.1"):
            return 400  # RFC 9112, section 3.2
        if not self._aim() or not is_authority(self.header("Host") or "-") or not self._see_as_client():
            return 400
        if not _is_utf8(unquote_to_bytes(self.path)):
            return 400  # Klein's answer too, but it logs a traceback of each
        if b"//" in self.path.lstrip(b"/"):
            return 404  # Werkzeug passes over the empty segment; links relative to this URL would be wrong
        return 417 if self.expectations - {"100-continue"} else None

    def _see_as_client(self) -> bool:
        """Take from our proxies who the client is, and how it sees us; return whether they can be understood."""
        try:
            peer = self.channel.transport.getPeer()
            self.client_side = seen_by_client(self.requestHeaders, peer, self.snapshot.trusted_proxies)
        except ForwardedUnclear as e:
            self._log.warn("{peer}, a proxy of ours, says for whom it asks, but {why}", peer=str(peer), why=str(e))
            return False
        return True

    def _aim(self) -> bool:
        """Take path and host from the request's target; return whether it is one."""
        aimed = origin_form(self.uri)
        if aimed is None:
            return self.method == b"OPTIONS" and self.uri == b"*"
        self.uri, host = aimed
        self.path = self.uri.partition(b"?")[0]
        if host is not None:
            # The header does not count beside it (RFC 9112, section 3.2.2).
            self.requestHeaders.setRawHeaders(b"Host", [host])
        return True

    def write(self, data: bytes) -> None:
        if not self.startedWriting and self._is_last():
            self.channel.persistent = False
            self.setHeader(b"Connection", b"close")
        if not self.startedWriting and self.is_private:
            self._keep_private()
        super().write(data)

    def _keep_private(self) -> None:
        """
        Have no cache but the client's own keep the answer: it may be asked for by others (RFC 9111).

        "Vary: Authorization" would say no more, and pip writes what a request has of the headers named there into
        its cache: the password, in plain text.
        """
        said = self.responseHeaders.getRawHeaders(b"Cache-Control", [])
        kept = [word for value in said for word in value.split(b", ") if word != b"public"]
        self.setHeader(b"Cache-Control", b", ".join([*kept, b"private"]))

    def _is_last(self) -> bool:
        """Say whether the connection ends with this answer: pypid stops, or a body will not be read."""
        return self.site.draining or (self.body is not None and not self.body.complete)
