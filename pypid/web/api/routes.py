"""Every URL of the management API, on one screen; they begin with /-/api."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import msgspec
from klein import Klein
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

import pypid
from pypid.domain.actor import Actor
from pypid.domain.error_form import ErrorForm
from pypid.domain.errors import PackageIndexError, StorageFull
from pypid.domain.files import ProjectStatus, Status
from pypid.domain.names import IndexName, NormalizedName, normalize_name
from pypid.domain.reports import (
    ChangeReport,
    GoingReport,
    IndexReport,
    Report,
    RetentionReport,
    RootReport,
    downloads_of,
)
from pypid.domain.rights import Right
from pypid.indexes.download_counts import DownloadCounts
from pypid.indexes.reporting import Reporter
from pypid.indexes.retention import Going, Retainer
from pypid.indexes.tokens import Tokens
from pypid.web import converters
from pypid.web.access import Access
from pypid.web.api.calls import (
    Because,
    Nothing,
    Paging,
    Period,
    ProjectDeletion,
    StatusCall,
    check_media_type,
    read_call,
    subject_of,
)
from pypid.web.api.curators import Curators, check_uploads, takes_uploads
from pypid.web.api.token_calls import TokenCall, TokenListing
from pypid.web.api.tokens import TokenDesk
from pypid.web.errors import fail, refuse
from pypid.web.flow import paced
from pypid.web.origin import check_origin
from pypid.web.request import Request

PROJECT = "/v1/indexes/<index:index>/projects/<project:project>"
RELEASE = f"{PROJECT}/releases/<version>"
FILE = f"{PROJECT}/files/<filename:filename>"
# Not below an index: "main/projects" could be one, and "retention" a project.
RETENTION = "/v1/retention/<index:index>"


class ApiRoutes:
    """The URL map. A handler reads who asks and for what, has it done, and tells what came of it."""

    _log = Logger()

    app = Klein()
    converters.register(app.url_map)

    def __init__(
        self,
        curators: Curators,
        reporter: Reporter,
        counts: DownloadCounts,
        retainer: Retainer,
        clock: IReactorTime,
        *,
        access: Access,
        tokens: Tokens,
    ) -> None:
        self._access = access
        self._curators = curators
        self._reporter = reporter
        self._counts = counts
        self._retainer = retainer
        self._desk = TokenDesk(tokens, access)
        self._clock = clock
        self._openapi = files("pypid.web.api").joinpath("openapi.json").read_bytes()

    @app.route("/v1/", methods=["GET"], strict_slashes=False)
    async def root(self, request: Request) -> bytes:
        snapshot = request.snapshot
        visible = await self._access.visible(request)
        indexes = tuple(IndexReport(name=name, takes_uploads=name in snapshot.hosted) for name in sorted(visible))
        report = RootReport(
            pypid=pypid.__version__,
            openapi="/-/api/v1/openapi.json",
            default_index=snapshot.default_index if snapshot.default_index in visible else None,
            indexes=indexes,
        )
        return await self._tell(request, report)

    @app.route("/v1/openapi.json", methods=["GET"])
    async def openapi(self, request: Request) -> bytes:
        return await self._send(request, self._openapi)

    @app.route("/v1/audit", methods=["GET"])
    async def audit(self, request: Request) -> bytes:
        await self._access.administer_all(request)
        page = await read_call(request, Paging)
        if page.newest is not None:
            return await self._tell(request, await self._reporter.newest_events(page.newest))
        return await self._tell(request, await self._reporter.events_after(page.after, page.limit))

    @app.route(PROJECT, methods=["GET"])
    async def project(self, request: Request, index: IndexName, project: str) -> bytes:
        name = normalize_name(project)
        await self._signed_in(request, index, Right.READ, name)
        await read_call(request, Nothing)
        if takes_uploads(request.snapshot, index):
            return await self._tell(request, await self._reporter.hosted_project(index, name))
        return await self._tell(request, await self._reporter.overlaid_project(index, name))

    @app.route(f"{PROJECT}/downloads", methods=["GET"])
    async def downloads(self, request: Request, index: IndexName, project: str) -> bytes:
        name = normalize_name(project)
        await self._signed_in(request, index, Right.READ, name)
        period = await read_call(request, Period)
        asked = request.snapshot.index(index).name
        counted = await self._counts.of_project(asked, name, first_day=period.first, last_day=period.last)
        return await self._tell(request, downloads_of(asked, name, counted))

    @app.route(f"{PROJECT}/yank", methods=["PUT"])
    @app.route(f"{RELEASE}/yank", methods=["PUT"])
    @app.route(f"{FILE}/yank", methods=["PUT"])
    async def yank(self, request: Request, index: IndexName, project: str, **part: str) -> bytes:
        actor = await self._change(request, index, _mark_right(request, index), project)
        call = await read_call(request, Because)
        subject = subject_of(project, **part)
        return await self._tell(
            request, await self._curators.yank(request.snapshot, index, subject, call.reason, actor)
        )

    @app.route(f"{PROJECT}/yank", methods=["DELETE"])
    @app.route(f"{RELEASE}/yank", methods=["DELETE"])
    @app.route(f"{FILE}/yank", methods=["DELETE"])
    async def unyank(self, request: Request, index: IndexName, project: str, **part: str) -> bytes:
        actor = await self._change(request, index, _mark_right(request, index), project)
        await read_call(request, Nothing)
        subject = subject_of(project, **part)
        return await self._tell(request, await self._curators.unyank(request.snapshot, index, subject, actor))

    @app.route(f"{PROJECT}/block", methods=["PUT"])
    @app.route(f"{RELEASE}/block", methods=["PUT"])
    @app.route(f"{FILE}/block", methods=["PUT"])
    async def block(self, request: Request, index: IndexName, project: str, **part: str) -> bytes:
        actor = await self._change(request, index, Right.ADMIN, project)
        call = await read_call(request, Because)
        subject = subject_of(project, **part)
        return await self._tell(
            request, await self._curators.block(request.snapshot, index, subject, call.reason, actor)
        )

    @app.route(f"{PROJECT}/block", methods=["DELETE"])
    @app.route(f"{RELEASE}/block", methods=["DELETE"])
    @app.route(f"{FILE}/block", methods=["DELETE"])
    async def unblock(self, request: Request, index: IndexName, project: str, **part: str) -> bytes:
        actor = await self._change(request, index, Right.ADMIN, project)
        await read_call(request, Nothing)
        subject = subject_of(project, **part)
        return await self._tell(request, await self._curators.unblock(request.snapshot, index, subject, actor))

    @app.route(f"{PROJECT}/status", methods=["PUT"])
    async def set_status(self, request: Request, index: IndexName, project: str) -> bytes:
        actor = await self._change(request, index, Right.ADMIN, project)
        call = await read_call(request, StatusCall)
        status = ProjectStatus(Status(call.status), call.reason or None)
        return await self._set_status(request, index, project, status, actor)

    @app.route(f"{PROJECT}/status", methods=["DELETE"])
    async def unset_status(self, request: Request, index: IndexName, project: str) -> bytes:
        actor = await self._change(request, index, Right.ADMIN, project)
        await read_call(request, Nothing)
        return await self._set_status(request, index, project, None, actor)

    @app.route(PROJECT, methods=["DELETE"])
    async def delete_project(self, request: Request, index: IndexName, project: str) -> bytes:
        actor = await self._change(request, index, Right.DELETE, project)
        call = await read_call(request, ProjectDeletion)
        snapshot, subject = request.snapshot, subject_of(project)
        if call.release_name:
            self._access.check(request, index, Right.ADMIN, subject.project)
        report = await self._curators.delete(snapshot, index, subject, call.reason, actor)
        if call.release_name:
            await self._curators.release_name(snapshot, index, subject.project, actor)
            report = ChangeReport(changed=True, files=report.files)
        return await self._tell(request, report)

    @app.route(RELEASE, methods=["DELETE"])
    @app.route(FILE, methods=["DELETE"])
    async def delete(self, request: Request, index: IndexName, project: str, **part: str) -> bytes:
        actor = await self._change(request, index, Right.DELETE, project)
        call = await read_call(request, Because)
        subject = subject_of(project, **part)
        return await self._tell(
            request, await self._curators.delete(request.snapshot, index, subject, call.reason, actor)
        )

    @app.route(RETENTION, methods=["GET"])
    async def retention(self, request: Request, index: IndexName) -> bytes:
        await self._signed_in(request, index, Right.ADMIN, None)
        await read_call(request, Nothing)
        check_uploads(request.snapshot, index)
        return await self._tell(request, _going(index, await self._retainer.plan(index)))

    @app.route(RETENTION, methods=["POST"])
    async def retain(self, request: Request, index: IndexName) -> bytes:
        await self._change(request, index, Right.ADMIN)
        # A form could ask for this, but for the type.
        check_media_type(request)
        await read_call(request, Nothing)
        check_uploads(request.snapshot, index)
        gone = await self._retainer.run(index)
        return await self._tell(request, _going(index, gone.get(index, [])))

    @app.route("/v1/tokens", methods=["GET"])
    async def tokens(self, request: Request) -> bytes:
        identity = await self._desk.admit(request)
        call = await read_call(request, TokenListing)
        return await self._tell(request, await self._desk.listed(request, identity, everybody=call.all))

    @app.route("/v1/tokens", methods=["POST"])
    async def create_token(self, request: Request) -> bytes:
        check_origin(request)
        identity = await self._desk.admit(request)
        call = await read_call(request, TokenCall)
        return await self._tell(request, await self._desk.create(request, identity, call))

    @app.route("/v1/tokens/<token_id>", methods=["DELETE"])
    async def revoke_token(self, request: Request, token_id: str) -> bytes:
        check_origin(request)
        identity = await self._desk.admit(request)
        await read_call(request, Nothing)
        await self._desk.revoke(request, identity, token_id)
        return await self._tell(request, Report())

    async def _change(self, request: Request, index: IndexName, right: Right, project: str | None = None) -> Actor:
        """Return who asks for a change. Raises `PermissionRefused`, and what `Access.act` does."""
        check_origin(request)
        return await self._signed_in(request, index, right, None if project is None else normalize_name(project))

    async def _signed_in(
        self, request: Request, index: IndexName, right: Right, project: NormalizedName | None
    ) -> Actor:
        """Return who asks, who has to say who he is also for what everybody may. Raises what `Access.act` does."""
        await self._access.identify(request)
        actor = await self._access.act(request, index, right, project=project)
        if project is None:
            self._access.check_whole(request, index, right)
        return actor

    async def _set_status(
        self, request: Request, index: IndexName, project: str, status: ProjectStatus | None, actor: Actor
    ) -> bytes:
        name = normalize_name(project)
        return await self._tell(request, await self._curators.set_status(request.snapshot, index, name, status, actor))

    async def _tell(self, request: Request, report: Report) -> bytes:
        return await self._send(request, msgspec.json.encode(report) + b"\n")

    async def _send(self, request: Request, content: bytes) -> bytes:
        request.setHeader(b"Content-Type", b"application/json")
        request.setHeader(b"X-Content-Type-Options", b"nosniff")
        request.setHeader(b"Cache-Control", b"no-store")
        request.setHeader(b"Content-Length", str(len(content)).encode())
        return await paced(request, content, stall=request.snapshot.stall_timeout, clock=self._clock)

    # Klein's annotations know IRequest only.
    @app.handle_errors(PackageIndexError)  # type: ignore[arg-type]
    def _refuse(self, request: Request, failure: Failure) -> bytes:
        request.default_error_form = ErrorForm.PROBLEM
        return refuse(request, failure)

    @app.handle_errors(OSError)  # type: ignore[arg-type]
    def _cannot_record(self, request: Request, failure: Failure) -> bytes:
        request.default_error_form = ErrorForm.PROBLEM
        error = failure.value
        assert isinstance(error, OSError)
        self._log.error(
            "{method} {uri} could not be recorded: {why}", method=request.method, uri=request.uri, why=error
        )
        full = StorageFull(f"the change cannot be recorded: {error.strerror or error}")
        return refuse(request, Failure(full))

    @app.handle_errors(Exception)  # type: ignore[arg-type]
    def _fail(self, request: Request, failure: Failure) -> Any:
        request.default_error_form = ErrorForm.PROBLEM
        return fail(request, failure)


def _mark_right(request: Request, index: IndexName) -> Right:
    """Return what yanking needs: who uploads may; what is elsewhere is the administrators'."""
    return Right.UPLOAD if index in request.snapshot.hosted else Right.ADMIN


def _going(index: IndexName, releases: list[Going]) -> RetentionReport:
    return RetentionReport(
        index=index,
        releases=tuple(
            GoingReport(project=going.project, version=str(going.version), files=going.files, reason=going.reason)
            for going in releases
        ),
    )
