"""An upload's multipart body, taken apart as it arrives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from multipart import MultipartError, MultipartSegment, ParserLimitReached, PushMultipartParser, parse_options_header

from pypid.domain.errors import UploadRefused, UploadTooLarge
from pypid.web.body import RequestBody

MAX_PARTS = 4000
"""Parts of a form. Each Requires-Dist and each classifier is one: the longest on PyPI have some 800."""

MAX_TEXT = 8 * 1024 * 1024
"""Bytes of all text fields together; the description is in there, a megabyte at the most in practice."""

MAX_PART_HEADERS = 8
"""Headers of one part; RFC 7578 knows three."""


class Content(Protocol):
    """Where the file's bytes go."""

    async def write(self, data: bytes) -> None: ...


@dataclass(slots=True)
class ReceivedForm:
    """What came: the text fields, and the name of the file whose bytes were staged."""

    fields: dict[str, list[str]] = field(default_factory=dict)
    filename: str | None = None

    def form(self) -> dict[str, tuple[str, ...]]:
        return {name: tuple(values) for name, values in self.fields.items()}


def boundary_of(content_type: str | None) -> str:
    """Return the boundary that a Content-Type names. Raises `UploadRefused` when it is no form's."""
    media_type, options = parse_options_header(content_type or "")
    boundary: str = options.get("boundary", "")
    if media_type != "multipart/form-data" or not boundary:
        raise UploadRefused(
            ["This is where distributions are uploaded, as multipart/form-data: with twine, uv, poetry or pdm."]
        )
    return boundary


async def receive_form(body: RequestBody, boundary: str, content: Content, *, limit: int) -> ReceivedForm:
    """
    Read ``body`` to its end, writing the part ``content`` to ``content``.

    Memory does not grow with the file. Raises `UploadRefused` for a body that
    is no form, `UploadTooLarge` past ``limit`` bytes, `OSError` when the disk
    takes no more.
    """
    reader = _FormReader(content)
    try:
        parser = PushMultipartParser(boundary, max_header_count=MAX_PART_HEADERS, max_segment_count=MAX_PARTS)
        received = 0
        while data := await body.read():
            received += len(data)
            if received > limit:
                raise UploadTooLarge(f"The upload is longer than the {limit} bytes that are accepted here")
            for event in parser.parse(data):
                await reader.take(event)
        parser.close()
    except ParserLimitReached as e:
        raise UploadRefused([f"The form has too many parts, or headers that are too long: {e}."]) from e
    except MultipartError as e:
        raise UploadRefused([f"The body is no multipart form: {e}."]) from e
    return reader.received


class _FormReader:
    """Takes the parser's events: a part's head, its bytes in pieces, None at its end."""

    def __init__(self, content: Content) -> None:
        self.received = ReceivedForm()
        self._content = content
        self._part: MultipartSegment | None = None
        self._text: list[bytes] = []
        self._text_left = MAX_TEXT

    async def take(self, event: MultipartSegment | bytes | bytearray | None) -> None:
        if event is None:
            self._end()
        elif not isinstance(event, (bytes, bytearray)):
            self._begin(event)
        elif self._is_content():
            await self._content.write(bytes(event))
        else:
            self._text_left -= len(event)
            if self._text_left < 0:
                raise UploadRefused([f"The text fields of the form are longer than {MAX_TEXT} bytes."])
            self._text.append(bytes(event))

    def _begin(self, part: MultipartSegment) -> None:
        self._part = part
        self._text = []
        if part.name == "content" and (self.received.filename is not None or part.filename is None):
            raise UploadRefused(["content: this must be one file."])
        if self._is_content():
            self.received.filename = part.filename

    def _is_content(self) -> bool:
        return self._part is not None and self._part.name == "content"

    def _end(self) -> None:
        if self._part is None or self._is_content() or self._part.filename is not None:
            return  # signatures and other files that nobody asked for are not kept
        try:
            text = b"".join(self._text).decode("utf-8")
        except UnicodeDecodeError as e:
            raise UploadRefused([f"{self._part.name}: this is not UTF-8."]) from e
        self.received.fields.setdefault(self._part.name or "", []).append(text)
