"""A server's certificate, read from PEM with those above it and its key."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

MIN_RSA_BITS = 2048
"""What browsers, OpenSSL since 3.2 and the CA/Browser Forum demand."""

MIN_CURVE_BITS = 256
"""As strong as RSA of 3072 bits; nothing smaller is in use."""

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey
"""What a server can show a certificate with in TLS 1.3."""

_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_KEY = re.compile(rb"-----BEGIN ((?:[A-Z]+ )?PRIVATE KEY)-----.+?-----END \1-----", re.DOTALL)


class BadCertificate(ValueError):
    """It cannot be used; the message says why, and of which file is for the caller to say."""


@dataclass(frozen=True)
class ServerCertificate:
    """What a server shows to say who it is."""

    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    """Those between it and an authority that clients know, in this order."""
    key: PrivateKey = field(repr=False)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The hosts that it is for: names in lower case, some with ``*.`` before them, and addresses."""
        return names_of(self.certificate)

    @property
    def begins(self) -> float:
        """Seconds since 1970, as is `ends`."""
        return self.certificate.not_valid_before_utc.timestamp()

    @property
    def ends(self) -> float:
        return self.certificate.not_valid_after_utc.timestamp()

    @cached_property
    def digest(self) -> str:
        """Another one for any other certificate."""
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    def __str__(self) -> str:
        return f"{', '.join(self.names)} (until {self.certificate.not_valid_after_utc:%Y-%m-%d})"


def parse_certificates(pem: bytes) -> tuple[x509.Certificate, ...]:
    """Return those in the text, in its order, each once. Raises `BadCertificate`, also if there is none."""
    found = []
    for text in dict.fromkeys(_CERTIFICATE.findall(pem)):
        try:
            certificate = x509.load_pem_x509_certificate(text)
            _ = certificate.extensions  # read now, so that all that is asked of them later can be answered
            found.append(certificate)
        except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as e:
            raise BadCertificate(f"certificate {len(found) + 1} is damaged") from e
    if not found:
        raise BadCertificate("there is no certificate in PEM form")
    return tuple(found)


def parse_keys(pem: bytes) -> tuple[PrivateKey, ...]:
    """Return the private keys in the text, of which there may be none. Raises `BadCertificate`."""
    return tuple(_parse_key(match[0]) for match in _KEY.finditer(pem))


def _parse_key(pem: bytes) -> PrivateKey:
    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError as e:
        raise BadCertificate("the private key has a passphrase, which nobody is there to type") from e
    except (ValueError, UnsupportedAlgorithm) as e:
        raise BadCertificate("the private key is damaged") from e
    if not isinstance(key, PrivateKey):
        raise BadCertificate("the private key is of a kind that TLS has no more use for")
    return key


def pair(certificates: Sequence[x509.Certificate], keys: Sequence[PrivateKey]) -> ServerCertificate:
    """Return the first certificate with its key, and the others as its chain. Raises `BadCertificate`."""
    first, *chain = certificates
    for key in keys:
        if _public_bytes(key.public_key()) == _public_bytes(first.public_key()):
            return ServerCertificate(first, tuple(chain), key)
    if not keys:
        raise BadCertificate("there is no private key for it: name its file in private_keys")
    raise BadCertificate("none of the private keys belongs to it")


def _public_bytes(key: Any) -> bytes:
    return bytes(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def problems_of(certificate: ServerCertificate) -> Iterator[str]:
    """Yield what would have clients refuse it, whatever the time is."""
    if not certificate.names:
        yield "it names no host: clients look at its subjectAltName alone"
    strength = _weakness(certificate.key)
    if strength is not None:
        yield strength
    algorithm = certificate.certificate.signature_hash_algorithm
    if isinstance(algorithm, hashes.MD5 | hashes.SHA1):
        yield f"it is signed with {algorithm.name.upper()}, which clients do not accept any more"
    if not _is_for_servers(certificate.certificate):
        yield "it is not for servers: its extendedKeyUsage does not have serverAuth"
    below = certificate.certificate
    for number, above in enumerate(certificate.chain, 2):
        try:
            below.verify_directly_issued_by(above)
        except (ValueError, TypeError, InvalidSignature):
            yield f"certificate {number} of the file did not issue the one before it"
            return
        below = above


def warning_of(certificate: ServerCertificate) -> str | None:
    """Return what some clients may refuse it for."""
    # Whoever says where to fetch the certificate above mostly means one that clients do not have.
    if not certificate.chain and _says_where_issuer_is(certificate.certificate):
        return "it comes without those between it and its authority, if there are any: name the file with all of them"
    return None


def time_problem(certificate: ServerCertificate, now: float) -> str | None:
    """Return what is wrong with it at ``now``, in seconds since 1970."""
    if now < certificate.begins:
        return f"it is not valid before {certificate.certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC"
    if now >= certificate.ends:
        return f"it has expired on {certificate.certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"
    return None


def names_of(certificate: x509.Certificate) -> tuple[str, ...]:
    """Return the hosts that it is for."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    hosts = [name.lower() for name in names.get_values_for_type(x509.DNSName)]
    return (*hosts, *map(str, names.get_values_for_type(x509.IPAddress)))


def _weakness(key: PrivateKey) -> str | None:
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size < MIN_RSA_BITS:
        return f"its RSA key of {key.key_size} bits is too weak: {MIN_RSA_BITS} are the least"
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.key_size < MIN_CURVE_BITS:
        return f"its key on a curve of {key.curve.key_size} bits is too weak: {MIN_CURVE_BITS} are the least"
    return None


def _is_for_servers(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return bool({ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE} & set(usage))


def _says_where_issuer_is(certificate: x509.Certificate) -> bool:
    try:
        access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except x509.ExtensionNotFound:
        return False
    return any(each.access_method == AuthorityInformationAccessOID.CA_ISSUERS for each in access)
