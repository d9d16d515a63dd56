"""The process that verifies the signatures of one file's attestations."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import msgspec
from pypi_attestations import Attestation
from sigstore.models import ClientTrustConfig, TrustedRoot
from sigstore.verify import Verifier
from sigstore.verify.policy import UnsafeNoOp

from pypid.inspection.limits import ADDRESS_SPACE, CPU_SECONDS
from pypid.inspection.verifying import Case

LIMITS = {
    resource.RLIMIT_CPU: (CPU_SECONDS, CPU_SECONDS + 5),
    resource.RLIMIT_AS: (ADDRESS_SPACE, ADDRESS_SPACE),
    # Its trusted root takes some 10 kB.
    resource.RLIMIT_FSIZE: (2**20, 2**20),
    resource.RLIMIT_CORE: (0, 0),
}

PAYLOAD_TYPE = "application/vnd.in-toto+json"
"""The only one that PEP 740 allows."""


def main() -> None:
    """Answer the case on standard input with what is wrong."""
    for what, limits in LIMITS.items():
        resource.setrlimit(what, limits)
    case = msgspec.json.decode(sys.stdin.buffer.read(), type=Case)
    verifier = Verifier(trusted_root=_trusted_root(case))
    problems = [
        problem
        for attestation, statement in zip(case.attestations, case.statements, strict=True)
        if (problem := _problem(verifier, bytes(attestation), statement))
    ]
    sys.stdout.buffer.write(msgspec.json.encode(problems))


def _trusted_root(case: Case) -> TrustedRoot:
    if case.trusted_root is not None:
        return TrustedRoot.from_file(str(Path(case.trusted_root)))
    return ClientTrustConfig.production(offline=True).trusted_root


def _problem(verifier: Verifier, attestation: bytes, statement: bytes) -> str | None:
    """
    Return what is wrong with one attestation.

    Whoever signed it: pypid knows of no signer whom a project should have,
    and tells readers who it was.
    """
    try:
        bundle = Attestation.model_validate_json(attestation).to_bundle()
        kind, payload = verifier.verify_dsse(bundle, UnsafeNoOp())
    except Exception as e:  # noqa: BLE001  (whatever a stranger's bytes make a large library raise, they are not verified)
        return f"the signature cannot be verified: {e}"
    if kind != PAYLOAD_TYPE or payload != statement:
        return "what was signed is another statement"
    return None


if __name__ == "__main__":
    main()
