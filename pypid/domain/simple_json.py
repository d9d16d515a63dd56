"""The JSON form of the Simple API: PEP 691, 700, 714, 740 and 792."""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import msgspec
from msgspec import Struct

from pypid.domain.digests import OTHER_ALGORITHMS, Digest, strongest
from pypid.domain.files import DistributionFile, ProjectPage, ProjectStatus, offered, sort_versions, versions_of
from pypid.domain.names import InvalidName, NormalizedName, normalize_name, shorten
from pypid.domain.reach import AllowedHosts
from pypid.domain.simple_page import (
    MAX_FILES,
    NAMES_AT_ONCE,
    InvalidPage,
    ParsedPage,
    Sieve,
    encodable,
    known_provenance,
    known_requires_python,
    known_serial,
    known_sha256,
    known_status,
    known_time,
    relative_url,
    require_version_1,
)

API_VERSION = "1.4"

_MAX_SIZE = 1 << 40
"""Bytes: a thousand times the largest file that PyPI has; a larger claim is an error."""

_MAX_VERSION_LENGTH = 255
"""Characters. int(), and with it every version parser, refuses a number of more than 4300 digits."""

_MAX_COMMAS = 10 * MAX_FILES
"""
In one page. PyPI's entries have about 15 in 700 bytes, so 64 MiB of them have fewer; each costs up to 70 bytes
of memory to read, and a page that is all commas would take gigabytes.
"""

_PIECE = 64 * 1024
"""Bytes of a page that are looked at as text at one time."""


class _Hashes(Struct, omit_defaults=True):
    sha256: str | None = None


class _Claims(_Hashes, omit_defaults=True):
    """The digests of a file, of which only the sha256 is ever written."""

    sha512: str | None = None
    sha384: str | None = None
    blake2b: str | None = None
    sha224: str | None = None
    sha1: str | None = None
    md5: str | None = None


class _File(Struct, omit_defaults=True, rename="kebab"):
    """
    A file on the wire, both ways.

    Absent, null and default are one thing here: uv rejects a page with nulls.
    """

    filename: str
    url: str
    hashes: _Claims | None = None
    size: int | None = None
    upload_time: str | None = None
    requires_python: str | None = None
    yanked: bool | str | None = None
    core_metadata: bool | _Hashes | None = None
    dist_info_metadata: bool | _Hashes | None = None
    """The name of ``core-metadata`` before PEP 714."""
    data_dist_info_metadata: bool | _Hashes | None = None
    """What PyPI called it by mistake, and still sends."""
    provenance: str | None = None
    unverified: bool = msgspec.field(default=False, name="_pypid-unverified")
    """Upstream says no sha256; what `hashes` has was found here. A key of our own has to begin so (PEP 691)."""


class _Meta(Struct, rename="kebab"):
    api_version: str | None = None


class _Status(Struct, omit_defaults=True):
    status: str
    reason: str | None = None


_NOTHING = msgspec.Raw(b"null")


class _ReceivedMeta(_Meta):
    last_serial: msgspec.Raw = msgspec.field(default=_NOTHING, name="_last-serial")
    """PyPI's own, and its mirrors'."""


class _Received(Struct, rename="kebab"):
    """
    A project page as it arrives.

    Its entries are read one at a time, because one that is wrong must not cost the others.
    """

    files: list[msgspec.Raw]
    meta: _ReceivedMeta | None = None
    name: str | None = None
    versions: msgspec.Raw = _NOTHING
    project_status: msgspec.Raw = _NOTHING


class _ListedProject(Struct):
    name: str


class _Page(Struct, omit_defaults=True, rename="kebab"):
    meta: _Meta
    name: str
    versions: tuple[str, ...]
    files: list[_File]
    project_status: _Status | None = None


_page_decoder = msgspec.json.Decoder(_Received)
_file_decoder = msgspec.json.Decoder(_File)
_claim_decoder = msgspec.json.Decoder(Any)


def parse_project(
    body: bytes, *, url: str, project: NormalizedName, allowed: AllowedHosts, upstream: str = ""
) -> ParsedPage:
    """
    Return what a page fetched from ``url``, after redirects, says about ``project``.

    ``allowed`` and ``upstream`` are for the `Sieve`.

    Raises `InvalidPage`, and nothing else, for a body that is not such a page.
    """
    received = _decode_page(body)
    require_version_1(received.meta.api_version if received.meta else None)
    _require_project(received.name, project)
    sieve = Sieve(project, base=url, allowed=allowed, upstream=upstream)
    for number, raw in enumerate(received.files, 1):
        try:
            sieve.offer(_from_wire(_file_decoder.decode(raw)))
        except msgspec.DecodeError as e:
            sieve.drop(f"entry {number}", str(e))
    status = _status_from_wire(_claim(received.project_status))
    files = offered(sieve.files(), status)
    return ParsedPage(
        files,
        _named_versions(_claim(received.versions)) or versions_of(files),
        sieve.dropped(),
        status,
        sieve.refused_hosts(),
        known_serial(_claim(received.meta.last_serial)) if received.meta else None,
    )


def render_project(page: ProjectPage) -> bytes:
    """Return the body that says ``page`` to a client of ``{base}/simple/{project}/``."""
    # PEP 700 makes size mandatory from 1.1 on, so a page that lacks one (its upstream has only HTML) can only
    # claim 1.0; null would be no way out, since it is not an integer, and uv refuses it. The newer keys stay:
    # a reader of 1.0 ignores them, and installers look for upload-time whatever the version says.
    complete = all(file.size is not None for file in page.files)
    body = _Page(
        meta=_Meta(API_VERSION if complete else "1.0"),
        name=page.name,
        versions=page.versions or versions_of(page.files),
        files=[_to_wire(page.name, file) for file in page.files],
        project_status=None if page.status is None else _status_to_wire(page.status),
    )
    return msgspec.json.encode(body)


def render_project_list(names: Iterable[NormalizedName]) -> Iterator[bytes]:
    """Return the body piece by piece: one call for a million names would not let other threads run."""
    left = iter(names)
    yield b'{"meta":' + msgspec.json.encode(_Meta(API_VERSION)) + b',"projects":['
    comma = b""
    while some := [_ListedProject(name) for name in islice(left, NAMES_AT_ONCE)]:
        yield comma + msgspec.json.encode(some)[1:-1]
        comma = b","
    yield b"]}"


def _decode_page(body: bytes) -> _Received:
    if body.count(b",") > _MAX_COMMAS:
        raise InvalidPage(f"the page has more than {_MAX_COMMAS} values")
    try:
        _require_utf8(body)
        return _page_decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as e:
        raise InvalidPage(f"not a project page in JSON: {e}") from e
    except RecursionError as e:
        raise InvalidPage("not a project page in JSON: nested too deeply") from e


def _require_utf8(body: bytes) -> None:
    """Raise UnicodeDecodeError for what msgspec may miss, as it does not look at the encoding of what it skips."""
    # Piece by piece: one astral character would make the whole text four times as long as the body.
    decoder = getincrementaldecoder("utf-8")()
    for start in range(0, len(body), _PIECE):
        decoder.decode(body[start : start + _PIECE])
    decoder.decode(b"", final=True)


def _require_project(name: str | None, project: NormalizedName) -> None:
    """Refuse another project's page, which a confused cache may send; its files would all be dropped."""
    if name is None:
        return
    try:
        same = normalize_name(name) == project
    except InvalidName:
        same = False
    if not same:
        raise InvalidPage(f"the page is of the project {shorten(name)}, not of {project}")


def _claim(raw: msgspec.Raw) -> object:
    """Return what is said beside the files, of whatever type; None for what cannot be read."""
    if bytes(raw).count(b",") > MAX_FILES:
        raise InvalidPage(f"the page has a list of more than {MAX_FILES}")
    try:
        return _claim_decoder.decode(raw)
    except msgspec.DecodeError:
        return None


def _named_versions(versions: object) -> tuple[str, ...]:
    if not isinstance(versions, list):
        return ()
    return sort_versions(frozenset(v for v in versions if isinstance(v, str) and len(v) <= _MAX_VERSION_LENGTH))


def _status_from_wire(claim: object) -> ProjectStatus | None:
    return known_status(claim.get("status"), claim.get("reason")) if isinstance(claim, dict) else None


def _from_wire(entry: _File) -> DistributionFile:
    """Return ``entry`` as it is, for a `Sieve`; only optional claims that mean nothing are left out."""
    claims = (entry.core_metadata, entry.dist_info_metadata, entry.data_dist_info_metadata)
    # A bare ``true`` is no claim: what it would let through could not be verified. A wheel has its own METADATA.
    metadata = (known_sha256(claim.sha256) for claim in claims if isinstance(claim, _Hashes))
    return DistributionFile(
        filename=entry.filename,
        sha256=entry.hashes.sha256 if entry.hashes else None,
        verified=not entry.unverified,
        other_digest=_other_digest(entry.hashes) if entry.hashes else None,
        size=entry.size if entry.size is not None and 0 <= entry.size <= _MAX_SIZE else None,
        upload_time=known_time(entry.upload_time),
        requires_python=known_requires_python(entry.requires_python),
        yanked=_yanked_from_wire(entry.yanked),
        core_metadata=next(filter(None, metadata), None),
        provenance=known_provenance(entry.provenance),
        origin=entry.url,
    )


def _other_digest(claims: _Claims) -> Digest | None:
    return strongest({name: getattr(claims, name) or "" for name in OTHER_ALGORITHMS})


def _yanked_from_wire(yanked: bool | str | None) -> str | None:  # noqa: FBT001 (PEP 691's own type)
    if isinstance(yanked, str):
        return yanked
    return "" if yanked else None


def _to_wire(project: NormalizedName, file: DistributionFile) -> _File:
    metadata = None if file.core_metadata is None else _Hashes(file.core_metadata) if file.core_metadata else True
    return _File(
        filename=file.filename,
        url=relative_url(project, file),
        hashes=_Claims(file.sha256),
        size=file.size,
        upload_time=None if file.upload_time is None else _time_to_wire(file.upload_time),
        requires_python=None if file.requires_python is None else encodable(file.requires_python),
        # PEP 691 has no empty reason: without one it has to be ``true``.
        yanked=None if file.yanked is None else encodable(file.yanked) or True,
        core_metadata=metadata,
        dist_info_metadata=metadata,
        provenance=file.provenance or None,
        unverified=not file.verified,
    )


def _status_to_wire(status: ProjectStatus) -> _Status:
    return _Status(status.status.value, None if status.reason is None else encodable(status.reason))


def _time_to_wire(time: datetime) -> str:
    # Not strftime, which does not pad years before 1000.
    return time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
