"""Who signed: in the form that clients know, where they know any."""

from __future__ import annotations

import warnings
from base64 import b64decode
from typing import Any

import pypi_attestations
from cryptography import x509
from cryptography.utils import CryptographyDeprecationWarning
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pypid.domain.signers import MAX_CLAIM, identity_of, is_one_of, publisher_of
from tests.kit.dists import wheel
from tests.kit.sigstore import GITHUB, WORKFLOW, Sigstore

SIGNERS = Sigstore()
ALICE = x509.RFC822Name("alice@acme.test")


def certificate_of(**who: Any) -> bytes:
    return b64decode(SIGNERS.attest(wheel("demo"), **who)["verification_material"]["certificate"])


class PublisherTests(SynchronousTestCase):
    def test_those_that_clients_know(self) -> None:
        """P6: "pypi-attestations" reads them, and verifies by them."""
        gitlab = {"8": "https://gitlab.com", "18": "https://gitlab.com/acme/sub/demo//ci/release.yml@refs/heads/main"}
        google = {"8": "https://accounts.google.com"}
        for claims, identity, publisher in (
            (GITHUB, None, {"kind": "GitHub", "repository": "acme/demo", "workflow": "release.yml"}),
            (
                gitlab,
                None,
                {"kind": "GitLab", "repository": "acme/sub/demo", "workflow_filepath": "ci/release.yml"},
            ),
            (google, ALICE, {"kind": "Google", "email": "alice@acme.test"}),
        ):
            found = publisher_of(certificate_of(claims=claims, identity=identity))
            self.assertEqual(found, publisher)
            bundle = pypi_attestations.AttestationBundle.model_validate({"publisher": found, "attestations": []})
            self.assertEqual(bundle.publisher.kind, publisher["kind"])

    def test_anybody_else(self) -> None:
        """Also who claims a workflow of GitHub's by another issuer."""
        for claims, identity in (
            ({"8": "https://login.acme.test"}, ALICE),
            ({**GITHUB, "8": "https://token.actions.githubusercontent.com.evil.test"}, None),
            ({**GITHUB, "18": "https://github.com/acme/demo/release.yml@main"}, None),
            ({"8": "https://accounts.google.com"}, None),
            ({}, None),
        ):
            found = publisher_of(certificate_of(claims=claims, identity=identity))
            name = WORKFLOW if identity is None else "alice@acme.test"
            self.assertEqual(found, {"kind": "pypid", "claims": {"issuer": claims.get("8", ""), "identity": name}})

    def test_nobody(self) -> None:
        """No name of a person or a workflow, and claims that are no text."""
        found = publisher_of(certificate_of(claims={"8": "bell \x07"}, identity=x509.DNSName("acme.test")))
        self.assertEqual(found, {"kind": "pypid", "claims": {"issuer": "", "identity": ""}})

    def test_long_claims(self) -> None:
        """Whose length takes more than a byte in DER."""
        for size in (127, 128, 255, 256, MAX_CLAIM, MAX_CLAIM + 1):
            issuer = "https://" + "a" * (size - 8)
            found = publisher_of(certificate_of(claims={"8": issuer}, identity=ALICE))
            self.assertEqual(found["claims"]["issuer"], issuer if size <= MAX_CLAIM else "")

    def test_who_is_like_a_pattern(self) -> None:
        for pattern, identity, like in (
            ("https://github.com/acme/*", WORKFLOW, True),
            ("https://github.com/acme/demo/*@refs/tags/*", WORKFLOW, True),
            ("https://github.com/acme/demo/*@refs/heads/*", WORKFLOW, False),
            ("https://github.com/acm/*", WORKFLOW, False),
            ("https://github.com/ac?e/*", WORKFLOW, False),
            ("https://github.com/acme", WORKFLOW, False),
            ("*@acme.test", "alice@acme.test", True),
            ("*@acme.test", "alice@acme.test.evil", False),
            ("*@acme.test", "alice@acmeXtest", False),
            ("alice@acme.test", "", False),
        ):
            self.assertEqual(is_one_of(identity, ["bob@acme.test", pattern]), like, (pattern, identity))
        self.assertEqual(identity_of(certificate_of(identity=ALICE)), "alice@acme.test")
        self.assertFalse(is_one_of(WORKFLOW, []))

    @given(st.data())
    def test_bytes_that_are_no_certificate(self, data: st.DataObject) -> None:
        whole = CERTIFICATE
        at = data.draw(st.integers(0, len(whole) - 1))
        damaged = data.draw(
            st.sampled_from([whole[:at], whole[:at] + data.draw(st.binary(max_size=3)) + whole[at + 1 :]])
        )
        try:
            with warnings.catch_warnings():
                # A serial number that is none: cryptography reads such certificates for a while yet.
                warnings.simplefilter("ignore", CryptographyDeprecationWarning)
                self.assertIn(publisher_of(damaged)["kind"], {"GitHub", "pypid"})
        except ValueError as e:
            self.assertTrue(str(e))


CERTIFICATE = certificate_of()
