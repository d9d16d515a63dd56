"""
A server with trusted publishing and nothing else that asks for credentials, until the daemon has it.

    python -m tests.kit.publishing_server pypid.conf PORT

It is made of the daemon's own parts: its configuration, its storage, its uploads.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from klein import Klein
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.logger import globalLogBeginner, textFileLogObserver
from twisted.python.failure import Failure
from twisted.web.http_headers import Headers
from twisted.web.resource import IResource

from pypid.config import load_config
from pypid.daemon.lasting import Lasting
from pypid.daemon.publishing import trusted_publishing
from pypid.daemon.snapshot import build_snapshot
from pypid.domain.bearer import GivenToken, read_credentials
from pypid.domain.errors import AuthenticationRequired, PackageIndexError
from pypid.domain.names import IndexName
from pypid.domain.publishers import may
from pypid.domain.rights import Right
from pypid.indexes.tokens import Tokens
from pypid.indexes.trusted_publishing import TrustedPublishing
from pypid.offload import inline
from pypid.storage.database import Database
from pypid.storage.tokens import TokenStore
from pypid.web.auth import Authenticator
from pypid.web.errors import fail, refuse
from pypid.web.oidc import OidcRoutes
from pypid.web.request import Request
from pypid.web.site import PypidSite
from pypid.web.snapshot import Current
from pypid.web.upload import Uploads

MAIN = IndexName("main")


class TokenHolders:
    """An `Authenticator` that knows nobody but publishers."""

    def __init__(self, tokens: Tokens, publishing: TrustedPublishing) -> None:
        self._tokens = tokens
        self._publishing = publishing

    async def identify(self, headers: Headers) -> str:
        given = read_credentials(headers.getRawHeaders(b"Authorization") or [])
        token = self._tokens.find(given.text) if isinstance(given, GivenToken) else None
        if token is None or not may(token, self._publishing.publishers, MAIN, Right.UPLOAD, None):
            raise AuthenticationRequired("no token, or a wrong one")
        return token.user


class Server:
    app = Klein()

    def __init__(self, uploads: Uploads, oidc: IResource) -> None:
        self._uploads = uploads
        self._oidc = oidc

    @app.route("/_/oidc/", branch=True)
    def oidc(self, request: Request) -> IResource:  # noqa: ARG002 (Klein's signature)
        return self._oidc

    @app.route("/main/legacy/", methods=["POST"])
    async def upload(self, request: Request) -> bytes:
        return await self._uploads.receive(request, MAIN)

    @app.handle_errors(PackageIndexError)  # type: ignore[arg-type]
    def refuse(self, request: Request, failure: Failure) -> bytes:
        return refuse(request, failure)

    @app.handle_errors(Exception)  # type: ignore[arg-type]
    def fail(self, request: Request, failure: Failure) -> Any:
        return fail(request, failure)


def main(path: Path, port: int) -> None:
    globalLogBeginner.beginLoggingTo([textFileLogObserver(sys.stderr)], redirectStandardIO=False)
    config = load_config(path, os.environ)
    running: Any = reactor
    lasting = Lasting(running, config)
    lasting.open()
    database = Database(config.server.data / "access.db", "access", durability="FULL", write=inline, read=inline)
    database.open()
    store = TokenStore(database, time.time)
    tokens = Tokens(store, now=time.time)
    publishing = trusted_publishing(config, lasting, tokens)
    assert publishing is not None
    holders = cast(Authenticator, TokenHolders(tokens, publishing))
    current = Current()
    current.value = replace(build_snapshot(config, lasting, None), authenticator=holders)
    server = Server(Uploads(lasting.publisher), OidcRoutes(lambda _: publishing).app.resource())
    site = PypidSite(server.app.resource(), current, reactor=running, header_timeout=10, idle_timeout=60)
    loaded = Deferred.fromCoroutine(store.load())
    loaded.addCallback(lambda _: running.listenTCP(port, site, interface="127.0.0.1"))
    running.run()
    lasting.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
