"""What makes a certificate one that clients accept."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from pypid.domain.certificates import (
    BadCertificate,
    ServerCertificate,
    pair,
    parse_certificates,
    parse_keys,
    problems_of,
    time_problem,
    warning_of,
)
from tests.kit.authority import Authority, Issued, p192, rsa_of
from tests.kit.processes import run

AUTHORITY = Authority()
BELOW = AUTHORITY.below()
DAY = 86400


def of(issued: Issued) -> ServerCertificate:
    return pair(parse_certificates(issued.pem), parse_keys(issued.pem))


def test_good() -> None:
    """With what is between it and the root, with a key of either kind, for names and addresses."""
    for issued in (
        BELOW.issue("index.test", "*.Index.test", "192.0.2.1", "2001:db8::1"),
        AUTHORITY.issue("index.test", key=lambda: rsa_of(2048)),
    ):
        assert list(problems_of(of(issued))) == []
        assert warning_of(of(issued)) is None
    certificate = of(BELOW.issue("index.test", "*.Index.test", "192.0.2.1", "2001:db8::1"))
    assert certificate.names == ("index.test", "*.index.test", "192.0.2.1", "2001:db8::1")
    assert certificate.chain == (BELOW.certificate,)


@pytest.mark.parametrize(
    ("issued", "problem"),
    [
        (AUTHORITY.issue(), "it names no host"),
        (AUTHORITY.issue("a.test", key=lambda: rsa_of(1024)), "RSA key of 1024 bits"),
        (AUTHORITY.issue("a.test", key=p192), "curve of 192 bits"),
        (AUTHORITY.issue("a.test", usages=[ExtendedKeyUsageOID.CLIENT_AUTH]), "not for servers"),
        (Issued(AUTHORITY.issue("a.test").certificate, p192()), "none of the private keys belongs to it"),
    ],
)
def test_bad(issued: Issued, problem: str) -> None:
    """D09, what the time has no part in."""
    try:
        problems = list(problems_of(of(issued)))
    except BadCertificate as e:
        problems = [str(e)]
    assert len(problems) == 1
    assert problem in problems[0]


def test_chain_in_the_wrong_order() -> None:
    issued = BELOW.issue("a.test")
    wrong = ServerCertificate(issued.certificate, (AUTHORITY.certificate, BELOW.certificate), issued.key)
    assert list(problems_of(wrong)) == ["certificate 2 of the file did not issue the one before it"]


def test_chain_that_may_be_missing() -> None:
    """D09: public authorities say where theirs is; a private one that issues directly mostly says nothing."""
    certificate = of(AUTHORITY.issue("a.test", issuer_url="http://ca.test/ca.der"))
    assert "name the file with all of them" in str(warning_of(certificate))
    whole = of(BELOW.issue("a.test", issuer_url="http://ca.test/ca.der"))
    assert warning_of(whole) is None


def test_signed_with_sha1(tmp_path: Path) -> None:
    """Which our own library does not do any more, and OpenSSL's command does."""
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-sha1", "-subj", "/CN=a.test"]
    made = [*command, "-addext", "subjectAltName=DNS:a.test", "-keyout", "key.pem", "-out", "certificate.pem"]
    assert run(made, home=tmp_path).returncode == 0
    certificates = parse_certificates((tmp_path / "certificate.pem").read_bytes())
    certificate = pair(certificates, parse_keys((tmp_path / "key.pem").read_bytes()))
    assert list(problems_of(certificate)) == ["it is signed with SHA1, which clients do not accept any more"]


@pytest.mark.parametrize(
    ("pem", "problem"),
    [
        (AUTHORITY.issue("a.test").encrypted_key_pem, "has a passphrase"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "is damaged"),
        (
            dsa.generate_private_key(2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
            "of a kind that TLS has no more use for",
        ),
    ],
)
def test_bad_key(pem: bytes, problem: str) -> None:
    with pytest.raises(BadCertificate, match=problem):
        parse_keys(pem)


def test_keys_in_any_order() -> None:
    issued = AUTHORITY.issue("a.test")
    others = (p192(), ed25519.Ed25519PrivateKey.generate())
    assert pair([issued.certificate], [*parse_keys(b"nothing"), *others, issued.key]).key is issued.key
    with pytest.raises(BadCertificate, match="name its file in private_keys"):
        pair([issued.certificate], [])


@given(st.binary(max_size=60), st.sampled_from([b"CERTIFICATE", b"PRIVATE KEY", b"EC PRIVATE KEY"]))
def test_any_bytes(content: bytes, label: bytes) -> None:
    """Half-written files and those of something else have no other end than this."""
    text = b"-----BEGIN %s-----\n%s\n-----END %s-----\n" % (label, content, label)
    with pytest.raises(BadCertificate):
        parse_certificates(text)
    with suppress(BadCertificate):
        assert parse_keys(text) == ()


@given(st.integers(0, 10**4))
def test_cut_off_anywhere(length: int) -> None:
    """A file that is being written over holds what it held before, or is refused."""
    whole = PAIR.pem
    part = whole[: length % len(whole)]
    try:
        found = pair(parse_certificates(part), parse_keys(part))
    except BadCertificate:
        return
    assert found.certificate == PAIR.certificate


PAIR = AUTHORITY.issue("a.test")


def test_times() -> None:
    certificate = of(AUTHORITY.issue("a.test", begins=-1, ends=1))
    assert "not valid before" in str(time_problem(certificate, certificate.begins - 1))
    assert time_problem(certificate, certificate.begins) is None
    assert time_problem(certificate, certificate.ends - 1) is None
    assert "has expired" in str(time_problem(certificate, certificate.ends))
    assert certificate.ends - certificate.begins == 2 * DAY
