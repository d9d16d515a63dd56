"""What vouches for an upload and comes with it: its attestations and its signature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from twisted.internet.defer import Deferred

from pypid.domain.attestations import Attestation, InvalidAttestations, read_attestations
from pypid.domain.names import shorten
from pypid.domain.provenance import provenance_of
from pypid.domain.signatures import is_signature
from pypid.domain.signers import identity_of, is_one_of
from pypid.domain.upload_rules import Attesting, UploadRules

_INVALID = "Invalid attestations supplied during upload:"
"""PyPI's words."""


class Verify(Protocol):
    """
    Say what is wrong with the signatures of attestations of the file of this name, a line each.

    Fails with `InspectionFailed` where that cannot be found out.
    """

    def __call__(self, filename: str, attestations: Sequence[Attestation], /) -> Deferred[tuple[str, ...]]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What came beside the file."""

    attestations: str | None = None
    """JSON, unread."""
    signature: bytes | None = None


NOTHING = Beside()


@dataclass(frozen=True, slots=True, kw_only=True)
class Vouchers:
    """What is to be kept of it, or what speaks against it."""

    provenance: bytes | None = None
    """The PEP 740 object with the attestations."""
    signature: bytes | None = None
    problems: tuple[str, ...] = ()


class Vouching:
    """Reads what comes beside uploads."""

    def __init__(self, verify: Verify | None = None) -> None:
        """``verify``: None where nothing is installed that can."""
        self._verify = verify

    async def read(self, beside: Beside, filename: str, sha256: str, rules: UploadRules) -> Vouchers:
        """Return what is to be kept of ``beside``. Raises `InspectionFailed`."""
        problems: list[str] = []
        if beside.signature is not None and not is_signature(beside.signature):
            problems.append("gpg_signature: this is no OpenPGP signature in ASCII armour, as gpg --armor makes it.")
        provenance = None
        if beside.attestations is not None:
            try:
                attestations = read_attestations(beside.attestations, filename, sha256)
                provenance = provenance_of(attestations)
            except InvalidAttestations as e:
                problems.append(f"{_INVALID} {e}.")
            else:
                problems += await self._unverified(filename, attestations, rules)
        elif rules.attesting is Attesting.REQUIRE:
            problems.append("attestations: missing; this index takes no file without them.")
        return Vouchers(provenance=provenance, signature=beside.signature, problems=tuple(problems))

    async def _unverified(self, filename: str, attestations: Sequence[Attestation], rules: UploadRules) -> list[str]:
        if self._verify is None:
            demanded = rules.signers or rules.attesting is not Attesting.CHECK
            return ["attestations: they cannot be verified here."] if demanded else []
        problems = await self._verify(filename, attestations)
        if rules.signers and not problems:
            # Anybody can sign anything: what counts is who did.
            signers = {identity_of(attestation.certificate) for attestation in attestations}
            strangers = sorted(each for each in signers if not is_one_of(each, rules.signers))
            problems = tuple(f"{shorten(each)} is none of the signers that this index takes" for each in strangers)
        return [f"{_INVALID} {problem}." for problem in problems]
