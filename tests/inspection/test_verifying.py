"""Verifying attestations: in a process of its own, by a trusted root that is here."""

from __future__ import annotations

import json
import sys
from base64 import b64decode, b64encode
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from pypid.domain.attestations import Attestation, read_attestations
from pypid.domain.errors import InspectionFailed
from pypid.inspection.verifying import can_verify, problems_of_setup, verify_apart
from tests.kit.dists import wheel
from tests.kit.sigstore import SLSA, Sigstore

DEMO = wheel("demo")
SIGNERS = Sigstore()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return SIGNERS.write_trusted_root(tmp_path)


def read(*attestations: Mapping[str, Any]) -> tuple[Attestation, ...]:
    return read_attestations(json.dumps(attestations), DEMO.filename, DEMO.sha256)


def damaged(attestation: dict[str, Any], part: str, key: str) -> dict[str, Any]:
    """The same with one other bit in what is in base64 at ``key``."""
    other = deepcopy(attestation)
    content = bytearray(b64decode(other[part][key]))
    content[-1] ^= 1
    other[part][key] = b64encode(content).decode()
    return other


def test_what_is_signed_and_logged(root: Path) -> None:
    """Both kinds at once."""
    assert verify_apart(DEMO.filename, read(SIGNERS.attest(DEMO), SIGNERS.attest(DEMO, SLSA)), root) == ()


def test_by_an_authority_that_is_not_trusted(root: Path) -> None:
    (problem,) = verify_apart(DEMO.filename, read(Sigstore().attest(DEMO)), root)
    assert problem.startswith("the signature cannot be verified: ")


def test_the_public_one_needs_no_network_to_be_unconvinced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its trusted root comes with the package. Nothing is written into anybody's home."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (problem,) = verify_apart(DEMO.filename, read(SIGNERS.attest(DEMO)))
    assert "certificate chain" in problem
    assert list(tmp_path.iterdir()) == []


def test_another_signature_or_certificate(root: Path) -> None:
    good, other = SIGNERS.attest(DEMO), SIGNERS.attest(DEMO)
    swapped = deepcopy(good)
    swapped["verification_material"]["transparency_entries"] = other["verification_material"]["transparency_entries"]
    for wrong in (
        damaged(good, "envelope", "signature"),
        damaged(good, "verification_material", "certificate"),
        {**good, "verification_material": other["verification_material"]},
        {**good, "envelope": other["envelope"]},
        swapped,
    ):
        (problem,) = verify_apart(DEMO.filename, read(wrong), root)
        assert problem.startswith("the signature cannot be verified: ")


def test_another_statement_than_was_read(root: Path) -> None:
    """Two readers of one text may differ: what pypid has read must be what was signed."""
    (attestation,) = read(SIGNERS.attest(DEMO))
    elsewhere = Attestation(attestation.json, attestation.certificate, b"{}", attestation.predicate)
    assert verify_apart(DEMO.filename, [elsewhere], root) == ("what was signed is another statement",)


@pytest.mark.parametrize(
    "program", ["raise SystemExit(3)", "print('[')", "import os; os.kill(os.getpid(), 9)"], ids=["exit", "junk", "kill"]
)
def test_a_process_that_breaks(program: str) -> None:
    """Neither verified nor refused: it may be uploaded again."""
    with pytest.raises(InspectionFailed, match=r"could not be looked into"):
        verify_apart(DEMO.filename, read(SIGNERS.attest(DEMO)), child=(sys.executable, "-c", program))


def test_a_process_that_hangs_or_is_not_there() -> None:
    attestations = read(SIGNERS.attest(DEMO))
    for child, why in (((sys.executable, "-c", "input(); input()"), "not verified"), (("/no/such",), "no process")):
        with pytest.raises(InspectionFailed) as caught:
            verify_apart(DEMO.filename, attestations, child=child, patience=0.01)
        assert why in caught.value.why


def test_what_the_setup_lacks(tmp_path: Path, root: Path) -> None:
    assert can_verify()
    assert problems_of_setup(["main"], None, installed=True) == []
    assert problems_of_setup(["main"], root, installed=True) == []
    assert problems_of_setup([], None, installed=False) == []
    (missing,) = problems_of_setup(["root/dev"], None, installed=False)
    assert missing.startswith('[index."root/dev"] attestations: ')
    assert "pip install 'pypid[attestations]'" in missing
    (tmp_path / "junk").write_text("[]")
    for name in ("absent", "junk"):
        (problem,) = problems_of_setup([], tmp_path / name, installed=True)
        assert f"sigstore_root: {tmp_path / name} cannot be used" in problem


def test_entries_that_no_log_makes(root: Path) -> None:
    """Whatever a library does with them, they are refused, and the uploader is not asked to try again."""
    good = SIGNERS.attest(DEMO)
    (entry,) = good["verification_material"]["transparency_entries"]
    others: list[Any] = [{key: value for key, value in entry.items() if key != left_out} for left_out in entry]
    junk: list[Any] = [None, -1, "\0", [], {"": {}}]
    others += [{**entry, key: other} for key in entry for other in junk]
    material = good["verification_material"]
    attestations = [
        read({**good, "verification_material": {**material, "transparency_entries": [other]}})[0] for other in others
    ]
    assert len(verify_apart(DEMO.filename, attestations, root)) == len(attestations) > 40
