"""The legacy upload API: one distribution file a request."""

from __future__ import annotations

from twisted.logger import Logger

from pypid.domain.errors import StorageFull, UploadRefused, UploadTooLarge
from pypid.domain.names import IndexName
from pypid.domain.uploads import read_upload
from pypid.indexes.publishing import Publisher
from pypid.web.body import RequestBody
from pypid.web.errors import plain
from pypid.web.forms import boundary_of, receive_form
from pypid.web.request import Request


class Uploads:
    """Receives distribution files, and has them published."""

    _log = Logger()

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher

    async def receive(self, request: Request, index: IndexName | None) -> bytes:
        """
        Answer 200 when the file that ``request`` brings is published in ``index``.

        Who is asking, whether there is such an index and whether the body is
        short enough is decided before a byte of it is read.
        """
        target = request.snapshot.upload_target(index)
        user = await request.snapshot.authenticator.identify(request.requestHeaders)
        body, boundary = self._admit(request)
        try:
            published = await self._publish(request, body, boundary, target, user)
        except OSError as e:
            self._log.error("an upload could not be stored: {why}", why=e)
            raise StorageFull(f"the upload cannot be stored: {e.strerror or e}") from e
        return plain(request, "" if published else "this very file was already there\n")

    def _admit(self, request: Request) -> tuple[RequestBody, str]:
        boundary = boundary_of(request.header("Content-Type"))
        body, limit = request.body, request.snapshot.max_upload
        if body is None:
            raise UploadRefused(["The request has no body."])
        if body.length is not None and body.length > limit:
            raise UploadTooLarge(f"The upload has {body.length} bytes; {limit} are accepted here")
        return body, boundary

    async def _publish(self, request: Request, body: RequestBody, boundary: str, target: IndexName, user: str) -> bool:
        staged = await self._publisher.stage(reserve=body.length or 0)
        try:
            received = await receive_form(body, boundary, staged, limit=request.snapshot.max_upload)
            form = received.form()
            upload = read_upload(form, received.filename)
        except BaseException:
            staged.close()
            raise
        level = request.snapshot.hosted[target]
        return await self._publisher.publish(target, upload, form, staged, user, level=level)
