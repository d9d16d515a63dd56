"""
A Sigstore of the tests' own: who signs, what logs that, and the trusted root by which readers verify it.

    signers = Sigstore()
    attestation = signers.attest(wheel("demo"))            # a PEP 740 attestation, in JSON
    root = signers.write_trusted_root(tmp_path)            # for [server] sigstore_root

The formats are those of Fulcio's certificates (RFC 6962 time stamps within), of Rekor's log entries and of DSSE.
"""

from __future__ import annotations

import hashlib
import json
import struct
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.kit.dists import Dist

PUBLISH = "https://docs.pypi.org/attestations/publish/v1"
SLSA = "https://slsa.dev/provenance/v1"

WORKFLOW = "https://github.com/acme/demo/.github/workflows/release.yml@refs/tags/v1"
GITHUB = {
    "8": "https://token.actions.githubusercontent.com",
    "12": "https://github.com/acme/demo",
    "13": "0123456789abcdef0123456789abcdef01234567",
    "14": "refs/tags/v1",
    "18": WORKFLOW,
}
"""What the certificate of a workflow claims, by the number of the extension."""

_CLAIMS = "1.3.6.1.4.1.57264.1"
_TIME_STAMPS = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
_SIGNED_AT = datetime(2026, 1, 1, tzinfo=UTC)
_PAYLOAD_TYPE = b"application/vnd.in-toto+json"
_ALGORITHM = ec.ECDSA(hashes.SHA256())


class Sigstore:
    """An authority for certificates, a log of them, and a log of signatures."""

    def __init__(self) -> None:
        self._authority, self._certificates, self._signatures = (ec.generate_private_key(ec.SECP256R1()) for _ in "123")
        self._issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority of the tests")])
        self._root = self._authority_certificate()

    def write_trusted_root(self, directory: Path) -> Path:
        path = directory / "trusted_root.json"
        path.write_text(json.dumps(self.trusted_root()))
        return path

    def trusted_root(self) -> dict[str, Any]:
        always = {"start": "2020-01-01T00:00:00Z"}
        root = {"rawBytes": _base64(self._root.public_bytes(serialization.Encoding.DER))}
        return {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [_log(self._signatures, always)],
            "certificateAuthorities": [
                {
                    "subject": {"organization": "tests", "commonName": "authority of the tests"},
                    "uri": "https://authority.test",
                    "certChain": {"certificates": [root]},
                    "validFor": always,
                }
            ],
            "ctlogs": [_log(self._certificates, always)],
            "timestampAuthorities": [],
        }

    def attest(self, dist: Dist, predicate: str = PUBLISH, **who: Any) -> dict[str, Any]:
        """Return an attestation of ``dist`` by ``who`` (see `sign`)."""
        subject = {"name": dist.filename, "digest": {"sha256": dist.sha256}}
        return self.sign(statement(subject, predicate=predicate), **who)

    def sign(
        self,
        said: Mapping[str, Any],
        *,
        identity: x509.GeneralName | None = None,
        claims: Mapping[str, str] = GITHUB,
    ) -> dict[str, Any]:
        """Return an attestation with the statement ``said``, signed by a key that was made for it."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self.certificate(key, identity or x509.UniformResourceIdentifier(WORKFLOW), claims)
        payload = json.dumps(said).encode()
        signature = key.sign(_pae(payload), _ALGORITHM)
        der, pem = (certificate.public_bytes(each) for each in (serialization.Encoding.DER, serialization.Encoding.PEM))
        return {
            "version": 1,
            "verification_material": {
                "certificate": _base64(der),
                "transparency_entries": [self._entry(payload, signature, pem)],
            },
            "envelope": {"statement": _base64(payload), "signature": _base64(signature)},
        }

    def certificate(
        self, key: ec.EllipticCurvePrivateKey, identity: x509.GeneralName, claims: Mapping[str, str]
    ) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(self._issuer)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(_SIGNED_AT - timedelta(minutes=5))
            .not_valid_after(_SIGNED_AT + timedelta(minutes=5))
            .add_extension(_usage(digital_signature=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._authority.public_key()), critical=False
            )
            .add_extension(x509.SubjectAlternativeName([identity]), critical=True)
        )
        for number, text in claims.items():
            oid = x509.ObjectIdentifier(f"{_CLAIMS}.{number}")
            builder = builder.add_extension(x509.UnrecognizedExtension(oid, _der(0x0C, text.encode())), critical=False)
        unstamped = builder.sign(self._authority, hashes.SHA256()).tbs_certificate_bytes
        stamp = x509.UnrecognizedExtension(_TIME_STAMPS, _der(0x04, self._stamp(unstamped)))
        return builder.add_extension(stamp, critical=False).sign(self._authority, hashes.SHA256())

    def _authority_certificate(self) -> x509.Certificate:
        public = self._authority.public_key()
        return (
            x509.CertificateBuilder()
            .subject_name(self._issuer)
            .issuer_name(self._issuer)
            .public_key(public)
            .serial_number(1)
            .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
            .not_valid_after(datetime(2040, 1, 1, tzinfo=UTC))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(key_cert_sign=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .sign(self._authority, hashes.SHA256())
        )

    def _stamp(self, certificate: bytes) -> bytes:
        """Return RFC 6962's list with the one time stamp of a certificate that does not have it yet."""
        at = int(_SIGNED_AT.timestamp() * 1000)
        entry = _key_id(self._authority) + len(certificate).to_bytes(3, "big") + certificate
        signature = self._certificates.sign(struct.pack("!BBQH", 0, 0, at, 1) + entry + b"\0\0", _ALGORITHM)
        head = b"\0" + _key_id(self._certificates) + struct.pack("!QH", at, 0)
        stamp = head + struct.pack("!BBH", 4, 3, len(signature)) + signature
        return struct.pack("!HH", len(stamp) + 2, len(stamp)) + stamp

    def _entry(self, payload: bytes, signature: bytes, pem: bytes) -> dict[str, Any]:
        """Return Rekor's entry, which is the first and only one of its log."""
        spec = {
            "envelopeHash": {"algorithm": "sha256", "value": hashlib.sha256(b"of the envelope").hexdigest()},
            "payloadHash": {"algorithm": "sha256", "value": hashlib.sha256(payload).hexdigest()},
            "signatures": [{"signature": _base64(signature), "verifier": _base64(pem)}],
        }
        body = json.dumps({"apiVersion": "0.0.1", "kind": "dsse", "spec": spec}).encode()
        log, at = _key_id(self._signatures), int(_SIGNED_AT.timestamp())
        promised = {"body": _base64(body), "integratedTime": at, "logID": log.hex(), "logIndex": 0}
        promise = self._signatures.sign(json.dumps(promised, separators=(",", ":")).encode(), _ALGORITHM)
        root = hashlib.sha256(b"\0" + body).digest()
        note = f"log.test\n1\n{_base64(root)}\n"
        signed = log[:4] + self._signatures.sign(note.encode(), _ALGORITHM)
        proof = {
            "logIndex": "0",
            "rootHash": _base64(root),
            "treeSize": "1",
            "hashes": [],
            "checkpoint": {"envelope": f"{note}\n\u2014 log.test {_base64(signed)}\n"},
        }
        return {
            "logIndex": "0",
            "logId": {"keyId": _base64(log)},
            "kindVersion": {"kind": "dsse", "version": "0.0.1"},
            "integratedTime": str(at),
            "inclusionPromise": {"signedEntryTimestamp": _base64(promise)},
            "inclusionProof": proof,
            "canonicalizedBody": _base64(body),
        }


def statement(*subjects: Mapping[str, Any], predicate: str = PUBLISH) -> dict[str, Any]:
    """Return in-toto's statement about ``subjects``."""
    kind = "https://in-toto.io/Statement/v1"
    return {"_type": kind, "subject": list(subjects), "predicateType": predicate, "predicate": None}


def _pae(payload: bytes) -> bytes:
    return b"DSSEv1 %d %s %d %s" % (len(_PAYLOAD_TYPE), _PAYLOAD_TYPE, len(payload), payload)


def _log(key: ec.EllipticCurvePrivateKey, always: Mapping[str, str]) -> dict[str, Any]:
    public = {"rawBytes": _base64(_public(key)), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": always}
    log = {"keyId": _base64(_key_id(key))}
    return {"baseUrl": "https://log.test", "hashAlgorithm": "SHA2_256", "publicKey": public, "logId": log}


def _public(key: ec.EllipticCurvePrivateKey) -> bytes:
    public = key.public_key()
    return public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _key_id(key: ec.EllipticCurvePrivateKey) -> bytes:
    return hashlib.sha256(_public(key)).digest()


def _usage(*, digital_signature: bool = False, key_cert_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def _base64(content: bytes) -> str:
    return b64encode(content).decode()
