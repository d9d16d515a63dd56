"""B32: what proxies say of whom they ask for, and how far it is believed."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypid.domain.authority import is_authority
from pypid.domain.forwarded import (
    ClientSide,
    ForwardedUnclear,
    Hop,
    client_side,
    read_forwarded,
    read_node,
    read_x_forwarded,
)
from pypid.domain.trusted_proxies import TrustedProxies

TRUSTED = TrustedProxies(["10.0.0.0/8", "2001:db8:f::/48", "unix"])
CLIENT, PROXY, SPOOFED = "192.0.2.43", "10.0.0.2", "203.0.113.66"

TOKENS = st.text(string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~", min_size=1, max_size=8)
VALUES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), max_size=12)


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class TestForwarded:
    @pytest.mark.parametrize(
        ("text", "hops"),
        [
            ("", []),
            (" , ,", []),
            ('for="_gazonk"', [Hop(client="_gazonk")]),
            ('For="[2001:db8:cafe::17]:4711"', [Hop(client="[2001:db8:cafe::17]:4711")]),
            ("for=192.0.2.60;proto=http;by=203.0.113.43", [Hop(client="192.0.2.60", scheme="http")]),
            ("for=192.0.2.43, for=198.51.100.17", [Hop(client="192.0.2.43"), Hop(client="198.51.100.17")]),
            ("for=192.0.2.43,,for=198.51.100.17;", [Hop(client="192.0.2.43"), Hop(client="198.51.100.17")]),
            ("for=192.0.2.43:80 ; HOST=a.test:8080", [Hop(client="192.0.2.43:80", host="a.test:8080")]),
            ('for="a,b;c=\\"d"', [Hop(client='a,b;c="d')]),
            ("secret=x", [Hop()]),
        ],
    )
    def test_examples_of_the_rfc_and_others(self, text: str, hops: list[Hop]) -> None:
        assert read_forwarded(text) == hops

    @pytest.mark.parametrize(
        "text",
        ['for="a', "for=a for=b", 'for="a"b', "for", "for=", "=a", "for=a;for=b", "for=a;For=b", "for = a", "for=a/b"],
    )
    def test_what_is_no_list(self, text: str) -> None:
        with pytest.raises(ForwardedUnclear):
            read_forwarded(text)

    @given(st.lists(st.dictionaries(TOKENS.map(str.lower), VALUES, min_size=1, max_size=4), max_size=4))
    def test_what_was_written_is_read(self, elements: list[dict[str, str]]) -> None:
        text = ", ".join(";".join(f"{name}={quoted(value)}" for name, value in each.items()) for each in elements)
        expected = [Hop(client=e.get("for"), scheme=e.get("proto"), host=e.get("host")) for e in elements]
        assert read_forwarded(text) == expected

    @given(st.text('for=proths";,\\ \t[]:1.a_', max_size=30))
    def test_no_quote_of_a_client_swallows_what_a_proxy_adds(self, said: str) -> None:
        for added in (f"for={CLIENT};proto=http", f'for="{CLIENT}";proto="http"', 'for="[2001:db8::1]:80";proto=http'):
            try:
                hops = read_forwarded(f"{said}, {added}")
            except ForwardedUnclear:
                continue
            assert hops[-1] == read_forwarded(added)[0]

    @given(st.text(max_size=60))
    def test_no_text_is_too_strange(self, text: str) -> None:
        try:
            client_side(read_forwarded(text), TRUSTED, prefix=text)
        except ForwardedUnclear:
            return


class TestXForwarded:
    def test_each_proxy_adds_to_the_right(self) -> None:
        hops = read_x_forwarded(f"{SPOOFED}, {CLIENT}, {PROXY}", "https, http", "a.test, b.test")
        assert hops == [
            Hop(client=SPOOFED, scheme="https", host="a.test"),
            Hop(client=CLIENT, scheme="https", host="a.test"),
            Hop(client=PROXY, scheme="http", host="b.test"),
        ]

    def test_one_value_is_all_proxies(self) -> None:
        assert {(hop.scheme, hop.host) for hop in read_x_forwarded("a,b,c", "https", "x.test")} == {("https", "x.test")}

    def test_scheme_alone(self) -> None:
        assert read_x_forwarded("", "https", "") == [Hop(scheme="https")]
        assert read_x_forwarded(" , ", "", "") == [Hop()]


class TestClientSide:
    def test_nobody_says_anything(self) -> None:
        assert client_side([], TRUSTED) == ClientSide()

    def test_first_who_is_none_of_ours_is_the_client(self) -> None:
        hops = [Hop(client=SPOOFED, scheme="https", host="evil.test"), Hop(client=CLIENT, scheme="http", host="a.test")]
        expected = ClientSide(address=CLIENT, scheme="http", host="a.test")
        assert client_side(hops, TRUSTED) == expected
        assert client_side([*hops, Hop(client=PROXY, scheme="https", host="inner.test")], TRUSTED) == expected

    def test_what_is_further_to_the_left_may_be_anything(self) -> None:
        assert client_side([Hop(client="\x00", scheme="x", host="<"), Hop(client=CLIENT)], TRUSTED).address == CLIENT

    def test_all_are_ours(self) -> None:
        hops = [Hop(client="10.9.9.9", scheme="https"), Hop(client="unix:")]
        assert client_side(hops, TRUSTED) == ClientSide(address="10.9.9.9", scheme="https")

    def test_whom_a_proxy_hides(self) -> None:
        for hidden in ("unknown", "_SEVKISEK"):
            hops = [Hop(client=SPOOFED), Hop(client=hidden), Hop(client=PROXY)]
            assert client_side(hops, TRUSTED).address == hidden

    def test_what_cannot_be_read(self) -> None:
        for hop in (Hop(client="nobody"), Hop(client=CLIENT, scheme="ftp"), Hop(client=CLIENT, host="a b")):
            with pytest.raises(ForwardedUnclear):
                client_side([hop], TRUSTED)

    @pytest.mark.parametrize(
        ("said", "prefix"), [("", ""), ("/", ""), ("/pypi", "/pypi"), ("/pypi/", "/pypi"), ("/a/b-c_d.e", "/a/b-c_d.e")]
    )
    def test_prefix(self, said: str, prefix: str) -> None:
        assert client_side([], TRUSTED, prefix=said).prefix == prefix

    @pytest.mark.parametrize("said", ["pypi", "//evil.test", "/a//b", "/a/../b", "/.", '/a"b', "/a?b", "/a b", "/\xe9"])
    def test_what_is_no_prefix(self, said: str) -> None:
        with pytest.raises(ForwardedUnclear):
            client_side([], TRUSTED, prefix=said)

    @given(
        st.lists(st.ip_addresses().map(str), max_size=4),
        st.lists(st.sampled_from([PROXY, "10.1.1.1", "2001:db8:f::1"]), max_size=3),
    )
    def test_no_client_can_pretend_to_be_another(self, spoofed: list[str], ours: list[str]) -> None:
        hops = read_x_forwarded(", ".join([*spoofed, CLIENT, *ours]), "", "")
        assert client_side(hops, TRUSTED).address == CLIENT


@pytest.mark.parametrize(
    ("text", "node"),
    [
        (CLIENT, CLIENT),
        (f"{CLIENT}:47011", CLIENT),
        (f"{CLIENT}:_x", CLIENT),
        ("[2001:DB8::0:1]", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("::ffff:192.0.2.43", CLIENT),
        ("Unknown", "unknown"),
        ("_Ab.c-d_:80", "_Ab.c-d_"),
        ("unix:", "unix"),
    ],
)
def test_nodes(text: str, node: str) -> None:
    assert read_node(text) == node


@pytest.mark.parametrize(
    "text", ["", "unix", "a.test", "1.2.3", "1.2.3.4.5", "[::1", "fe80::1%eth0", "_", "_a b", "\n"]
)
def test_what_is_no_node(text: str) -> None:
    with pytest.raises(ForwardedUnclear):
        read_node(text)


def test_authorities() -> None:
    """B14: nothing that would be more than a host where it is put into a URL."""
    for text in ("a", "a.test:80", "A_b-c.test", "[::1]", "[2001:db8::1]:8443", "192.0.2.1:1", "a.test:"):
        assert is_authority(text), text
    for text in (
        "",
        "a b",
        "a/b",
        "u@a",
        "a:b",
        "a:123456",
        'a"',
        "<a>",
        "a\n",
        "a?b",
        "a#b",
        "[::1",
        "::1",
        "\xe9",
        "a%41",
    ):
        assert not is_authority(text), text
