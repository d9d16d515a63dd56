"""Which peers are taken for proxies."""

import pytest

from pypid.domain.trusted_proxies import TrustedProxies, parse_network


def test_addresses_networks_and_sockets() -> None:
    trusted = TrustedProxies(["127.0.0.1", "10.0.0.0/8", "2001:db8::/32", "unix"])
    for peer in ("127.0.0.1", "10.1.2.3", "::ffff:10.1.2.3", "2001:db8::1", "unix"):
        assert trusted.has(peer), peer
    for peer in ("127.0.0.2", "11.0.0.1", "::1", "::ffff:11.0.0.1", "2001:db9::1", "fe80::1%eth0", "unknown", "_x", ""):
        assert not trusted.has(peer), peer


def test_nobody_unless_it_is_said() -> None:
    for peer in ("127.0.0.1", "unix", "::1"):
        assert not TrustedProxies().has(peer)
        assert not TrustedProxies(["192.0.2.1"]).has(peer)


def test_what_is_no_network() -> None:
    with pytest.raises(ValueError, match=r"did you mean 10\.0\.0\.0/8\?"):
        parse_network("10.1.2.3/8")
    for text in ("localhost", "10.0.0.0/33", "", "10.0.0.1:80"):
        with pytest.raises(ValueError, match="no address"):
            TrustedProxies([text])
