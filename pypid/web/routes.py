"""Every URL, on one screen."""

from __future__ import annotations

from typing import Any

from klein import Klein
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from pypid.domain.errors import PackageIndexError
from pypid.domain.names import IndexName, normalize_name
from pypid.web import converters
from pypid.web.errors import fail, plain, refuse
from pypid.web.files import Files
from pypid.web.flow import paced
from pypid.web.request import Request
from pypid.web.simple import SimplePages
from pypid.web.upload import Uploads

WELCOME = """\
pypid: a private Python package index and a mirror.

    pip install -i {url}simple/ NAME
    uv pip install --default-index {url}simple/ NAME
    twine upload --repository-url {url} dist/*
"""


class Routes:
    """
    The URL map. A handler reads its arguments, asks one question and sends the answer.

    ``index`` is None where the default index is meant.
    """

    app = Klein()
    converters.register(app.url_map)

    def __init__(self, pages: SimplePages, uploads: Uploads, clock: IReactorTime) -> None:
        self._pages = pages
        self._uploads = uploads
        self._files = Files(clock)
        self._clock = clock

    @app.route("/", methods=["GET"])
    def welcome(self, request: Request) -> bytes:
        # Not prePathURL(), which takes the port that pypid listens on for the one that the client knows.
        scheme, host = "https" if request.isSecure() else "http", request.getHeader("Host") or "HOST"
        return plain(request, WELCOME.format(url=f"{scheme}://{host}/"))

    @app.route("/-/health", methods=["GET"])
    def health(self, request: Request) -> bytes:
        return plain(request, "ok\n")

    @app.route("/simple/", methods=["GET"], strict_slashes=False)
    @app.route("/<index:index>/simple/", methods=["GET"], strict_slashes=False)
    async def project_list(self, request: Request, index: IndexName | None = None) -> bytes:
        if not request.path.endswith(b"/"):
            return _redirect(request, "simple/")
        return await self._paced(request, await self._pages.project_list(request, request.snapshot.index(index)))

    @app.route("/simple/<project:project>/", methods=["GET"], strict_slashes=False)
    @app.route("/<index:index>/simple/<project:project>/", methods=["GET"], strict_slashes=False)
    async def project_page(self, request: Request, project: str, index: IndexName | None = None) -> bytes:
        normalized = normalize_name(project)
        if not request.path.endswith(b"/"):
            return _redirect(request, f"{normalized}/")
        if project != normalized:
            return _redirect(request, f"../{normalized}/")
        return await self._paced(request, await self._pages.project(request, request.snapshot.index(index), normalized))

    @app.route("/files/<project:project>/<digest:digest>/<metadata:filename>", methods=["GET"])
    @app.route("/<index:index>/files/<project:project>/<digest:digest>/<metadata:filename>", methods=["GET"])
    async def core_metadata(
        self, request: Request, project: str, digest: str, filename: str, index: IndexName | None = None
    ) -> bytes:
        asked = request.snapshot.index(index)
        return await self._files.send(
            request, await asked.open_core_metadata(normalize_name(project), filename, digest)
        )

    @app.route("/files/<project:project>/<digest:digest>/<filename:filename>", methods=["GET"])
    @app.route("/<index:index>/files/<project:project>/<digest:digest>/<filename:filename>", methods=["GET"])
    async def file(
        self, request: Request, project: str, digest: str, filename: str, index: IndexName | None = None
    ) -> bytes:
        asked = request.snapshot.index(index)
        body = await asked.open_file(normalize_name(project), filename, digest)
        return await self._files.send(request, body)

    # A POST is never redirected: twine refuses to follow, others would send the file twice.
    @app.route("/", methods=["POST"])
    @app.route("/legacy/", methods=["POST"], strict_slashes=False)
    @app.route("/simple/", methods=["POST"], strict_slashes=False)
    @app.route("/pypi/", methods=["POST"], strict_slashes=False)
    @app.route("/<index:index>/", methods=["POST"], strict_slashes=False)
    @app.route("/<index:index>/legacy/", methods=["POST"], strict_slashes=False)
    async def upload(self, request: Request, index: IndexName | None = None) -> bytes:
        return await self._uploads.receive(request, index)

    async def _paced(self, request: Request, content: bytes) -> bytes:
        return await paced(request, content, stall=request.snapshot.stall_timeout, clock=self._clock)

    # Klein's annotations know IRequest only.
    @app.handle_errors(PackageIndexError)  # type: ignore[arg-type]
    def _refuse(self, request: Request, failure: Failure) -> bytes:
        return refuse(request, failure)

    @app.handle_errors(Exception)  # type: ignore[arg-type]
    def _fail(self, request: Request, failure: Failure) -> Any:
        return fail(request, failure)


def _redirect(request: Request, location: str) -> bytes:
    """Send the client to ``location``, relative to where it is; 302, since pip keeps 301 and 308 for ever."""
    body = plain(request, "")
    query = request.uri.partition(b"?")[2]
    request.setResponseCode(302)
    request.setHeader(b"Location", location.encode() + (b"?" + query if query else b""))
    return body
