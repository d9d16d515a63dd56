"""OpenPGP signatures: what looks like one."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pypid.domain.signatures import is_signature

SIGNATURE = b"-----BEGIN PGP SIGNATURE-----\n\niHUEABYKAB0WIQ==\n=abcd\n-----END PGP SIGNATURE-----\n"


class SignatureTests(SynchronousTestCase):
    def test_armour(self) -> None:
        for signature in (
            SIGNATURE,
            SIGNATURE.rstrip(),
            SIGNATURE.replace(b"\n", b"\r\n"),
            SIGNATURE.replace(b"\n\n", b"\nVersion: GnuPG v2\nComment: x\n\n"),
        ):
            self.assertTrue(is_signature(signature), signature)

    def test_what_is_none(self) -> None:
        for other in (
            b"",
            b"\x88\x75\x04\x00",
            b"hello",
            SIGNATURE[1:],
            SIGNATURE[:-10],
            b"<script>" + SIGNATURE,
            SIGNATURE + b"<script>",
            SIGNATURE.replace(b"iHUE", b"\xff\x00"),
            SIGNATURE.replace(b"SIGNATURE", b"MESSAGE"),
            SIGNATURE.replace(b"SIGNATURE", b"PRIVATE KEY BLOCK"),
        ):
            self.assertFalse(is_signature(other), other)
