"""Every URL, on one screen."""

from __future__ import annotations

from typing import Any

from klein import Klein
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure
from twisted.web.resource import IResource

from pypid.domain.error_form import ErrorForm
from pypid.domain.errors import IndexNotFound, PackageIndexError
from pypid.domain.names import IndexName, normalize_name
from pypid.domain.provenance import PROVENANCE_TYPE
from pypid.indexes.download_counts import DownloadCounts
from pypid.web import converters
from pypid.web.access import Access
from pypid.web.conditional import send_unless_held, strong_etag, tell
from pypid.web.errors import fail, plain, refuse
from pypid.web.files import Files
from pypid.web.flow import paced
from pypid.web.health import tell_health
from pypid.web.legacy import LegacyJson
from pypid.web.oidc import OidcRoutes
from pypid.web.request import Request
from pypid.web.short import read_short_url
from pypid.web.simple import SimplePages, wants_simple_api
from pypid.web.upload import Uploads
from pypid.web.xmlrpc import XmlRpc, is_call

SIGNATURE_TYPE = "application/pgp-signature"
"""RFC 3156."""

WELCOME = """\
pypid: a private Python package index and a mirror.

    pip install -i {url}simple/ NAME
    uv pip install --default-index {url}simple/ NAME
"""
HOW_TO_UPLOAD = """\
    twine upload --repository-url {url} dist/*
"""


class Routes:
    """
    The URL map. A handler reads its arguments, asks one question and sends the answer.

    ``index`` is None where the default index is meant.
    """

    app = Klein()
    converters.register(app.url_map)

    def __init__(
        self,
        pages: SimplePages,
        legacy: LegacyJson,
        xml_rpc: XmlRpc,
        uploads: Uploads,
        clock: IReactorTime,
        *,
        access: Access,
        counts: DownloadCounts,
        api: IResource,
    ) -> None:
        """``api``: what answers below ``/-/api/``."""
        self._pages = pages
        self._legacy = legacy
        self._xml_rpc = xml_rpc
        self._uploads = uploads
        self._access = access
        self._counts = counts
        self._api = api
        self._oidc: IResource = OidcRoutes(lambda request: request.snapshot.publishing).app.resource()
        self._files = Files(clock)
        self._clock = clock

    @app.route("/", methods=["GET"])
    def top(self, request: Request) -> bytes:
        return self._welcome(request, None)

    @app.route("/<short:path>/", methods=["GET"], strict_slashes=False)
    async def short_url(self, request: Request, path: str) -> bytes:
        try:
            short = read_short_url(path, await self._access.visible(request))
        except IndexNotFound:
            # What is below an index that is a secret is answered as that is.
            if "/" in path:
                await self._access.read(request, IndexName(path))
            raise
        slashed = request.path.endswith(b"/")
        if short.project is not None:
            return _redirect(request, f"{'../' if slashed else ''}simple/{short.project}/")
        return self._welcome(request, short.index) if slashed else _redirect_to_slash(request)

    @app.route("/-/health", methods=["GET"])
    def health(self, request: Request) -> bytes:
        return tell_health(request)

    @app.route("/-/api/", branch=True, strict_slashes=False)
    def api(self, request: Request) -> IResource:  # noqa: ARG002 (Klein's signature)
        return self._api

    @app.route("/_/oidc/", branch=True)
    def oidc(self, request: Request) -> IResource:  # noqa: ARG002 (Klein's signature)
        return self._oidc

    # "+simple" is how devpi spells it. No redirect: hatch looks there for what is published, and follows none.
    @app.route("/simple/", methods=["GET"], strict_slashes=False)
    @app.route("/+simple/", methods=["GET"], strict_slashes=False)
    @app.route("/<index:index>/simple/", methods=["GET"], strict_slashes=False)
    @app.route("/<index:index>/+simple/", methods=["GET"], strict_slashes=False)
    async def project_list(self, request: Request, index: IndexName | None = None) -> bytes:
        if not request.path.endswith(b"/"):
            return _redirect_to_slash(request)
        return await self._pages.project_list(request, await self._access.read(request, index))

    @app.route("/simple/<project:project>/", methods=["GET"], strict_slashes=False)
    @app.route("/+simple/<project:project>/", methods=["GET"], strict_slashes=False)
    @app.route("/<index:index>/simple/<project:project>/", methods=["GET"], strict_slashes=False)
    @app.route("/<index:index>/+simple/<project:project>/", methods=["GET"], strict_slashes=False)
    async def project_page(self, request: Request, project: str, index: IndexName | None = None) -> bytes:
        normalized = normalize_name(project)
        if not request.path.endswith(b"/"):
            return _redirect(request, f"{normalized}/")
        if project != normalized:
            return _redirect(request, f"../{normalized}/")
        return await self._pages.project(request, await self._access.read(request, index, normalized), normalized)

    # hatch looks below the URL that it uploads to, whichever of them that is.
    @app.route("/legacy/+simple/<project:project>/", methods=["GET"], strict_slashes=False)
    @app.route("/simple/+simple/<project:project>/", methods=["GET"], strict_slashes=False)
    @app.route("/<index:index>/legacy/+simple/<project:project>/", methods=["GET"], strict_slashes=False)
    async def published(self, request: Request, project: str, index: IndexName | None = None) -> bytes:
        return await self._uploads.tell_published(request, index, normalize_name(project))

    @app.route("/pypi/+simple/<project:project>/", methods=["GET"], strict_slashes=False)
    @app.route("/<index:index>/pypi/+simple/<project:project>/", methods=["GET"], strict_slashes=False)
    async def published_below_pypi(self, request: Request, project: str, index: IndexName | None = None) -> bytes:
        whole = IndexName("pypi" if index is None else f"{index}/pypi")
        if whole in await self._access.visible(request):
            return await self.project_page(request, project, whole)
        return await self.published(request, project, index)

    @app.route("/packages/", methods=["GET"], strict_slashes=False)
    @app.route("/<index:index>/packages/", methods=["GET"], strict_slashes=False)
    async def file_list(self, request: Request, index: IndexName | None = None) -> bytes:
        if not request.path.endswith(b"/"):
            return _redirect_to_slash(request)
        return await self._pages.file_list(request, await self._access.read(request, index))

    @app.route("/files/<project:project>/<digest:digest>/<metadata:filename>", methods=["GET"])
    @app.route("/<index:index>/files/<project:project>/<digest:digest>/<metadata:filename>", methods=["GET"])
    @app.route("/packages/files/<project:project>/<digest:digest>/<metadata:filename>", methods=["GET"])
    async def core_metadata(
        self, request: Request, project: str, digest: str, filename: str, index: IndexName | None = None
    ) -> bytes:
        # uv accepts */* for a file, as everybody does, and shows what went wrong if it is told so in this form.
        request.default_error_form = ErrorForm.PROBLEM
        name = normalize_name(project)
        asked = await self._access.read(request, index, name)
        body = await asked.open_core_metadata(name, filename, digest)
        # What was read from parts of a wheel is read again when all of the wheel is here.
        return await self._files.send(request, body, kept=body.verified)

    @app.route("/files/<project:project>/<digest:digest>/<provenance:filename>", methods=["GET"])
    @app.route("/<index:index>/files/<project:project>/<digest:digest>/<provenance:filename>", methods=["GET"])
    @app.route("/packages/files/<project:project>/<digest:digest>/<provenance:filename>", methods=["GET"])
    async def provenance(
        self, request: Request, project: str, digest: str, filename: str, index: IndexName | None = None
    ) -> bytes:
        request.default_error_form = ErrorForm.PROBLEM
        name = normalize_name(project)
        asked = await self._access.read(request, index, name)
        told = await asked.provenance(name, filename, digest)
        tell(request, told.cache_status)
        body = told.value
        sent = send_unless_held(
            request, body, strong_etag(body), content_type=PROVENANCE_TYPE, cache_control="no-cache"
        )
        return await self._paced(request, sent)

    @app.route("/files/<project:project>/<digest:digest>/<signature:filename>", methods=["GET"])
    @app.route("/<index:index>/files/<project:project>/<digest:digest>/<signature:filename>", methods=["GET"])
    @app.route("/packages/files/<project:project>/<digest:digest>/<signature:filename>", methods=["GET"])
    async def signature(
        self, request: Request, project: str, digest: str, filename: str, index: IndexName | None = None
    ) -> bytes:
        request.default_error_form = ErrorForm.PROBLEM
        name = normalize_name(project)
        body = await (await self._access.read(request, index, name)).signature(name, filename, digest)
        sent = send_unless_held(request, body, strong_etag(body), content_type=SIGNATURE_TYPE, cache_control="no-cache")
        return await self._paced(request, sent)

    @app.route("/files/<project:project>/<digest:digest>/<filename:filename>", methods=["GET"])
    @app.route("/<index:index>/files/<project:project>/<digest:digest>/<filename:filename>", methods=["GET"])
    @app.route("/packages/files/<project:project>/<digest:digest>/<filename:filename>", methods=["GET"])
    async def file(
        self, request: Request, project: str, digest: str, filename: str, index: IndexName | None = None
    ) -> bytes:
        request.default_error_form = ErrorForm.PROBLEM
        name = normalize_name(project)
        asked = await self._access.read(request, index, name)
        body = await asked.open_file(name, filename, digest)
        # Counted where the file is: whoever looks after it sees all downloads, by way of whichever index.
        return await self._files.send(
            request, body, digest, downloaded=lambda: self._counts.note(body.index, name, filename)
        )

    @app.route("/pypi/<project:project>/json", methods=["GET"])
    @app.route("/pypi/<project:project>/<version>/json", methods=["GET"])
    async def legacy_json(self, request: Request, project: str, version: str | None = None) -> bytes:
        name = normalize_name(project)
        body = await self._legacy.send(request, await self._access.read(request, None, name), name, version)
        return await self._paced(request, body)

    @app.route("/<project:project>/json", methods=["GET"])
    async def legacy_json_of_pypiserver(self, request: Request, project: str) -> bytes:
        path = f"{project}/json"
        if {project, path} & await self._access.visible(request):
            return await self.short_url(request, path)
        return await self.legacy_json(request, project)

    # A POST is never redirected: twine refuses to follow, others would send the file twice.
    @app.route("/", methods=["POST"])
    @app.route("/legacy/", methods=["POST"], strict_slashes=False)
    @app.route("/simple/", methods=["POST"], strict_slashes=False)
    @app.route("/pypi/", methods=["POST"], strict_slashes=False)
    @app.route("/<index:index>/", methods=["POST"], strict_slashes=False)
    @app.route("/<index:index>/legacy/", methods=["POST"], strict_slashes=False)
    async def upload(self, request: Request, index: IndexName | None = None) -> bytes:
        # "pip search" posts to what it is given, most often /pypi, where PyPI has it.
        if is_call(request):
            return await self._paced(
                request, await self._xml_rpc.answer(request, await self._access.read(request, index))
            )
        return await self._uploads.receive(request, index)

    @app.route("/<index:index>/pypi/", methods=["POST"], strict_slashes=False)
    async def upload_to_pypi(self, request: Request, index: IndexName) -> bytes:
        whole = IndexName(f"{index}/pypi")
        return await self.upload(request, whole if whole in await self._access.visible(request) else index)

    async def _paced(self, request: Request, content: bytes) -> bytes:
        return await paced(request, content, stall=request.snapshot.stall_timeout, clock=self._clock)

    def _welcome(self, request: Request, index: IndexName | None) -> bytes:
        """Answer at the top of an index: an installer with its project list, anybody else with how to use it."""
        if wants_simple_api(request):
            return _redirect(request, "simple/")
        url = request.site_url if index is None else f"{request.site_url}{index}/"
        takes_uploads = request.snapshot.index(index).name in request.snapshot.hosted
        return plain(request, (WELCOME + HOW_TO_UPLOAD if takes_uploads else WELCOME).format(url=url))

    # Klein's annotations know IRequest only.
    @app.handle_errors(PackageIndexError)  # type: ignore[arg-type]
    def _refuse(self, request: Request, failure: Failure) -> bytes:
        return refuse(request, failure)

    @app.handle_errors(Exception)  # type: ignore[arg-type]
    def _fail(self, request: Request, failure: Failure) -> Any:
        return fail(request, failure)


def _redirect_to_slash(request: Request) -> bytes:
    return _redirect(request, request.path.rpartition(b"/")[2].decode("ascii") + "/")


def _redirect(request: Request, location: str) -> bytes:
    """Send the client to ``location``, relative to where it is; 302, since pip keeps 301 and 308 for ever."""
    body = plain(request, "")
    query = request.uri.partition(b"?")[2]
    request.setResponseCode(302)
    request.setHeader(b"Location", location.encode() + (b"?" + query if query else b""))
    return body
