"""Provenance documents: those of upstream, of which nothing is believed but that they are one, and our own."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pypi_attestations
from cryptography import x509
from twisted.trial.unittest import SynchronousTestCase

from pypid.domain.attestations import MAX_ATTESTATIONS, Attestation, InvalidAttestations, read_attestations
from pypid.domain.provenance import MAX_PROVENANCE, checked, located, provenance_of
from pypid.domain.signers import MAX_CLAIM
from pypid.domain.simple_page import InvalidPage
from tests.domain.strategies import a_file, page_of
from tests.kit.dists import wheel
from tests.kit.sigstore import PUBLISH, SLSA, Sigstore


class CheckedTests(SynchronousTestCase):
    def test_object_is_left_as_it_is(self) -> None:
        """Down to its spaces: who verifies it may have the digest of the bytes."""
        for body in (b"{}", b' {"version":  1, "attestation_bundles": [{"new": null}]}\n'):
            self.assertEqual(checked(body), body)

    def test_what_is_none(self) -> None:
        deep = b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
        for body in (b"", b"null", b"[]", b'"{}"', b"{} {}", b'{"a": 1', b'{"a": "\xff"}', b"<html></html>", deep):
            self.assertRaises(InvalidPage, checked, body)

    def test_length(self) -> None:
        longest = b'{"a": "' + b"x" * (MAX_PROVENANCE - 9) + b'"}'
        self.assertEqual(checked(longest), longest)
        self.assertRaises(InvalidPage, checked, longest + b" ")


class MadeTests(SynchronousTestCase):
    """P6: what is made of attestations that came with an upload."""

    signers = Sigstore()
    demo = wheel("demo")

    def read(self, *attestations: Any) -> tuple[Attestation, ...]:
        return read_attestations(json.dumps(attestations, indent=1), self.demo.filename, self.demo.sha256)

    def test_one_bundle_for_each_signer(self) -> None:
        ours, alice = self.signers.attest(self.demo), x509.RFC822Name("alice@acme.test")
        for theirs, counts in (
            (self.signers.attest(self.demo, SLSA), [2]),
            (self.signers.attest(self.demo, SLSA, identity=alice, claims={}), [1, 1]),
        ):
            made = json.loads(provenance_of(self.read(ours, theirs)))
            self.assertEqual(made["version"], 1)
            bundles = made["attestation_bundles"]
            self.assertEqual([len(bundle["attestations"]) for bundle in bundles], counts)
            self.assertEqual([each for bundle in bundles for each in bundle["attestations"]], [ours, theirs])
            self.assertEqual(bundles[0]["publisher"]["kind"], "GitHub")

    def test_clients_read_it(self) -> None:
        made = provenance_of(self.read(self.signers.attest(self.demo), self.signers.attest(self.demo, SLSA)))
        (bundle,) = pypi_attestations.Provenance.model_validate_json(made).attestation_bundles
        self.assertEqual([each.statement["predicateType"] for each in bundle.attestations], [PUBLISH, SLSA])

    def test_same_attestations_are_the_same_bytes(self) -> None:
        """And have the spaces that they had."""
        attestation = self.signers.attest(self.demo)
        (read,) = self.read(attestation)
        made = provenance_of([read])
        self.assertEqual(made, provenance_of(self.read(attestation)))
        self.assertIn(read.json, made)

    def test_a_pypid_that_mirrors_this_one_takes_it(self) -> None:
        attestation = self.signers.attest(self.demo, claims={"8": '"' * MAX_CLAIM})
        attestation["more"] = "x" * (MAX_ATTESTATIONS - len(json.dumps([attestation], indent=1)) - 20)
        made = provenance_of(self.read(attestation))
        self.assertGreater(len(made), MAX_ATTESTATIONS)
        self.assertEqual(checked(made), made)

    def test_what_is_signed_by_no_certificate(self) -> None:
        attestation = self.signers.attest(self.demo)
        attestation["verification_material"]["certificate"] = "AAAA"
        self.assertRaises(InvalidAttestations, provenance_of, self.read(attestation))


class LocatedTests(SynchronousTestCase):
    def test_only_what_is_beside_its_file_is_found_there(self) -> None:
        beside, elsewhere, without = (
            replace(a_file(f"demo-{version}.tar.gz"), provenance=provenance)
            for version, provenance in (("1", ""), ("2", "https://x.test/p"), ("3", None))
        )
        page = page_of(beside, elsewhere, without)
        for url in ("https://host.test/simple/demo/", "https://host.test:8443/root/dev/simple/demo/"):
            found = [file.provenance for file in located(page, url).files]
            path = f"files/demo/{beside.digest_prefix}/{beside.filename}.provenance"
            self.assertEqual(found, [f"{url.removesuffix('simple/demo/')}{path}", "https://x.test/p", None])
