"""A request's body that is short enough to be held in memory."""

from __future__ import annotations

from pypid.domain.errors import UploadTooLarge
from pypid.web.body import RequestBody


async def read_short(body: RequestBody | None, *, limit: int) -> bytes:
    """
    Return all of ``body``, which may have ``limit`` bytes; ``b""`` where there is none.

    Raises `UploadTooLarge`, of a length that the client declares before
    anything is read, and what `RequestBody.read` does.
    """
    content = b""
    if body is None:
        return content
    _check(body.length or 0, limit)
    while part := await body.read():
        content += part
        _check(len(content), limit)
    return content


def _check(length: int, limit: int) -> None:
    if length > limit:
        raise UploadTooLarge(f"The body is longer than the {limit} bytes that are accepted here")
