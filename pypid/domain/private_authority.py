"""Certificates for a LAN: an authority of one's own, and what it issues."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pypid.domain.certificates import BadCertificate, PrivateKey, names_of

MOST_DAYS = 397
"""For which a certificate may be valid: a day less than browsers take (CA/Browser Forum, ballot SC31)."""

AUTHORITY_DAYS = 3650
"""Ten years: each end of an authority is a walk to every machine that trusts it."""

EARLIER = timedelta(hours=1)
"""For clients whose clock is behind."""

LONGEST_NAME = 253
"""Characters of a host's name (RFC 1035, 2.3.4)."""

_LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
# A wildcard for a whole top-level domain is refused by clients; and a last label of digits is an address gone wrong.
_HOST = re.compile(rf"(?:\*\.(?=[^.]+\.))?(?:{_LABEL}\.)*(?!\d+\Z){_LABEL}", re.ASCII)

SERVER = "pypid, server"
"""
The subject of certificates, of which clients look at the alternative names alone.

No host, on purpose: where a certificate is for addresses only, OpenSSL holds
the name against the authority's constraints on names.
"""


@dataclass(frozen=True)
class Authority:
    """A certificate that clients trust, and the key to issue others with."""

    certificate: x509.Certificate
    key: PrivateKey = field(repr=False)


def host_name(text: str) -> x509.GeneralName:
    """
    Return ``text``, a host's name or address, as a certificate has it.

    Raises `BadCertificate` for what is neither.
    """
    try:
        return x509.IPAddress(ip_address(text))
    except ValueError:
        pass
    name = text.lower().removesuffix(".")
    if _HOST.fullmatch(name) is None or len(name) > LONGEST_NAME:
        raise BadCertificate(f"{text!r} is neither a host's name, such as index.lan, nor an IP address")
    return x509.DNSName(name)


def new_authority(names: Sequence[str], key: PrivateKey, now: datetime) -> Authority:
    """
    Return an authority that can vouch for ``names``, what is below them, and nothing else.

    Whoever trusts it need not fear that somebody who gets at its key can be
    their bank (RFC 5280, section 4.2.1.10).
    """
    name = _subject("pypid, private authority", now)
    builder = _builder(name, name, key, now, AUTHORITY_DAYS)
    for extension, critical in (
        (x509.BasicConstraints(ca=True, path_length=0), True),
        (_usage(issues=True), True),
        (_constraints([host_name(each) for each in names]), True),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
    ):
        builder = builder.add_extension(extension, critical=critical)
    return Authority(builder.sign(key, _hash_for(key)), key)


def issue(authority: Authority, names: Sequence[str], key: PrivateKey, now: datetime, days: int) -> x509.Certificate:
    """
    Return a server's certificate for ``names``, valid for ``days`` days, but for no longer than the authority.

    Raises `BadCertificate` if clients would not believe this authority.
    """
    certificate = authority.certificate
    hosts = [host_name(each) for each in names]
    strangers = [str(host.value) for host in hosts if not _may_vouch(certificate, host)]
    if strangers:
        raise BadCertificate(f"that authority cannot vouch for {', '.join(strangers)}")
    left = (certificate.not_valid_after_utc - now).days
    if left < 1:
        raise BadCertificate("that authority has expired, or does so today")
    builder = _builder(_subject(SERVER, None), certificate.subject, key, now, min(days, left))
    issuer = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    for extension, critical in (
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_usage(issues=False), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        (x509.SubjectAlternativeName(hosts), False),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        (x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer), False),
    ):
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(authority.key, _hash_for(authority.key))


def new_key() -> ec.EllipticCurvePrivateKey:
    """Return one on P-256, which every client knows."""
    return ec.generate_private_key(ec.SECP256R1())


def renewed_names(certificate: x509.Certificate) -> tuple[str, ...]:
    """Return what a certificate is renewed for. Raises `BadCertificate` if it names no host."""
    names = names_of(certificate)
    if not names:
        raise BadCertificate("it names no host")
    return names


def _subject(common_name: str, made: datetime | None) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if made is not None:
        # Two authorities of one name would be taken for one another.
        attributes.append(x509.NameAttribute(NameOID.SERIAL_NUMBER, f"{made:%Y%m%d%H%M%S%f}"))
    return x509.Name(attributes)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: PrivateKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    begin = now.astimezone(UTC) - EARLIER
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=days))
    )


def _usage(*, issues: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not issues,
        key_cert_sign=issues,
        crl_sign=issues,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _constraints(hosts: Sequence[x509.GeneralName]) -> x509.NameConstraints:
    permitted: list[x509.GeneralName] = []
    for host in hosts:
        if isinstance(host, x509.IPAddress):
            permitted.append(x509.IPAddress(ip_network(str(host.value))))
        else:
            permitted.append(x509.DNSName(str(host.value).removeprefix("*.")))
    excluded: list[x509.GeneralName] = []
    # A kind of name that is not mentioned would not be limited.
    if not any(isinstance(each, x509.IPAddress) for each in permitted):
        excluded += [x509.IPAddress(IPv4Network("0.0.0.0/0")), x509.IPAddress(IPv6Network("::/0"))]
    if not any(isinstance(each, x509.DNSName) for each in permitted):
        excluded.append(x509.DNSName(""))
    return x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=excluded or None)


def _may_vouch(authority: x509.Certificate, host: x509.GeneralName) -> bool:
    try:
        permitted = authority.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees
    except x509.ExtensionNotFound:
        return True
    if isinstance(host, x509.IPAddress):
        return any(isinstance(each, x509.IPAddress) and _is_in(host.value, each.value) for each in permitted or ())
    name = str(host.value).removeprefix("*.")
    tops = [each.value for each in permitted or () if isinstance(each, x509.DNSName)]
    return any(name == top or name.endswith(f".{top}") for top in tops)


def _is_in(address: object, network: object) -> bool:
    return isinstance(network, IPv4Network | IPv6Network) and address in network


def _hash_for(key: PrivateKey) -> hashes.SHA256 | None:
    """Return what to sign with; EdDSA has its own."""
    return hashes.SHA256() if isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) else None
