"""An upstream's legacy JSON, as far as it is of the shape that is documented."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from packaging.version import InvalidVersion, Version

from pypid.domain.names import InvalidName, NormalizedName, normalize_name, shorten
from pypid.domain.release_facts import FileKey, OtherDigests, ReleaseFacts
from pypid.domain.simple_page import InvalidPage, known_sha256

T = TypeVar("T")

MAX_COMMAS = 2_000_000
"""
In one document. A file has about 20, so that this is enough for five times the 20,000 files of
PyPI's longest projects; 64 MiB that are all commas would take gigabytes to read.
"""

_TEXT, _TEXTS, _TEXTS_BY_NAME = (
    msgspec.json.Decoder(str),
    msgspec.json.Decoder(list[str]),
    msgspec.json.Decoder(dict[str, str]),
)

_INFO: Mapping[str, msgspec.json.Decoder[Any]] = {
    **dict.fromkeys(
        (
            "author",
            "author_email",
            "bugtrack_url",
            "description",
            "description_content_type",
            "docs_url",
            "download_url",
            "home_page",
            "keywords",
            "license",
            "license_expression",
            "maintainer",
            "maintainer_email",
            "name",
            "package_url",
            "platform",
            "project_url",
            "release_url",
            "requires_python",
            "summary",
        ),
        _TEXT,
    ),
    **dict.fromkeys(("classifiers", "dynamic", "license_files", "provides_extra", "requires_dist"), _TEXTS),
    "project_urls": _TEXTS_BY_NAME,
}
"""What there is under ``info``, without what the project page says."""

_VULNERABILITY: Mapping[str, msgspec.json.Decoder[Any]] = {
    **dict.fromkeys(("id", "details", "link", "source", "summary", "withdrawn"), _TEXT),
    **dict.fromkeys(("aliases", "fixed_in"), _TEXTS),
}

_MD5, _BLAKE2 = re.compile(r"[0-9a-f]{32}"), re.compile(r"[0-9a-f]{64}")


class _Digests(Struct):
    sha256: str
    md5: str | None = None
    blake2b_256: str | None = None


class _File(Struct):
    filename: str
    digests: _Digests


class _Received(Struct):
    """
    The document as it arrives.

    Its parts are read one at a time, because one that is wrong must not cost the others.
    """

    info: dict[str, msgspec.Raw]
    releases: dict[str, list[msgspec.Raw]] = {}
    urls: list[msgspec.Raw] = []
    vulnerabilities: list[msgspec.Raw] = []


_received_decoder = msgspec.json.Decoder(_Received)
_file_decoder = msgspec.json.Decoder(_File)
_fields_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])


def parse_release(body: bytes, *, project: NormalizedName, version: Version | None) -> ReleaseFacts:
    """
    Return what ``body`` says of that version of ``project``, None being the one that upstream takes for the latest.

    Raises `InvalidPage`, and nothing else, for a body that is not such a document.
    """
    received = _decode(body)
    said = _said_version(received.info, project)
    if version is not None and said != version:
        raise InvalidPage(f"it is about version {said}, not {version}")
    files = [*received.urls, *(file for files in received.releases.values() for file in files)]
    return ReleaseFacts(
        version=said,
        info=_known(received.info, _INFO),
        digests=dict(_digests(files)),
        vulnerabilities=tuple(_vulnerabilities(received.vulnerabilities)),
    )


def _decode(body: bytes) -> _Received:
    if body.count(b",") > MAX_COMMAS:
        raise InvalidPage(f"it has more than {MAX_COMMAS} values")
    try:
        # As text: msgspec does not look at the encoding of what it skips.
        return _received_decoder.decode(body.decode())
    except (msgspec.DecodeError, UnicodeDecodeError) as e:
        raise InvalidPage(f"it is no legacy JSON: {e}") from e
    except RecursionError as e:
        raise InvalidPage("it is no legacy JSON: nested too deeply") from e


def _said_version(info: Mapping[str, msgspec.Raw], project: NormalizedName) -> Version:
    name, version = _read(_TEXT, info.get("name")), _read(_TEXT, info.get("version"))
    try:
        if name is None or normalize_name(name) != project:
            raise InvalidPage(f"it is about {shorten(name or '')}, not {project}")
        return Version(version or "")
    except (InvalidName, InvalidVersion) as e:
        raise InvalidPage(str(e)) from e
    except ValueError as e:  # what int() raises for more than 4300 digits
        raise InvalidPage(f"its version is {shorten(version or '')}") from e


def _known(fields: Mapping[str, msgspec.Raw], wanted: Mapping[str, msgspec.json.Decoder[Any]]) -> dict[str, Any]:
    """Return those of ``fields`` that are wanted, and are of the type that they should be."""
    values = {key: _read(decoder, fields.get(key)) for key, decoder in wanted.items()}
    return {key: value for key, value in values.items() if value is not None}


def _read(decoder: msgspec.json.Decoder[T], raw: msgspec.Raw | None) -> T | None:
    if raw is None:
        return None
    try:
        return decoder.decode(raw)
    except msgspec.DecodeError:
        return None


def _digests(files: Iterable[msgspec.Raw]) -> Iterator[tuple[FileKey, OtherDigests]]:
    for raw in files:
        file = _read(_file_decoder, raw)
        sha256 = known_sha256(file.digests.sha256) if file is not None else None
        if file is not None and sha256 is not None:
            md5, blake2 = file.digests.md5 or "", file.digests.blake2b_256 or ""
            yield (
                (file.filename, sha256),
                OtherDigests(
                    md5=md5 if _MD5.fullmatch(md5) else None,
                    blake2b_256=blake2 if _BLAKE2.fullmatch(blake2) else None,
                ),
            )


def _vulnerabilities(entries: Iterable[msgspec.Raw]) -> Iterator[Mapping[str, Any]]:
    for raw in entries:
        fields = _read(_fields_decoder, raw)
        known = {} if fields is None else _known(fields, _VULNERABILITY)
        if "id" in known:
            # Clients expect each of the keys.
            yield {**dict.fromkeys(_VULNERABILITY), "aliases": [], "fixed_in": [], **known}
