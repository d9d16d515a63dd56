"""An authority of one's own: what it issues, clients accept, and it can issue no more than that."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from pypid.domain.certificates import BadCertificate, names_of, pair, problems_of
from pypid.domain.private_authority import MOST_DAYS, Authority, host_name, issue, new_authority, new_key, renewed_names

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NAMES = ("index.lan", "*.b.lan", "192.0.2.1", "2001:db8::1")


@pytest.fixture
def authority() -> Authority:
    return new_authority(NAMES, new_key(), NOW)


def is_accepted(certificate: x509.Certificate, authority: Authority, name: str, now: datetime = NOW) -> bool:
    """Ask a verifier that is not OpenSSL, and follows the Web's own rules."""
    host = host_name(name)
    assert isinstance(host, x509.DNSName | x509.IPAddress)
    builder = PolicyBuilder().store(Store([authority.certificate])).time(now)
    try:
        builder.build_server_verifier(host).verify(certificate, [])
    except VerificationError:
        return False
    return True


def test_certificate(authority: Authority) -> None:
    """For its names, from an hour before it was made, and for its days."""
    key = new_key()
    certificate = issue(authority, NAMES, key, NOW, MOST_DAYS)
    assert set(names_of(certificate)) == set(NAMES)
    assert list(problems_of(pair([certificate], [key]))) == []
    for name in ("index.lan", "x.b.lan", "192.0.2.1"):
        assert is_accepted(certificate, authority, name)
        assert is_accepted(certificate, authority, name, NOW + timedelta(days=396))
        assert not is_accepted(certificate, authority, name, NOW + timedelta(days=397))
        assert not is_accepted(certificate, authority, name, NOW - timedelta(hours=2))
    assert not is_accepted(certificate, authority, "other.lan")


@pytest.mark.parametrize("names", [["public.example"], ["index.lan", "lan"], ["192.0.2.2"], ["xindex.lan"], ["::1"]])
def test_names_of_others(names: list[str], authority: Authority) -> None:
    with pytest.raises(BadCertificate, match="cannot vouch for"):
        issue(authority, names, new_key(), NOW, 10)


@pytest.mark.parametrize("own", ["index.lan", "192.0.2.1"])
@pytest.mark.parametrize("other", ["public.example", "198.51.100.1", "2001:db8::2"])
def test_clients_do_not_believe_it_for_others(own: str, other: str) -> None:
    """Also if its key falls into the hands of somebody who does not ask us."""
    limited = new_authority([own], new_key(), NOW)
    free = new_authority([own, other], limited.key, NOW)
    stolen = Authority(_without_limits(limited.certificate, free.certificate), limited.key)
    certificate = issue(stolen, [other], new_key(), NOW, 10)
    assert is_accepted(certificate, stolen, other)
    assert not is_accepted(certificate, limited, other)


def _without_limits(limited: x509.Certificate, free: x509.Certificate) -> x509.Certificate:
    """Return the certificate of the same name and key that vouches for more."""
    assert limited.public_key() == free.public_key()
    assert limited.subject == free.subject
    return free


def test_no_longer_than_the_authority(authority: Authority) -> None:
    late = NOW + timedelta(days=3640)
    certificate = issue(authority, ["index.lan"], new_key(), late, MOST_DAYS)
    assert certificate.not_valid_after_utc <= authority.certificate.not_valid_after_utc
    with pytest.raises(BadCertificate, match="expired"):
        issue(authority, ["index.lan"], new_key(), late + timedelta(days=10), MOST_DAYS)


@pytest.mark.parametrize(
    "text", ["", "a b", "-a.lan", "*.lan", "*", "a..lan", "https://a.lan", "a.lan:80", "1.2.3", "\xe4.lan", "a" * 64]
)
def test_no_host(text: str) -> None:
    with pytest.raises(BadCertificate, match="neither a host's name"):
        host_name(text)


@pytest.mark.parametrize(
    "text", ["index", "Index.LAN.", "a_b.lan", "xn--bcher-kva.lan", "3com.lan", "127.0.0.1", "::1"]
)
def test_host(text: str) -> None:
    assert host_name(text).value is not None


def test_renewal_is_for_the_same_names(authority: Authority) -> None:
    certificate = issue(authority, NAMES, new_key(), NOW, 10)
    assert set(renewed_names(certificate)) == set(NAMES)
    with pytest.raises(BadCertificate, match="names no host"):
        renewed_names(authority.certificate)
