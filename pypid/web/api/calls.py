"""What a call of the management API says: its fields, in the body or in the URL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qsl

import msgspec
from packaging.version import Version

from pypid.domain.errors import CallMalformed, FileNotFound, MediaTypeRefused
from pypid.domain.filenames import parse_filename
from pypid.domain.names import normalize_name, shorten
from pypid.domain.subject import Subject
from pypid.domain.validation.findings import MAX_FINDINGS
from pypid.web.request import Request
from pypid.web.short_body import read_short

MAX_BODY = 64 * 1024
"""Bytes. Two fields of text; Kubernetes' and GitHub's smallest limits are above that too."""

MAX_REASON = 1000
"""Characters of a reason: a paragraph, which installers show to everybody."""

MAX_EVENTS = 1000
"""Events of the audit log in one answer, of some 300 bytes each."""

JSON = "application/json"

Reason = Annotated[str, msgspec.Meta(max_length=MAX_REASON, pattern=r"^[^\x00-\x1f\x7f-\x9f]*\Z")]
"""Without control characters: installers print it to terminals."""
Limit = Annotated[int, msgspec.Meta(ge=1, le=MAX_EVENTS)]


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of a call that has any."""


class Because(Call, frozen=True, kw_only=True):
    """A call that may give a reason."""

    reason: Reason = ""


class StatusCall(Call, frozen=True, kw_only=True):
    """A new status for a project."""

    status: Annotated[str, msgspec.Meta(pattern="^(archived|deprecated|quarantined)$")]
    reason: Reason = ""


class ProjectDeletion(Call, frozen=True, kw_only=True):
    """The deletion of all that a project has."""

    reason: Reason = ""
    release_name: bool = False


class Paging(Call, frozen=True, kw_only=True):
    """Which events of the audit log are meant; ``newest`` are the last ones, whatever comes ``after``."""

    after: Annotated[int, msgspec.Meta(ge=0)] = 0
    limit: Limit = 100
    newest: Limit | None = None


class Period(Call, frozen=True, kw_only=True, rename={"first": "from", "last": "to"}):
    """Days, in UTC, both included."""

    first: date | None = None
    last: date | None = None


class Nothing(Call, frozen=True, kw_only=True):
    """A call without fields."""


C = TypeVar("C", bound=Call)


async def read_call(request: Request, kind: type[C]) -> C:
    """
    Return the fields of the call: from the body of a PUT or POST, from the URL otherwise.

    A body may be left out if none of its fields is needed. Raises
    `CallMalformed`, `MediaTypeRefused`, `UploadTooLarge`, and what
    `RequestBody.read` does.
    """
    in_url = _read_query(request)
    if request.method in {b"PUT", b"POST"}:
        if in_url:
            raise CallMalformed([f"{shorten(name)}: this belongs into the body." for name in in_url][:MAX_FINDINGS])
        return _read({} if request.body is None else await _read_body(request), kind, strict=True)
    if request.body is not None:
        raise CallMalformed(["This request has no body: what it says is in the URL."])
    return _read(in_url, kind, strict=False)


def _read_query(request: Request) -> dict[str, object]:
    query = request.uri.partition(b"?")[2]
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FINDINGS)
    except ValueError as e:
        raise CallMalformed([f"The query of the URL cannot be read: {e}."]) from e
    given: dict[str, object] = dict(pairs)
    if len(given) < len(pairs):
        raise CallMalformed(["The query of the URL has a field twice."])
    return given


async def _read_body(request: Request) -> dict[str, object]:
    check_media_type(request)
    try:
        given = msgspec.json.decode(await read_short(request.body, limit=MAX_BODY))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        raise CallMalformed([f"The body is not JSON: {e}."]) from e
    if not isinstance(given, dict):
        raise CallMalformed(["The body is no JSON object."])
    return given


def check_media_type(request: Request) -> None:
    """
    Raise `MediaTypeRefused` unless the request says that its body is JSON.

    No form of a web page can say that.
    """
    media_type = (request.header("Content-Type") or "").partition(";")[0].strip().lower()
    if media_type != JSON:
        raise MediaTypeRefused(f"The Content-Type must be {JSON}, not {shorten(media_type)}")


def _read(given: Mapping[str, object], kind: type[C], *, strict: bool) -> C:
    """Return the call; raises `CallMalformed` with everything that is wrong with ``given``."""
    values: dict[str, Any] = {}
    problems = list(_unknown(given, kind))
    for field in msgspec.structs.fields(kind):
        if field.encode_name in given:
            try:
                values[field.name] = msgspec.convert(given[field.encode_name], field.type, strict=strict)
            except msgspec.ValidationError as e:
                problems.append(f"{field.encode_name}: {e}.")
        elif field.required:
            problems.append(f"{field.encode_name}: missing.")
    if problems:
        raise CallMalformed(problems[:MAX_FINDINGS])
    return kind(**values)


def _unknown(given: Mapping[str, object], kind: type[Call]) -> Iterator[str]:
    names = [field.encode_name for field in msgspec.structs.fields(kind)]
    for name in given:
        if name not in names:
            known = f"there are {', '.join(names)}" if names else "there are none"
            yield f"{shorten(name)}: no such field ({known})."


def subject_of(project: str, version: str | None = None, filename: str | None = None) -> Subject:
    """Return what a URL is about. Raises `FileNotFound` for no version, and for another project's file."""
    try:
        parsed = None if version is None else Version(version)
    except ValueError as e:  # InvalidVersion is one; so is what int() raises for more than 4300 digits
        raise FileNotFound(f"{shorten(version or '')} is no version") from e
    name = normalize_name(project)
    if filename is not None and parse_filename(filename).project != name:
        raise FileNotFound(f"{filename} is no file of {name}")
    return Subject(project=name, version=parsed, filename=filename)
