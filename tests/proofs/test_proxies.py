"""pypid behind a real HTTP proxy: the way its requests take, and what is said when they do not arrive."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

import pytest
import trustme

from tests.kit.daemon import Daemon, DaemonFactory
from tests.kit.dists import Dist, wheel
from tests.kit.processes import free_port
from tests.kit.rawclient import get
from tests.kit.tinyproxy import Tinyproxy
from tests.kit.upstream import ScriptedIndex, SocketUpstream

PASSWORD = "pass-w0rd_of.bob"


@dataclass
class Network:
    """An upstream and the proxy before it."""

    upstream: SocketUpstream
    proxy: Tinyproxy
    demo: Dist
    trust: dict[str, str]
    """The environment in which upstream's certificate is good."""

    def config(self, **more: object) -> dict[str, object]:
        return {"index": {"pypi": {"upstream": self.upstream.url, **more}}}

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self.upstream.port}"

    def check_came_by_proxy(self) -> None:
        """Of all that upstream was asked, the proxy knows."""
        seen = self.upstream.index.requests
        assert seen
        if self.upstream.root.startswith("https:"):
            # One tunnel for each connection.
            assert self.proxy.asked == [f"CONNECT {self.target}"] * len({request.peer_port for request in seen})
        else:
            assert self.proxy.asked == [f"{request.method} {self.upstream.root}{request.path}" for request in seen]
            assert all("tinyproxy" in request.headers["via"] for request in seen)

    def check_came_directly(self) -> None:
        assert self.upstream.index.requests
        assert self.proxy.asked == []
        assert not [request for request in self.upstream.index.requests if "via" in request.headers]


@pytest.fixture(params=["http", "https"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def trust(tmp_path: Path, scheme: str) -> tuple[ssl.SSLContext | None, dict[str, str]]:
    if scheme == "http":
        return None, {}
    authority = trustme.CA()
    bundle = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(bundle))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context, {"SSL_CERT_FILE": str(bundle)}


@pytest.fixture
def network(
    tmp_path: Path, index: ScriptedIndex, trust: tuple[ssl.SSLContext | None, dict[str, str]]
) -> Iterator[Network]:
    """A proxy that wants a password."""
    context, env = trust
    proxy = Tinyproxy(tmp_path, user="bob", password=PASSWORD)
    with SocketUpstream(index, context) as upstream, proxy:
        yield Network(upstream, proxy, index.add(wheel("demo", "1.0", size=500_000)), env)


def installs(d: Daemon, demo: Dist) -> None:
    """The page and the file are there."""
    assert get(f"{d.simple}demo/").status == 200
    answer = get(urljoin(d.simple, f"../files/demo/{demo.sha256[:16]}/{demo.filename}"))
    assert answer.status == 200
    assert answer.body == demo.content


def test_a_proxy_of_the_environment(daemon: DaemonFactory, network: Network, scheme: str) -> None:
    env = network.trust | {f"{scheme.upper()}_PROXY": network.proxy.url}
    d = daemon(config=network.config(), env=env)
    d.secrets += [PASSWORD, network.proxy.url]
    installs(d, network.demo)
    network.check_came_by_proxy()
    assert f"by way of the proxy {network.proxy.address}" in d.log()


def test_a_proxy_of_the_configuration(daemon: DaemonFactory, network: Network) -> None:
    """The environment is not asked, not even about exceptions; a reload can take it back."""
    elsewhere = f"http://127.0.0.1:{free_port()}"
    env = network.trust | {"ALL_PROXY": elsewhere, "NO_PROXY": "*"}
    d = daemon(config=network.config(proxy=network.proxy.url, ttl=0, grace=0), env=env)
    d.secrets += [PASSWORD, network.proxy.url]
    installs(d, network.demo)
    network.check_came_by_proxy()
    asked = len(network.proxy.asked)
    d.reload(network.config(proxy="none", ttl=0, grace=0))
    assert get(f"{d.simple}demo/").status == 200
    assert len(network.proxy.asked) == asked
    assert "via" not in network.upstream.index.requests[-1].headers


@pytest.mark.parametrize("no_proxy", ["*", "127.0.0.1", "10.0.0.0/8,127.0.0.0/8"])
def test_no_proxy_is_respected(daemon: DaemonFactory, network: Network, no_proxy: str) -> None:
    d = daemon(config=network.config(), env=network.trust | {"ALL_PROXY": network.proxy.url, "NO_PROXY": no_proxy})
    installs(d, network.demo)
    network.check_came_directly()


def test_a_proxy_that_wants_a_password_is_blamed_by_name(daemon: DaemonFactory, network: Network) -> None:
    d = daemon(config=network.config(proxy=network.proxy.address), env=network.trust)
    answer = get(f"{d.simple}demo/")
    assert answer.status == 503
    assert f"the proxy {network.proxy.address} wants a user and a password" in answer.body.decode()
    assert network.upstream.index.requests == []


def test_a_wrong_password_is_told_to_nobody(daemon: DaemonFactory, network: Network, scheme: str) -> None:
    """Without a tunnel, tinyproxy's 401 cannot be told from one of the upstream's."""
    url = network.proxy.address.replace("//", "//bob:wrong-password@")
    d = daemon(config=network.config(proxy=url), env=network.trust)
    d.secrets.append("wrong-password")
    answer = get(f"{d.simple}demo/")
    said = answer.body.decode()
    if scheme == "https":
        assert f"the proxy {network.proxy.address} does not take our user and password" in said
    assert answer.status == (503 if scheme == "https" else 502)
    assert "wrong-password" not in said
    assert network.upstream.index.requests == []


def test_a_proxy_that_is_down(daemon: DaemonFactory, network: Network) -> None:
    """Nothing goes around it; when it is back, so is the index."""
    network.proxy.stop()
    d = daemon(config=network.config(proxy=network.proxy.url), env=network.trust)
    answer = get(f"{d.simple}demo/")
    assert answer.status == 503
    assert f"the proxy {network.proxy.address} " in answer.body.decode()
    assert network.upstream.index.requests == []


@pytest.mark.parametrize("scheme", ["https"])
def test_the_certificate_is_checked_through_the_proxy(daemon: DaemonFactory, network: Network, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    d = daemon(config=network.config(proxy=network.proxy.url), env={"SSL_CERT_FILE": str(other)})
    assert get(f"{d.simple}demo/").status == 503
    assert network.proxy.asked == [f"CONNECT {network.target}"]
    assert network.upstream.index.requests == []


def test_a_proxy_that_pypid_does_not_speak_to(daemon: DaemonFactory, upstream: SocketUpstream) -> None:
    """It does not start, rather than go another way than it was told to; a mirror's own setting helps."""
    env = {"ALL_PROXY": "socks5://bob:secret@127.0.0.1:1"}
    with pytest.raises(AssertionError, match="ALL_PROXY: expected the URL of a proxy") as caught:
        daemon(config={"index": {"pypi": {"upstream": upstream.url}}}, env=env)
    assert "secret" not in str(caught.value)
    daemon(config={"index": {"pypi": {"upstream": upstream.url, "proxy": "none"}}}, env=env)
