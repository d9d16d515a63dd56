"""Deletion of a release by a form, as pypiserver has it."""

from __future__ import annotations

from urllib.parse import parse_qs

from twisted.logger import Logger

from pypid.domain.actor import Actor
from pypid.domain.errors import StorageFull, UploadRefused
from pypid.domain.form_actions import FormAction, action_of
from pypid.domain.names import IndexName
from pypid.domain.removals import read_removal
from pypid.domain.rights import Right
from pypid.domain.uploads import Form
from pypid.indexes.curating import Curator
from pypid.web.access import Access
from pypid.web.request import Request
from pypid.web.short_body import read_short

MAX_BODY = 64 * 1024
"""Bytes of a form in one piece: three fields."""

MAX_FIELDS = 100
"""Fields of it."""


class Removals:
    """Has releases deleted."""

    _log = Logger()

    def __init__(self, curator: Curator, access: Access) -> None:
        self._curator = curator
        self._access = access

    async def receive(self, request: Request, index: IndexName, actor: Actor) -> str:
        """
        Delete the release that an urlencoded form names, and return what is to be said of that.

        Raises `UploadRefused` for all that is no removal, and as `remove` does.
        """
        content = await read_short(request.body, limit=MAX_BODY)
        form = _form(content)
        if action_of(form) is not FormAction.REMOVE_PKG:
            raise UploadRefused(
                ["A form in one piece can only ask for :action=remove_pkg; files need multipart/form-data."]
            )
        return await self.remove(request, form, index, actor)

    async def remove(self, request: Request, form: Form, index: IndexName, actor: Actor) -> str:
        """
        Delete the release that ``form`` names, and return what is to be said of that.

        Raises `UploadRefused`, `PermissionRefused`, `ProjectNotFound`, `FileNotFound`, `StorageFull`.
        """
        subject = read_removal(form)
        self._access.check(request, index, Right.DELETE, subject.project)
        try:
            files = await self._curator.delete(index, subject, actor)
        except OSError as e:
            self._log.error("a deletion could not be recorded: {why}", why=e)
            raise StorageFull(f"the deletion cannot be recorded: {e.strerror or e}") from e
        return "".join(f"{filename} is deleted\n" for filename in files)


def is_urlencoded(request: Request) -> bool:
    """Return whether the body is a form in one piece, as `curl -d` sends."""
    media_type = (request.header("Content-Type") or "").partition(";")[0]
    return media_type.strip().lower() == "application/x-www-form-urlencoded"


def _form(content: bytes) -> Form:
    try:
        fields = parse_qs(content.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError as e:
        raise UploadRefused([f"The body is no form: {e}."]) from e
    return {name: tuple(values) for name, values in fields.items()}
