"""What an index says of where a file came from (PEP 740)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec

from pypid.domain.attestations import Attestation, InvalidAttestations
from pypid.domain.files import DistributionFile, ProjectPage
from pypid.domain.names import NormalizedName
from pypid.domain.signers import publisher_of
from pypid.domain.simple_page import InvalidPage, relative_url

PROVENANCE_TYPE = "application/vnd.pypi.integrity.v1+json"

MAX_PROVENANCE = 1024 * 1024
"""Bytes. PyPI's are some 10 kB for each attestation, of which a file has one or two."""

_OBJECT = msgspec.json.Decoder(dict[str, Any])


def checked(body: bytes) -> bytes:
    """
    Return ``body``, which must be a JSON object of no great length.

    Nothing more is looked at: who verifies attestations reads them all, and
    must not be kept from a kind that pypid does not know. Raises `InvalidPage`.
    """
    if len(body) > MAX_PROVENANCE:
        raise InvalidPage(f"it is longer than {MAX_PROVENANCE} bytes")
    try:
        _OBJECT.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        raise InvalidPage(f"it is no JSON object: {e}") from e
    return body


def provenance_of(attestations: Sequence[Attestation]) -> bytes:
    """
    Return the provenance that has ``attestations`` as they came, bundled by who signed them.

    The same ones make the same bytes. Raises `InvalidAttestations` for what is signed by no certificate.
    """
    bundles: list[dict[str, Any]] = []
    for attestation in attestations:
        try:
            publisher = publisher_of(attestation.certificate)
        except ValueError as e:
            raise InvalidAttestations(f"certificate: {e}") from e
        bundle = next((each for each in bundles if each["publisher"] == publisher), None)
        if bundle is None:
            bundle = {"publisher": publisher, "attestations": []}
            bundles.append(bundle)
        bundle["attestations"].append(msgspec.Raw(attestation.json))
    return msgspec.json.encode({"version": 1, "attestation_bundles": bundles})


def located(page: ProjectPage, page_url: str) -> ProjectPage:
    """
    Return ``page`` with the URLs of the provenance beside its files; its own is ``page_url``, with the slash.

    They are the only absolute ones on a page: PEP 740 wants them so, and
    strict readers drop a page on which they are not.
    """
    index_url = page_url.rsplit("/", 3)[0]
    return replace(page, files=tuple(_located(page.name, file, f"{index_url}/") for file in page.files))


def _located(project: NormalizedName, file: DistributionFile, index_url: str) -> DistributionFile:
    if file.provenance is None or file.provenance:
        return file
    return replace(file, provenance=f"{relative_url(project, file, index_url)}.provenance")
