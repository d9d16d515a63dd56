"""The one place where what went wrong becomes an HTTP status."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from http import HTTPStatus

import msgspec
from twisted.internet.defer import CancelledError
from twisted.internet.defer import TimeoutError as StalledError
from twisted.internet.interfaces import ITCPTransport
from twisted.logger import Logger
from twisted.python.failure import Failure
from werkzeug.exceptions import HTTPException

from pypid.domain import errors
from pypid.domain.error_form import ErrorForm, error_form
from pypid.web.conditional import tell
from pypid.web.request import Request

STATUS: Mapping[type[errors.PackageIndexError], int] = {
    errors.IndexNotFound: 404,
    errors.ProjectNotFound: 404,
    errors.FileNotFound: 404,
    errors.FileBlocked: 403,
    # Not 504, which pip does not retry. Never 404, which sends installers to other indexes.
    errors.UpstreamUnavailable: 503,
    errors.UpstreamBroken: 502,
    errors.DigestMismatch: 502,
    errors.UpstreamLacksFile: 502,
    errors.RangesRefused: 502,
    # Not 502, after which the mirror that asked would take this one for down.
    errors.MirrorLoop: 508,
    errors.UploadRefused: 400,
    errors.FileExists: 400,
    errors.FileDeleted: 400,
    errors.ProjectClosed: 403,
    errors.NameStillUsed: 409,
    errors.NotForThisIndex: 409,
    errors.CallMalformed: 400,
    errors.MediaTypeRefused: 415,
    errors.InspectionFailed: 503,
    errors.UploadTooLarge: 413,
    errors.BodyTooSlow: 408,
    errors.NotOffered: 410,
    errors.NotHosted: 403,
    errors.AuthenticationRequired: 401,
    errors.CredentialsUnclear: 400,
    errors.TooManySignIns: 503,
    errors.TooManyGuesses: 429,
    errors.PermissionRefused: 403,
    errors.NotAcceptable: 406,
    errors.TokenNotFound: 404,
    errors.TooManyTokens: 409,
    errors.StorageFull: 507,
    errors.StorageBusy: 503,
    errors.StoredFileMissing: 500,
}

MAX_REASON = 400
"""Characters of a reason phrase: pip and twine show nothing else, some clients limit a line to 8 KiB."""

_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title></head>
<body>
<h1>{title}</h1>
{said}
</body>
</html>
"""

_log = Logger()


def refuse(request: Request, failure: Failure) -> bytes:
    """Answer with a domain error."""
    error = failure.value
    assert isinstance(error, errors.PackageIndexError)
    if _too_late(request):
        _log.warn("{uri} was broken off: {why}", uri=request.uri, why=error)
        return b""
    if error.cache_status is not None:
        tell(request, error.cache_status)
    if isinstance(
        error, errors.UpstreamUnavailable | errors.TooManySignIns | errors.TooManyGuesses | errors.StorageBusy
    ):
        request.setHeader(b"Retry-After", str(error.retry_after).encode())
    if isinstance(error, errors.AuthenticationRequired):
        # distutils' "register" has a password for the realm "pypi" alone, unless it is told another one.
        realm = "pypi" if request.method == b"POST" else "pypid"
        request.setHeader(b"WWW-Authenticate", f'Basic realm="{realm}", charset="UTF-8"'.encode())
    problems = error.problems if isinstance(error, errors.UploadRefused | errors.CallMalformed) else (str(error),)
    return answer(request, STATUS[type(error)], problems)


def fail(request: Request, failure: Failure) -> bytes | Failure:
    """Answer with whatever else was raised: a routing error of Werkzeug's, or a fault of ours."""
    if failure.check(HTTPException):
        return _unrouted(request, failure)
    if failure.check(StalledError):
        _log.info("{peer} stopped reading {uri}", peer=str(request.getClientAddress()), uri=request.uri)
    elif not failure.check(CancelledError):
        _log.failure("{method} {uri} failed", failure, method=request.method, uri=request.uri)
    if _too_late(request):
        return b""
    return answer(request, 500, ("internal server error",))


def answer(request: Request, status: int, lines: tuple[str, ...]) -> bytes:
    """
    Say ``lines`` in the body, and in the reason phrase as far as that can hold them.

    pip and twine show the reason and never the body; uv shows a problem's
    title and detail; a person reads HTML in a browser, and text elsewhere.
    """
    lines = tuple("".join(character if character.isprintable() else " " for character in line) for line in lines)
    request.setResponseCode(status, "; ".join(lines)[:MAX_REASON].encode("latin-1", "replace"))
    form = error_form(request.header("Accept"), request.default_error_form)
    if not request.responseHeaders.hasHeader("Vary"):
        request.setHeader(b"Vary", b"Accept")
    return _send(request, form.value, render_error(form, status, lines))


def where_to_upload(request: Request) -> str:
    """Return what to say to an upload that went elsewhere; it is never redirected there."""
    url = request.upload_url
    return "no index here takes uploads" if url is None else f"distributions are uploaded to {url}"


def plain(request: Request, text: str) -> bytes:
    """Answer with plain text that nobody may keep."""
    return _send(request, "text/plain", text)


def html(request: Request, text: str) -> bytes:
    """Answer with HTML that nobody may keep."""
    return _send(request, "text/html", text)


def render_error(form: ErrorForm, status: int, lines: tuple[str, ...]) -> str:
    """Return the body in ``form``: the only place where what is said becomes markup or JSON."""
    title = HTTPStatus(status).phrase
    if form is ErrorForm.TEXT:
        return "".join(f"{line}\n" for line in lines)
    if form is ErrorForm.HTML:
        said = "\n".join(f"<p>{escape(line)}</p>" for line in lines)
        return _PAGE.format(title=escape(f"{status} {title}"), said=said)
    problem = {"title": title, "status": status, "detail": "\n".join(lines)}
    if form is ErrorForm.JSON:
        # PyPI's own JSON, of which uv shows the code when an upload is refused.
        problem |= {"code": f"{status} {'; '.join(lines)}", "message": problem["detail"]}
    return msgspec.json.encode(problem).decode() + "\n"


def _send(request: Request, content_type: str, text: str) -> bytes:
    body = text.encode("utf-8", "replace")
    charset = "; charset=utf-8" if content_type.startswith("text/") else ""
    request.setHeader(b"Content-Type", f"{content_type}{charset}".encode())
    request.setHeader(b"X-Content-Type-Options", b"nosniff")
    request.setHeader(b"Cache-Control", b"no-store")
    request.setHeader(b"Content-Length", str(len(body)).encode())
    return body


def _unrouted(request: Request, failure: Failure) -> bytes | Failure:
    error = failure.value
    assert isinstance(error, HTTPException)
    for name, value in error.get_headers({}):
        if name == "Allow":
            request.setHeader(b"Allow", value.encode())
    status = error.code or 500
    lines = [{404: "there is nothing here", 405: "not with this method"}.get(status, error.name)]
    if request.method == b"POST" and not request.path.startswith(b"/-/"):
        lines.append(where_to_upload(request))
    return answer(request, status, tuple(lines))


def _too_late(request: Request) -> bool:
    """Break the connection off if an answer has begun: an end that looks whole would be a lie."""
    if not request.startedWriting:
        return False
    ITCPTransport(request.transport).abortConnection()
    return True
