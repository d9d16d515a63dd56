"""An upload's multipart body, taken apart as it arrives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from multipart import MultipartError, MultipartSegment, ParserLimitReached, PushMultipartParser, parse_options_header

from pypid.domain.errors import UploadRefused, UploadTooLarge
from pypid.domain.names import shorten
from pypid.domain.validation.findings import MAX_FINDINGS
from pypid.web.body import RequestBody

MAX_PARTS = 4000
"""Parts of a form. Each Requires-Dist and each classifier is one: the longest on PyPI have some 800."""

MAX_TEXT = 8 * 1024 * 1024
"""Bytes of all parts but the file together; the description is in there, a megabyte at the most in practice."""

MAX_SIGNATURE = 64 * 1024
"""Bytes of an OpenPGP signature. Those on PyPI, when it took them, had about 800."""

MAX_PART_HEADERS = 8
"""Headers of one part; RFC 7578 knows three."""

FOREIGN = ("image/", "text/html")
"""What a browser says of a picture or a page, by its name. Clients say "application/octet-stream", or nothing."""

CONTENT, ATTESTATIONS, SIGNATURE = "content", "attestations", "gpg_signature"
"""The names of the parts that are no field of the form."""


class Content(Protocol):
    """Where the file's bytes go."""

    async def write(self, data: bytes) -> None: ...


@dataclass(slots=True)
class ReceivedForm:
    """What came: the text fields, what belongs to the file, and the name of the file whose bytes were staged."""

    fields: dict[str, list[str]] = field(default_factory=dict)
    filename: str | None = None
    attestations: str | None = None
    """JSON, unread."""
    signature: bytes | None = None
    """At most `MAX_SIGNATURE` bytes of whatever they are."""
    problems: list[str] = field(default_factory=list)
    """What is wrong with single parts; the others came all the same."""

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
    takes no more, and what `RequestBody.read` does.
    """
    reader = _FormReader(content)
    try:
        parser = PushMultipartParser(boundary, max_header_count=MAX_PART_HEADERS, max_segment_count=MAX_PARTS)
        received = 0
        while data := await body.read():
            if received == 0:
                reader.has_bare_lines = data.startswith(b"\n")
            received += len(data)
            if received > limit:
                raise UploadTooLarge(f"The upload is longer than the {limit} bytes that are accepted here")
            for event in parser.parse(data.replace(b"\n", b"\r\n") if reader.has_bare_lines else data):
                await reader.take(event)
        parser.close()
    except ParserLimitReached as e:
        raise UploadRefused([f"The form has too many parts, or headers that are too long: {e}."]) from e
    except MultipartError as e:
        raise UploadRefused([f"The body is no multipart form: {e}."]) from e
    return reader.received


class _FormReader:
    """Takes the parser's events: a part's head, its bytes in pieces, None at its end."""

    has_bare_lines = False
    """Its lines end in LF alone, as those of distutils' "register" do, which sends no file."""

    def __init__(self, content: Content) -> None:
        self.received = ReceivedForm()
        self._content = content
        self._part: MultipartSegment | None = None
        self._pieces: list[bytes] = []
        self._left = MAX_TEXT

    async def take(self, event: MultipartSegment | bytes | bytearray | None) -> None:
        if event is None:
            self._end()
        elif not isinstance(event, (bytes, bytearray)):
            self._begin(event)
        elif self._is_content():
            await self._content.write(bytes(event))
        else:
            self._left -= len(event)
            if self._left < 0:
                raise UploadRefused([f"The text fields of the form are longer than {MAX_TEXT} bytes."])
            self._pieces.append(bytes(event))

    def _begin(self, part: MultipartSegment) -> None:
        self._part = part
        self._pieces = []
        if part.name != CONTENT:
            return
        if self.received.filename is not None or part.filename is None:
            raise UploadRefused(["content: this must be one file."])
        if self.has_bare_lines:
            raise UploadRefused(["content: the lines of a form with a file must end in CR LF."])
        if (part.content_type or "").startswith(FOREIGN):
            raise UploadRefused([f"Invalid distribution file. content: this says that it is {part.content_type}."])
        self.received.filename = part.filename

    def _is_content(self) -> bool:
        return self._part is not None and self._part.name == CONTENT

    def _end(self) -> None:
        if self._part is None or self._is_content():
            return
        name, data = self._part.name or "", b"".join(self._pieces)
        self._pieces = []
        if name == SIGNATURE:
            self._keep_signature(data)
        elif self._part.filename is not None:
            self._complain(name, "Should not be a tuple.")  # PyPI's words for a file in place of a text
        else:
            self._keep_text(name, data)

    def _keep_text(self, name: str, data: bytes) -> None:
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            self._complain(name, "this is not UTF-8.")
            return
        if name != ATTESTATIONS:
            self.received.fields.setdefault(name, []).append(text)
        elif self.received.attestations is not None:
            self._complain(name, "given twice.")
        else:
            self.received.attestations = text or None

    def _keep_signature(self, data: bytes) -> None:
        if self.received.signature is not None:
            self._complain(SIGNATURE, "given twice.")
        elif len(data) > MAX_SIGNATURE:
            self._complain(SIGNATURE, f"longer than {MAX_SIGNATURE} bytes.")
        else:
            self.received.signature = data or None

    def _complain(self, name: str, problem: str) -> None:
        if len(self.received.problems) < MAX_FINDINGS:
            self.received.problems.append(f"{name if name.isidentifier() else shorten(name)}: {problem}")
