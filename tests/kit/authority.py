"""
Certificates of every kind, the bad ones included.

    authority = Authority()
    pem = authority.issue("index.test").pem            # the certificate, those above it, and its key
    authority.issue("index.test", ends=-1).write(path) # expired for a day; mode 0600
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def p256() -> Key:
    return ec.generate_private_key(ec.SECP256R1())


def p192() -> Key:
    return ec.generate_private_key(ec.SECP192R1())


def rsa_of(bits: int) -> Key:
    return rsa.generate_private_key(65537, bits)


@dataclass(frozen=True)
class Issued:
    """A certificate with its key, and those above it but for the root."""

    certificate: x509.Certificate
    key: Key
    between: tuple[x509.Certificate, ...] = ()

    @property
    def certificate_pem(self) -> bytes:
        return b"".join(each.public_bytes(Encoding.PEM) for each in (self.certificate, *self.between))

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @property
    def encrypted_key_pem(self) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))

    @property
    def pem(self) -> bytes:
        return self.certificate_pem + self.key_pem

    def write(self, path: Path) -> Path:
        return write_secret(path, self.pem)


def write_secret(path: Path, content: bytes) -> Path:
    """Write what nobody else may read, in one step: a daemon may be reading it."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.touch(0o600)
    temporary.write_bytes(content)
    return temporary.replace(path)


class Authority:
    """A root, with `Authority.below` for one between it and the servers."""

    def __init__(self, name: str = "test authority", above: Authority | None = None) -> None:
        self._above = above
        self.key = p256()
        self.subject = _name(name)
        issuer, signer = (above.subject, above.key) if above else (self.subject, self.key)
        builder = _builder(self.subject, issuer, self.key, -2, 3650)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        builder = builder.add_extension(_ca_usage(), critical=True)
        builder = builder.add_extension(
            x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), critical=False
        )
        if above is not None:
            builder = builder.add_extension(above.identifier, critical=False)
        self.certificate = builder.sign(signer, hashes.SHA256())

    @property
    def identifier(self) -> x509.AuthorityKeyIdentifier:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    def write(self, path: Path) -> Path:
        path.write_bytes(self.pem)
        return path

    def below(self) -> Authority:
        return Authority("test authority, below", self)

    def issue(
        self,
        *names: str,
        begins: float = -1,
        ends: float = 90,
        key: Callable[[], Key] = p256,
        usages: Sequence[x509.ObjectIdentifier] = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH),
        issuer_url: str | None = None,
    ) -> Issued:
        """Return a certificate for ``names``, valid from and to so many days from now."""
        own = key()
        builder = _builder(_name(names[0] if names else "nobody"), self.subject, own, begins, ends)
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        builder = builder.add_extension(self.identifier, critical=False)
        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([_host(name) for name in names]), critical=False
            )
        if issuer_url is not None:
            builder = builder.add_extension(_fetched_from(issuer_url), critical=False)
        signed = builder.sign(self.key, hashes.SHA256())
        return Issued(signed, own, tuple(each.certificate for each in self._chain()))

    def _chain(self) -> list[Authority]:
        return [] if self._above is None else [self, *self._above._chain()]


def _builder(subject: x509.Name, issuer: x509.Name, key: Key, begins: float, ends: float) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=begins))
        .not_valid_after(now + timedelta(days=ends))
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _host(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _fetched_from(url: str) -> x509.AuthorityInformationAccess:
    place = x509.UniformResourceIdentifier(url)
    return x509.AuthorityInformationAccess([x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, place)])


def _ca_usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=False,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
