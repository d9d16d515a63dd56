"""A whole site over real indexes and real storage, in memory up to the disk; and clients that speak raw HTTP to it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from http.client import HTTPMessage, HTTPResponse
from io import BytesIO
from typing import Any, cast

import bcrypt
from twisted.internet.interfaces import IAddress

from pypid.domain.htpasswd import Htpasswd, parse_htpasswd
from pypid.domain.names import IndexName
from pypid.domain.rights import ANONYMOUS, AUTHENTICATED, Grant, Right, Rights
from pypid.domain.upload_rules import UploadRules
from pypid.indexes.index import Index
from pypid.indexes.layered import LayeredIndex
from pypid.indexes.overlaid import OverlaidIndex
from pypid.indexes.overlaying import OverlayCurator
from pypid.indexes.reporting import Reporter
from pypid.indexes.retention import Retainer
from pypid.indexes.tokens import Tokens
from pypid.offload import inline
from pypid.storage.tokens import TokenStore
from pypid.web.access import Access
from pypid.web.api.curators import Curators
from pypid.web.api.routes import ApiRoutes
from pypid.web.auth import Authenticator
from pypid.web.legacy import LegacyJson
from pypid.web.password_checks import PasswordChecks
from pypid.web.removal import Removals
from pypid.web.routes import Routes
from pypid.web.simple import SimplePages
from pypid.web.site import PypidSite
from pypid.web.snapshot import Current, Snapshot
from pypid.web.upload import Uploads
from pypid.web.xmlrpc import XmlRpc
from tests.indexes.stores import MIRROR, StoresTestCase
from tests.kit.dists import Dist
from tests.kit.memory import RawPeer, _PeerTransport
from tests.web.forms import fields_of, multipart

MAIN, OWN, TWO = IndexName("main"), IndexName("own"), IndexName("root/dev")
"""Layered over the mirror, and the default; hosted; hosted, with a name of two segments."""

HEADER_TIMEOUT, IDLE_TIMEOUT, STALL_TIMEOUT = 10.0, 60.0, 20.0
MAX_UPLOAD = 1024 * 1024

ALICE = {"Authorization": "Basic " + b64encode(b"alice:secret").decode()}
USERS = parse_htpasswd(f"alice:{bcrypt.hashpw(b'secret', bcrypt.gensalt(4)).decode()}\n")


@dataclass(frozen=True)
class Answer:
    """One response, which came whole."""

    status: int
    reason: str
    headers: HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


class _HalfClosed(_PeerTransport):
    """A transport on which the site may end its own sending and go on receiving."""

    half_closed = False
    small = False

    def write(self, data: bytes) -> None:
        super().write(data)
        if self.small and self.producer is not None:
            self.producer.pauseProducing()

    def loseWriteConnection(self) -> None:
        self.half_closed = True


class Peer(RawPeer):
    """A client that is told apart: a connection closed, one closed for writing only, one reset."""

    def __init__(self, server: Any, address: IAddress | None = None) -> None:
        super().__init__(server)
        self._half: _HalfClosed = _HalfClosed()
        if address is not None:
            self._half.peerAddr = address
        self._transport = self._half
        self._taken = 0

    @property
    def half_closed(self) -> bool:
        """The site will say no more, and still reads."""
        return self._half.half_closed and not self.closed

    def read_slowly(self) -> None:
        """From now on have room for one write at a time, and for the next one after each `read_on`."""
        self._half.small = True

    def ask(self, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes = b"") -> None:
        self.send(request_bytes(method, target, headers, body))

    def answer(self, method: str = "GET") -> Answer:
        """Return the next response; fails unless all of it has come."""
        response, rest = parsed(self.received[self._taken :], method)
        self._taken = len(self.received) - rest
        return response

    @property
    def rest(self) -> bytes:
        """What has been received beyond the responses that were taken."""
        return self.received[self._taken :]


def request_bytes(method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes = b"") -> bytes:
    given = {"Host": "pypid.test", **(headers or {})}
    if body and "Content-Length" not in given and "Transfer-Encoding" not in given:
        given["Content-Length"] = str(len(body))
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items())]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


class _OpenFile(BytesIO):
    """Stays readable for whoever counts what is left."""

    def close(self) -> None: ...


class _Socket:
    def __init__(self, data: bytes) -> None:
        self.file = _OpenFile(data)

    def makefile(self, mode: str) -> BytesIO:  # noqa: ARG002
        return self.file


def parsed(data: bytes, method: str) -> tuple[Answer, int]:
    """Return the first response in ``data``, and how many bytes follow it; raises when it is cut off."""
    sock = _Socket(data)
    response = HTTPResponse(cast("Any", sock), method=method)
    response.begin()
    if response.status == 100:  # http.client reads over them, where tests want to see them
        raise AssertionError("100 Continue")
    body = response.read()
    answer = Answer(response.status, response.reason, response.headers, body)
    return answer, len(sock.file.getvalue()) - sock.file.tell()


class WebTestCase(StoresTestCase):
    """The site, with nothing in its indexes; no timer and no connection of either side may be left in the end."""

    users: Htpasswd | None = USERS
    rights = Rights(
        grants={
            Right.READ: [Grant(ANONYMOUS)],
            Right.UPLOAD: [Grant(AUTHENTICATED)],
            Right.DELETE: [Grant(AUTHENTICATED)],
            Right.ADMIN: [Grant(AUTHENTICATED)],
        }
    )
    """Of each index."""
    rendered_pages = 2**20

    def setUp(self) -> None:
        super().setUp()
        self.peers: list[Peer] = []
        self.addCleanup(self.leave)
        self.current = Current()
        self.current.value = self.snapshot()
        self.site = self.new_site()

    def new_site(self) -> PypidSite:
        """Return the site as it is after a start: nothing is rendered yet."""
        return PypidSite(
            Routes(
                SimplePages(
                    memory=self.rendered_pages, render=self.renderer, render_list=self.renderer, clock=self.clock
                ),
                LegacyJson(inline),
                XmlRpc(self.renderer),
                Uploads(self.publisher(), Removals(self.curator(), self.access), self.access),
                self.clock,
                access=self.access,
                counts=self.counts,
                api=self.api().app.resource(),
            ).app.resource(),
            self.current,
            reactor=self.clock,
            header_timeout=HEADER_TIMEOUT,
            idle_timeout=IDLE_TIMEOUT,
        )

    def api(self) -> ApiRoutes:
        return ApiRoutes(
            Curators(self.curator(), OverlayCurator(overlays=self.overlays, now=self.clock.seconds)),
            Reporter(
                hosted=self.hosted_database,
                overlays=self.overlays,
                counts=self.counts,
                audit=self.audit,
                offload=inline,
            ),
            self.counts,
            self.retainer,
            self.clock,
            access=self.access,
            tokens=self.tokens,
        )

    @cached_property
    def tokens(self) -> Tokens:
        return Tokens(TokenStore(self.database("access"), self.clock.seconds), now=self.clock.seconds)

    @cached_property
    def access(self) -> Access:
        return Access(inline, self.tokens)

    def snapshot(self) -> Snapshot:
        mirror = OverlaidIndex(self.mirror(), self.overlays)
        layered = LayeredIndex(MAIN, [self.hosted_index(MAIN), mirror])
        indexes: dict[IndexName, Index] = {
            MAIN: layered,
            OWN: self.hosted_index(OWN),
            TWO: self.hosted_index(TWO),
            MIRROR: mirror,
        }
        return Snapshot(
            indexes=indexes,
            hosted=dict.fromkeys((MAIN, OWN, TWO), UploadRules()),
            default_index=MAIN,
            rights=dict.fromkeys(indexes, self.rights),
            authenticator=Authenticator(self.users, PasswordChecks(self.passwords, self.clock)),
            max_upload=MAX_UPLOAD,
            stall_timeout=STALL_TIMEOUT,
        )

    @cached_property
    def retainer(self) -> Retainer:
        return Retainer(self.hosted_database, self.counts, self.curator(), offload=inline, now=self.clock.seconds)

    @cached_property
    def passwords(self) -> Any:
        """Where passwords are checked."""
        return inline

    @cached_property
    def renderer(self) -> Any:
        """Where pages are rendered."""
        return inline

    def connect(self, address: IAddress | None = None) -> Peer:
        """Connect, from ``address`` where that matters."""
        peer = Peer(self.site.buildProtocol(address), address)
        self.peers.append(peer)
        peer.connect()
        return peer

    def leave(self) -> None:
        for peer in self.peers:
            peer.leave()

    def get(self, target: str, headers: Mapping[str, str] | None = None) -> Answer:
        return self.ask("GET", target, headers)

    def ask(self, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Answer:
        """Ask on a new connection, and let upstream answer what it is asked in turn."""
        peer = self.connect()
        peer.ask(method, target, headers, body)
        self.flush()
        answer = peer.answer(method)
        self.assertEqual(peer.rest, b"", "beyond the answer")
        peer.leave()
        return answer

    def upload(self, dist: Dist, target: str = "/", **changed: str | None) -> Answer:
        """Upload as twine does, with some fields ``changed``, None being left out."""
        content_type, body = multipart(fields_of(dist, **changed), dist)
        return self.ask("POST", target, {**ALICE, "Content-Type": content_type}, body)

    def publish(self, dist: Dist, target: str = "/") -> Dist:
        answer = self.upload(dist, target)
        self.assertEqual((answer.status, answer.body), (200, b""))
        return dist
