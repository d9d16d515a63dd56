"""Trusted publishing over HTTP, as PyPI has it: every URL on one screen; they begin with /_/oidc."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from klein import Klein
from twisted.python.failure import Failure

from pypid.domain.errors import PackageIndexError, TooManySignIns, UpstreamUnavailable
from pypid.domain.identity_tokens import MAX_TOKEN, TokenRefused
from pypid.indexes.trusted_publishing import TrustedPublishing
from pypid.web.errors import STATUS, fail
from pypid.web.request import Request
from pypid.web.short_body import read_short

MAX_BODY = MAX_TOKEN + 1024
"""Bytes of what is sent: a token in a little JSON."""


class _Asked(msgspec.Struct):
    token: str


class NotEnabled(Exception):
    """No publisher is configured."""


class OidcRoutes:
    """Which identity token to bring, and what is given for it. Asked by uv, pdm and gh-action-pypi-publish."""

    app = Klein()

    def __init__(self, publishing_of: Callable[[Request], TrustedPublishing | None]) -> None:
        """``publishing_of``: that of the snapshot which a request is answered from; None where there is none."""
        self._publishing_of = publishing_of

    @app.route("/audience", methods=["GET"])
    def audience(self, request: Request) -> bytes:
        return _tell(request, 200, {"audience": self._publishing(request).audience})

    # What older versions of gh-action-pypi-publish ask.
    @app.route("/github/mint-token", methods=["POST"])
    @app.route("/mint-token", methods=["POST"])
    async def mint_token(self, request: Request) -> bytes:
        publishing = self._publishing(request)
        minted = await publishing.mint(await _token_in(request))
        said: dict[str, object] = {"success": True, "token": minted.text}
        if minted.token.expires_at is not None:
            said["expires"] = int(minted.token.expires_at)
        return _tell(request, 200, said)

    @app.route("/burn-token", methods=["POST"])
    async def burn_token(self, request: Request) -> bytes:
        publishing = self._publishing(request)
        await publishing.burn(await _token_in(request))
        # The same whether there was such a token or not, as on PyPI.
        return _tell(request, 202, {"success": True})

    def _publishing(self, request: Request) -> TrustedPublishing:
        publishing = self._publishing_of(request)
        if publishing is None:
            raise NotEnabled
        return publishing

    # Klein's annotations know IRequest only.
    @app.handle_errors(TokenRefused)  # type: ignore[arg-type]
    def _refuse_token(self, request: Request, failure: Failure) -> bytes:
        error = failure.value
        assert isinstance(error, TokenRefused)
        return _refuse(request, 422, error.code, str(error))

    @app.handle_errors(NotEnabled)  # type: ignore[arg-type]
    def _refuse_all(self, request: Request, failure: Failure) -> bytes:  # noqa: ARG002 (Klein's signature)
        return _refuse(request, 404, "not-enabled", "this server has no trusted publishers")

    @app.handle_errors(PackageIndexError)  # type: ignore[arg-type]
    def _refuse(self, request: Request, failure: Failure) -> bytes:
        error = failure.value
        assert isinstance(error, PackageIndexError)
        if isinstance(error, UpstreamUnavailable | TooManySignIns):
            request.setHeader(b"Retry-After", str(error.retry_after).encode())
        status = STATUS[type(error)]
        return _refuse(request, status, "unavailable" if status >= 500 else "invalid-payload", str(error))

    @app.handle_errors(Exception)  # type: ignore[arg-type]
    def _fail(self, request: Request, failure: Failure) -> Any:
        return fail(request, failure)


async def _token_in(request: Request) -> str:
    """Return the token that is sent; uv of some versions does not say that the body is JSON."""
    content = await read_short(request.body, limit=MAX_BODY)
    try:
        return msgspec.json.decode(content, type=_Asked).token
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as e:
        raise TokenRefused("invalid-payload", f"the body is not {{'token': '...'}}: {e}") from e


def _refuse(request: Request, status: int, code: str, description: str) -> bytes:
    # gh-action-pypi-publish reads "errors" whatever the status is.
    errors = [{"code": code, "description": description}]
    return _tell(request, status, {"message": "Token request failed", "errors": errors})


def _tell(request: Request, status: int, said: object) -> bytes:
    content = msgspec.json.encode(said) + b"\n"
    request.setResponseCode(status)
    request.setHeader(b"Content-Type", b"application/json")
    request.setHeader(b"X-Content-Type-Options", b"nosniff")
    request.setHeader(b"Cache-Control", b"no-store")
    request.setHeader(b"Content-Length", str(len(content)).encode())
    return content
