"""The legacy upload API: one distribution file a request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from html import escape

from twisted.logger import Logger

from pypid.domain.actor import Actor
from pypid.domain.errors import (
    IndexNotFound,
    NotHosted,
    NotOffered,
    ProjectNotFound,
    StorageFull,
    UploadRefused,
    UploadTooLarge,
)
from pypid.domain.filenames import UnknownFilename, parse_filename
from pypid.domain.form_actions import FormAction, action_of
from pypid.domain.names import IndexName, NormalizedName
from pypid.domain.rights import Right
from pypid.domain.uploads import Upload, claims_of, read_upload
from pypid.domain.validation.distribution import Question
from pypid.domain.validation.findings import Level
from pypid.failpoints import Failpoint, reached
from pypid.indexes.publishing import Publisher
from pypid.indexes.vouching import Beside
from pypid.web.access import Access
from pypid.web.body import RequestBody
from pypid.web.errors import html, plain, where_to_upload
from pypid.web.forms import ReceivedForm, boundary_of, receive_form
from pypid.web.origin import check_origin
from pypid.web.removal import Removals, is_urlencoded
from pypid.web.request import Request

Look = Callable[[Question], Awaitable[tuple[str, ...]]]
"""Says what is wrong with the file that came."""


class Uploads:
    """Receives distribution files, and has them published."""

    _log = Logger()

    def __init__(self, publisher: Publisher, removals: Removals, access: Access) -> None:
        self._access = access
        self._publisher = publisher
        self._removals = removals

    async def receive(self, request: Request, index: IndexName | None) -> bytes:
        """
        Answer 200 when the file that ``request`` brings is published in ``index``.

        Who is asking, whether there is such an index, whether the body is
        short enough and whether the disk has room for it is decided before a
        byte of it is read.
        """
        check_origin(request)
        if request.snapshot.is_open:
            _target(request, index)  # what helps most is said first, where it is no secret
        actor = await self._access.act(request, index, Right.UPLOAD, Right.DELETE)
        target = _target(request, index)
        if is_urlencoded(request):
            return plain(request, await self._removals.receive(request, target, actor))
        body, boundary = self._admit(request)
        try:
            said = await self._take(request, body, boundary, target, actor)
        except OSError as e:
            self._log.error("an upload could not be stored: {why}", why=e)
            raise StorageFull(f"the upload cannot be stored: {e.strerror or e}") from e
        return plain(request, said)

    async def tell_published(self, request: Request, index: IndexName | None, project: NormalizedName) -> bytes:
        """
        Answer with the names of the project's files that were uploaded to ``index``: hatch leaves them out.

        It reads the texts of the links. What the index's bases have is not
        published there, and they are not asked.
        """
        await self._access.read(request, index, project)
        filenames = await self._publisher.filenames(_target(request, index), project)
        if not filenames:
            raise ProjectNotFound(f"nothing of {project} was uploaded here")
        links = (f'<a href="../../../simple/{project}/">{escape(filename)}</a><br>\n' for filename in filenames)
        return html(request, f"<!DOCTYPE html>\n<title>{project}</title>\n{''.join(links)}")

    def _admit(self, request: Request) -> tuple[RequestBody, str]:
        boundary = boundary_of(request.header("Content-Type"))
        body, limit = request.body, request.snapshot.max_upload
        if body is None:
            raise UploadRefused(["The request has no body."])
        if body.length is not None and body.length > limit:
            raise UploadTooLarge(f"The upload has {body.length} bytes; {limit} are accepted here")
        return body, boundary

    async def _take(self, request: Request, body: RequestBody, boundary: str, target: IndexName, actor: Actor) -> str:
        """Receive what comes and do what it asks for; return what is to be said of that."""
        rules = request.snapshot.hosted[target]
        staged = await self._publisher.stage(reserve=body.length or 0)
        try:
            received = await receive_form(body, boundary, staged, limit=request.snapshot.max_upload)
            upload = await _read(received, rules.level, partial(self._publisher.problems, staged=staged))
        except BaseException:
            staged.close()
            raise
        if upload is None:
            staged.close()
            return await self._without_file(request, received, target, actor)
        try:
            self._access.check(request, target, Right.UPLOAD, upload.project)
        except BaseException:
            staged.close()
            raise
        beside = Beside(attestations=received.attestations, signature=received.signature)
        published = await self._publisher.publish(
            target, upload, received.form(), staged, actor, rules=rules, beside=beside
        )
        reached(Failpoint.ANSWER_DECIDED)
        said = published.warnings if published.new else ("this very file was already there",)
        return "".join(f"{line}\n" for line in said)

    async def _without_file(self, request: Request, received: ReceivedForm, target: IndexName, actor: Actor) -> str:
        """Do what a form asks for that brings no file; return what is to be said of that. Raises `NotOffered`."""
        form = received.form()
        action = action_of(form)
        if action is FormAction.REMOVE_PKG:
            return await self._removals.remove(request, form, target, actor)
        if action is FormAction.DOC_UPLOAD:
            raise NotOffered("Documentation cannot be uploaded here, only wheels and source distributions can")
        return "nothing needs to be registered here: a project is there with its first file\n"


async def _read(received: ReceivedForm, level: Level, look: Look) -> Upload | None:
    """
    Return what the form says of the file; None if it asks for something else than to publish it.

    Raises `UploadRefused` with what is wrong with it and, by ``look``, with the file as well.
    """
    form = received.form()
    if action_of(form) is not FormAction.FILE_UPLOAD:
        return None
    try:
        return read_upload(form, received.filename, received.problems)
    except UploadRefused as e:
        filename = received.filename or ""
        try:
            parse_filename(filename)
        except UnknownFilename:
            raise e from None  # one cannot tell what it should be
        question = Question(filename=filename, level=level, claims=claims_of(form))
        raise UploadRefused([*e.problems, *await look(question)]) from e


def _target(request: Request, index: IndexName | None) -> IndexName:
    """Return the index to upload to. Raises `IndexNotFound` and `NotHosted`, which name the URL to upload to."""
    try:
        return request.snapshot.upload_target(index)
    except (IndexNotFound, NotHosted) as e:
        raise type(e)(f"{e}; {where_to_upload(request)}") from e
