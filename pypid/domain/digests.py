"""What an upstream says of a file's bytes where it does not say their sha256."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from pypid.domain.names import shorten

OTHER_ALGORITHMS = ("sha512", "sha384", "blake2b", "sha224", "sha1", "md5")
"""Those that indexes use beside sha256, by the names of `hashlib`; the strongest first."""

_LENGTHS = {name: 2 * hashlib.new(name, usedforsecurity=False).digest_size for name in OTHER_ALGORITHMS}
_HEX = re.compile("[0-9a-f]+")


@dataclass(frozen=True, slots=True)
class Digest:
    """A digest that is no sha256: it is checked, and nothing is shared or kept under it."""

    algorithm: str
    value: str
    """In lower-case hex."""

    def __str__(self) -> str:
        return f"{self.algorithm}={self.value}"


def strongest(claims: Mapping[str, str]) -> Digest | None:
    """
    Return the best of ``claims``, by algorithm; None where none is of an algorithm that we know.

    The digest may be anything: `checked_digest` says whether it is one.
    """
    return next((Digest(name, claims[name].lower()) for name in OTHER_ALGORITHMS if claims.get(name)), None)


def checked_digest(claim: Digest | None) -> Digest | None:
    """Return ``claim``; raises ValueError where it cannot be a digest of its algorithm."""
    if claim is None:
        return None
    length = _LENGTHS[claim.algorithm]
    if len(claim.value) != length or _HEX.fullmatch(claim.value) is None:
        raise ValueError(f"its {claim.algorithm} is {shorten(claim.value)}, not {length} hex digits")
    return claim
