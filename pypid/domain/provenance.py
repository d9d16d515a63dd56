"""What an index says of where a file came from (PEP 740)."""

from __future__ import annotations

from typing import Any

import msgspec

from pypid.domain.simple_page import InvalidPage

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
