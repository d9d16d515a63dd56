"""Listen addresses: what is accepted, Twisted can use."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.endpoints import serverFromString
from twisted.internet.testing import MemoryReactor

from pypid.config.listen import BadAddress, below_tls, check_listen_address, local_url


@pytest.mark.parametrize(
    "description",
    [
        "tcp:8080",
        "tcp:0",
        "tcp:port=8080:interface=127.0.0.1:backlog=5",
        "tcp:8080:127.0.0.1",
        "tcp6:8080",
        r"tcp6:8080:interface=\:\:1",
        "unix:/run/pypid/http.sock",
        "unix:address=/run/x:mode=660:lockfile=0",
        r"unix:/run/a\:b",
        "tls:8443",
        "tls:port=8443:interface=127.0.0.1:backlog=5",
        r"tls:8443:interface=\:\:1",
        "tls6:8443",
    ],
)
def test_good(description: str) -> None:
    check_listen_address(description)
    assert serverFromString(MemoryReactor(), below_tls(description) or description) is not None


def test_sockets_of_systemd() -> None:
    """Which Twisted can make only while systemd hands some over."""
    check_listen_address("systemd:domain=INET6:name=http")
    check_listen_address("systemd:domain=UNIX:index=0")
    check_listen_address("tls-systemd:domain=INET6:name=https")


@pytest.mark.parametrize(
    ("description", "problem"),
    [
        ("8080", "did you mean tcp:8080?"),
        (":8080", "did you mean tcp:8080?"),
        ("*:8080", "did you mean tcp:8080?"),
        ("127.0.0.1:8080", "did you mean tcp:8080:interface=127.0.0.1?"),
        ("localhost:8080", "did you mean tcp:8080:interface=localhost?"),
        ("[::1]:8080", r"did you mean tcp6:8080:interface=\:\:1?"),
        ("", "kinds: tcp, tcp6, unix, systemd, tls, tls6, tls-systemd, as in tcp:8080"),
        ("http://0.0.0.0:8080", "kinds: tcp, tcp6"),
        ("tcp", "has no port (as in tcp:8080)"),
        ("tcp:", "has no port"),
        ("tcp:http", "expected a port from 0 to 65535, got 'http'"),
        ("tcp:65536", "expected a port from 0 to 65535, got '65536'"),
        ("tcp:\u0664", "expected a port from 0 to 65535"),
        ("tcp:8080:interface=::1", "(the colons of an IPv6 address are written \\:)"),
        ("tcp:8080:host=x", "'host=x' is not an argument here (have: port, interface, backlog)"),
        ("tcp:1:x:2:y", "'y' is not an argument here"),
        ("tcp6:1:many", "expected a number in base 10 for backlog, got 'many'"),
        ("tcp:1:backlog=many", "expected a number in base 10 for backlog, got 'many'"),
        ("unix:", "has no address (as in unix:/run/pypid/http.sock)"),
        ("unix:/x:mode=999", "expected a number in base 8 for mode, got '999'"),
        ("systemd:domain=INET", "needs an index or a name"),
        ("systemd:index=0", "has no domain"),
        ("systemd:domain=FOO:index=0", "the domain is one of INET, INET6, UNIX, not 'FOO'"),
        ("ssl:443:privateKey=x", "HTTPS is tls:8443, and its files are in certificates and private_keys"),
        ("tls", "has no port (as in tls:8443)"),
        ("tls:443:privateKey=x", "'privateKey=x' is not an argument here (have: port, interface, backlog)"),
        ("tls-systemd:domain=INET", "needs an index or a name"),
        ("tcp:1\\", "ends in a backslash"),
    ],
)
def test_bad(description: str, problem: str) -> None:
    with pytest.raises(BadAddress) as caught:
        check_listen_address(description)
    assert problem in str(caught.value)


words = st.sampled_from(
    ["tcp", "tcp6", "tls", "unix", "80", "x", "=", ":", "\\", "port", "interface", "backlog", "mode", ""]
)


@given(st.lists(words, max_size=8).map("".join))
def test_what_is_accepted_twisted_accepts(description: str) -> None:
    """Else the daemon would end with a traceback after a check had said that all was well."""
    try:
        check_listen_address(description)
    except BadAddress:
        return
    serverFromString(MemoryReactor(), below_tls(description) or description)


@pytest.mark.parametrize(
    ("description", "url"),
    [
        ("tcp:8080", "http://127.0.0.1:8080/"),
        ("tcp:port=80:interface=0.0.0.0:backlog=5", "http://127.0.0.1:80/"),
        ("tcp:8080:192.0.2.1", "http://192.0.2.1:8080/"),
        (r"tcp:8080:interface=\:\:", "http://[::1]:8080/"),
        ("tcp6:8080", "http://[::1]:8080/"),
        (r"tcp6:8080:interface=2001\:db8\:\:1", "http://[2001:db8::1]:8080/"),
        ("tls:443", "https://127.0.0.1:443/"),
        ("tls6:8443", "https://[::1]:8443/"),
        ("tls-systemd:domain=INET6:name=https", None),
        ("tcp:0", None),
        ("unix:/run/pypid/http.sock", None),
        ("systemd:domain=INET6:name=http", None),
    ],
)
def test_where_a_client_on_the_same_machine_finds_it(description: str, url: str | None) -> None:
    assert local_url(description) == url
