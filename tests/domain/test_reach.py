"""Which hosts are asked for the sake of an upstream."""

from __future__ import annotations

import pytest

from pypid.domain.reach import AllowedHosts, host_of, origin_of

UPSTREAM = "https://index.test/simple/"


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://index.test/files/demo.whl", True),
        ("https://INDEX.test:443/", True),
        ("https://index.test./", True),
        ("http://index.test/", True),
        ("https://index.test:8443/", False),
        ("https://index.test:22/", False),
        ("https://files.test/", True),
        ("https://files.test:8443/", False),
        ("https://cdn.test:8443/", True),
        ("https://cdn.test/", False),
        ("https://a.b.mirrors.test/", True),
        ("https://mirrors.test/", False),
        ("https://evilmirrors.test/", False),
        ("https://index.test.evil.test/", False),
        ("https://127.0.0.1/", False),
        ("https://[::1]:8000/", True),
        ("https://[::1]/", False),
    ],
)
def test_a37_own_host_and_the_named_ones(url: str, *, allowed: bool) -> None:
    hosts = AllowedHosts([UPSTREAM], ["files.test", "cdn.test:8443", "*.mirrors.test", "[::1]:8000"])
    assert hosts.allow(url) is allowed


def test_upstream_on_another_port_is_that_port_only() -> None:
    """A service beside the index, on the same machine, is not what was configured."""
    hosts = AllowedHosts(["http://index.test:8080/simple/"])
    assert hosts.allow("http://index.test:8080/x")
    assert not hosts.allow("http://index.test/x")
    assert not hosts.allow("http://index.test:9000/x")


def test_star_is_every_host_on_its_usual_port() -> None:
    hosts = AllowedHosts([UPSTREAM], ["*"])
    assert hosts.allow("https://anywhere.test/")
    assert not hosts.allow("https://anywhere.test:22/")


def test_a_named_host_is_no_star() -> None:
    hosts = AllowedHosts([UPSTREAM], ["Files.test:8443", "*.mirrors.test", "[::1]:8000", "*"])
    for host in ("index.test", "INDEX.test.", "files.test", "::1"):
        assert hosts.name(host)
    for host in ("a.mirrors.test", "mirrors.test", "other.test"):
        assert not hosts.name(host)


def test_failover_upstreams_are_allowed_too() -> None:
    assert AllowedHosts([UPSTREAM, "https://second.test/simple/"]).allow("https://second.test/x")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "/relative", "https:///nothing", "https://a:99999/"])
def test_what_has_no_origin(url: str) -> None:
    with pytest.raises(ValueError, match=r"URL|[Pp]ort"):
        origin_of(url)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://Files.test/x", "files.test"),
        ("https://files.test:443/x", "files.test"),
        ("http://files.test:443/x", "files.test:443"),
        ("https://[::1]/x", "[::1]"),
        ("https://[::1]:8000/x", "[::1]:8000"),
    ],
)
def test_host_is_named_as_a_pattern_names_it(url: str, host: str) -> None:
    assert host_of(url) == host
    assert AllowedHosts([UPSTREAM], [host]).allow(url)
