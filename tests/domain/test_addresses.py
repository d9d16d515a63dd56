"""Public or not, and that nothing hides in an address that stands for another one (A38)."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypid.domain.addresses import is_public

PUBLIC = [
    "151.101.0.223",
    "1.1.1.1",
    "9.255.255.255",
    "172.32.0.1",
    "2a04:4e42::223",
    "2606:4700::1",
    "2620:4f:8000::1",
]
NOT_PUBLIC = [
    "0.0.0.0",  # noqa: S104  (nothing listens there)
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.168.1.1",
    "198.18.0.1",
    "203.0.113.7",
    "224.0.0.1",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::10.0.0.1",
    "::8.8.8.8",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]
PREFIXES = ["::ffff:0:0", "64:ff9b::"]


@pytest.mark.parametrize("text", PUBLIC)
def test_on_the_internet(text: str) -> None:
    assert is_public(ip_address(text))


@pytest.mark.parametrize("text", NOT_PUBLIC)
def test_not_on_the_internet(text: str) -> None:
    assert not is_public(ip_address(text))


@given(st.ip_addresses(v=4) | st.sampled_from([text for text in NOT_PUBLIC if ":" not in text]).map(IPv4Address))
def test_a_form_of_an_address_is_as_public_as_the_address(address: IPv4Address) -> None:
    """IPv4-mapped, NAT64 and 6to4: whoever is sent there arrives at the address inside."""
    forms = [IPv6Address(int(IPv6Address(prefix)) | int(address)) for prefix in PREFIXES]
    forms.append(IPv6Address(0x2002 << 112 | int(address) << 80 | 1))
    assert [is_public(form) for form in forms] == [is_public(address)] * 3


@given(st.ip_addresses())
def test_what_python_knows_to_be_inside_is_not_public(address: IPv4Address | IPv6Address) -> None:
    if address.is_private and not (isinstance(address, IPv6Address) and address.ipv4_mapped):
        assert not is_public(address)
