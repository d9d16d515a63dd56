"""The attestations of an upload (PEP 740): whether they are about the file that they came with."""

from __future__ import annotations

import binascii
from base64 import b64decode
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from pypid.domain.filenames import UnknownFilename, parse_filename
from pypid.domain.names import shorten

MAX_ATTESTATIONS = 512 * 1024
"""
Bytes of all of them. One has some 10 kB.

With what is said of their signers they stay below `MAX_PROVENANCE`: a pypid
that mirrors this one takes them.
"""

STATEMENT = "https://in-toto.io/Statement/v1"

PREDICATES = ("https://slsa.dev/provenance/v1", "https://docs.pypi.org/attestations/publish/v1")
"""What may be attested, by PEP 740. A file has one attestation of each at the most, as on PyPI."""


class InvalidAttestations(ValueError):
    """They are not what PEP 740 has, or about something else than the file."""


@dataclass(frozen=True, slots=True)
class Attestation:
    """One attestation, whose signature has not been looked at."""

    json: bytes
    """As it came: what it has beyond PEP 740 is for those who know it."""
    certificate: bytes
    """Of who signed it, in DER."""
    statement: bytes
    """What was signed, in JSON."""
    predicate: str


class _Material(msgspec.Struct):
    certificate: str
    transparency_entries: list[dict[str, Any]]


class _Envelope(msgspec.Struct):
    statement: str
    signature: str


class _Attestation(msgspec.Struct):
    version: Literal[1]
    verification_material: _Material
    envelope: _Envelope


class _Subject(msgspec.Struct):
    name: str
    digest: dict[str, str]


class _Statement(msgspec.Struct, rename={"type": "_type", "predicate_type": "predicateType"}):
    type: str
    subject: list[_Subject]
    predicate_type: str


_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
_ONE = msgspec.json.Decoder(_Attestation)
_SAID = msgspec.json.Decoder(_Statement)


def read_attestations(text: str, filename: str, sha256: str) -> tuple[Attestation, ...]:
    """
    Return the attestations in ``text``, a JSON array, each of which is about this very file.

    Raises `InvalidAttestations`.
    """
    try:
        encoded = text.encode()
        if len(encoded) > MAX_ATTESTATIONS:
            raise InvalidAttestations(f"they are longer than {MAX_ATTESTATIONS} bytes")
        found = tuple(_read(bytes(raw), filename, sha256) for raw in _ARRAY.decode(encoded))
    except (msgspec.DecodeError, UnicodeError, RecursionError) as e:
        raise InvalidAttestations(str(e)) from e
    if not found:
        raise InvalidAttestations("the array is empty")
    if len({attestation.predicate for attestation in found}) < len(found):
        raise InvalidAttestations("there are several of one predicate type")
    return found


def _read(json: bytes, filename: str, sha256: str) -> Attestation:
    read = _ONE.decode(json)
    if not read.verification_material.transparency_entries:
        raise InvalidAttestations("verification_material: there is no transparency log entry")
    _decoded("signature", read.envelope.signature)
    statement = _decoded("statement", read.envelope.statement)
    return Attestation(
        json=json,
        certificate=_decoded("certificate", read.verification_material.certificate),
        statement=statement,
        predicate=_checked(_SAID.decode(statement), filename, sha256),
    )


def _checked(statement: _Statement, filename: str, sha256: str) -> str:
    """Return the predicate type of a statement that is about this file."""
    if statement.type != STATEMENT:
        raise InvalidAttestations(f"the statement is of type {shorten(statement.type)}, and has to be of {STATEMENT}")
    if statement.predicate_type not in PREDICATES:
        raise InvalidAttestations(
            f"the predicate type {shorten(statement.predicate_type)} is none of {', '.join(PREDICATES)}"
        )
    if len(statement.subject) != 1:
        raise InvalidAttestations(f"the statement has {len(statement.subject)} subjects in place of one")
    (subject,) = statement.subject
    if not _is_name(subject.name, filename):
        raise InvalidAttestations(f"it is about {shorten(subject.name)}, not about {filename}")
    if subject.digest.get("sha256") != sha256:
        raise InvalidAttestations(f"it is about a {filename} with another sha256 than the uploaded file")
    return statement.predicate_type


def _is_name(said: str, filename: str) -> bool:
    """Say whether ``said`` is the file's name, which some signers spell as PEP 440 and PEP 503 normalize it."""
    try:
        return said == filename or parse_filename(said) == parse_filename(filename)
    except UnknownFilename:
        return False


def _decoded(what: str, text: str) -> bytes:
    try:
        # In lines of 76 characters, where an older pypi-attestations wrote it.
        return b64decode(text.replace("\n", ""), validate=True)
    except (binascii.Error, ValueError) as e:
        raise InvalidAttestations(f"{what}: this is not base64") from e
