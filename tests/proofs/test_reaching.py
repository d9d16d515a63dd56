"""The way to an upstream, with real sockets and certificates."""

from __future__ import annotations

import socket
import ssl
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
import trustme

from tests.kit.daemon import DaemonFactory
from tests.kit.dists import Dist, wheel
from tests.kit.processes import run
from tests.kit.rawclient import Answer, get
from tests.kit.upstream import Fin, NoLength, ScriptedIndex, SocketUpstream, redirect

LONG_AGO = datetime.now(UTC) - timedelta(days=20)
TWISTD = [sys.executable, "-c", "from twisted.scripts.twistd import run; run()"]


@pytest.fixture
def demo(index: ScriptedIndex) -> Dist:
    return index.add(wheel("demo", "1.0", size=300_000))


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(tmp_path: Path, authority: trustme.CA) -> str:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def context(leaf: trustme.LeafCert, *, clients_of: trustme.CA | None = None) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(made)
    if clients_of is not None:
        clients_of.configure_trust(made)
        made.verify_mode = ssl.CERT_REQUIRED
    return made


@contextmanager
def blackhole() -> Iterator[int]:
    """A port where connecting never ends: its queue, of one, is full, and nobody takes anything from it."""
    with ExitStack() as ends:
        listener = ends.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            client = ends.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def mirrors(**settings: dict[str, Any]) -> dict[str, Any]:
    return {"server": {"default_index": next(iter(settings))}, "index": {"main": {"enabled": False}, **settings}}


def said(answer: Answer) -> str:
    assert answer.status in {502, 503}
    return answer.body.decode()


def file_of(url: str, demo: Dist) -> Answer:
    return get(urljoin(url, f"../files/demo/{demo.sha256[:16]}/{demo.filename}"))


def test_hosts_that_cannot_be_reached(daemon: DaemonFactory, index: ScriptedIndex, upstream: SocketUpstream) -> None:
    """A01, A03, A04, A05: each says why, and another mirror is not held up."""
    index.add(wheel("demo", "1.0"))
    with blackhole() as hole, socket.create_server(("127.0.0.1", 0)) as silent:
        ways = {
            "dns": (f"http://{'a' * 64}.test/", "has no address"),
            "refused": ("http://127.0.0.1:1/", "refused"),
            "hole": (f"http://127.0.0.1:{hole}/", "127.0.0.1 does not connect within 0.5 s"),
            "silent": (f"https://127.0.0.1:{silent.getsockname()[1]}/", "TLS does not begin within 0.5 s"),
        }
        settings = {name: {"upstream": url, "connect_timeout": 0.5} for name, (url, _) in ways.items()}
        d = daemon(config=mirrors(good={"upstream": upstream.url}, **settings))
        for name, (_, why) in ways.items():
            assert why in said(get(f"{d.index_url(name)}demo/"))
        assert get(f"{d.index_url('good')}demo/").status == 200


def expired(authority: trustme.CA) -> ssl.SSLContext:
    return context(authority.issue_cert("127.0.0.1", not_before=LONG_AGO, not_after=LONG_AGO + timedelta(days=1)))


def of_another_host(authority: trustme.CA) -> ssl.SSLContext:
    return context(authority.issue_cert("upstream.test", "127.0.0.2"))


def of_nobody_known(_: trustme.CA) -> ssl.SSLContext:
    return context(trustme.CA().issue_cert("127.0.0.1"))


def without_its_intermediate(authority: trustme.CA) -> ssl.SSLContext:
    leaf = authority.create_child_ca().issue_cert("127.0.0.1")
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with leaf.private_key_pem.tempfile() as key, leaf.cert_chain_pems[0].tempfile() as alone:
        made.load_cert_chain(alone, key)
    return made


def of_tls_1_0(authority: trustme.CA) -> ssl.SSLContext:
    made = context(authority.issue_cert("127.0.0.1"))
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        made.minimum_version = made.maximum_version = ssl.TLSVersion.TLSv1
    made.set_ciphers("ALL:@SECLEVEL=0")
    return made


@pytest.mark.parametrize(
    ("serve", "why"),
    [
        (expired, "the certificate of 127.0.0.1 has expired"),
        (of_another_host, "but of another host"),
        (of_nobody_known, "ca_file"),
        (without_its_intermediate, "does not send those in between"),
        (of_tls_1_0, "versions of TLS that are no longer safe"),
    ],
)
def test_a48_certificates_that_are_not_good(
    daemon: DaemonFactory,
    index: ScriptedIndex,
    authority: trustme.CA,
    ca_file: str,
    serve: Callable[[trustme.CA], ssl.SSLContext],
    why: str,
) -> None:
    with SocketUpstream(index, serve(authority)) as upstream:
        d = daemon(config=mirrors(pypi={"upstream": upstream.url, "ca_file": ca_file}))
        assert why in said(get(f"{d.simple}demo/"))
        assert index.requests == []


def test_a49_a_machine_without_authorities(daemon: DaemonFactory, upstream: SocketUpstream, tmp_path: Path) -> None:
    """It exits 78 at the start; mirroring an http index needs none."""
    config = tmp_path / "pypid.conf"
    config.write_text('[server]\nlisten = "tcp:0:interface=127.0.0.1"\n')
    gone = {"SSL_CERT_FILE": str(tmp_path / "gone.pem"), "SSL_CERT_DIR": ""}
    started = run(
        [*TWISTD, "--nodaemon", "--pidfile=", "pypid", "--config", config], home=tmp_path / "home", env=gone, timeout=20
    )
    assert started.returncode == 78, started.stdout
    assert f"[index.pypi] {gone['SSL_CERT_FILE']}: No such file" in started.stdout
    d = daemon(config=mirrors(pypi={"upstream": upstream.url}), env=gone)
    assert get(d.simple).status == 200


def test_a50_an_end_of_tls_without_notice(
    daemon: DaemonFactory, index: ScriptedIndex, demo: Dist, authority: trustme.CA, ca_file: str
) -> None:
    """It ends a body whose length was not said, if the digest is right; a body cut off so is never passed for whole."""
    with SocketUpstream(index, context(authority.issue_cert("127.0.0.1"))) as upstream:
        d = daemon(config=mirrors(pypi={"upstream": upstream.url, "ca_file": ca_file}))
        path = index.file_path(demo)
        index.script(path, NoLength() | Fin(100_000), times=None)
        cut = file_of(d.simple, demo)
        assert cut.status != 200 or not cut.complete
        index.heal()
        index.script(path, NoLength())
        assert file_of(d.simple, demo).body == demo.content


def test_a33_a_certificate_of_ours_for_one_mirror_alone(
    daemon: DaemonFactory, index: ScriptedIndex, demo: Dist, authority: trustme.CA, ca_file: str, tmp_path: Path
) -> None:
    """Another mirror of the same server does not use its connections; a reload reads it anew."""
    good, bad = authority.issue_cert("pypid.test"), trustme.CA().issue_cert("pypid.test")
    ours = tmp_path / "ours.pem"
    ours.write_bytes(good.private_key_and_cert_chain_pem.bytes())
    with SocketUpstream(index, context(authority.issue_cert("127.0.0.1"), clients_of=authority)) as upstream:
        settings = {"upstream": upstream.url, "ca_file": ca_file, "ttl": 0, "grace": 0}
        config = mirrors(known={**settings, "client_certificate": str(ours)}, stranger=settings)
        d = daemon(config=config)
        for _ in range(2):
            assert get(f"{d.index_url('known')}demo/").status == 200
            assert "TLS failed" in said(get(f"{d.index_url('stranger')}demo/"))
        assert file_of(d.simple, demo).body == demo.content
        ours.write_bytes(bad.private_key_and_cert_chain_pem.bytes())
        index.add(wheel("other", "1.0"))
        d.reload()
        assert "TLS failed" in said(get(f"{d.index_url('known')}other/"))
        ours.write_bytes(b"")
        begin = len(d.log())
        d.sighup()
        d.wait_log("reload refused", start=begin)
        assert "[index.known] client_certificate: " in d.log()[begin:]


@pytest.mark.parametrize("allowed", [False, True])
def test_a38_another_host_with_a_private_address(
    daemon: DaemonFactory, index: ScriptedIndex, upstream: SocketUpstream, demo: Dist, *, allowed: bool
) -> None:
    """Upstream itself may be on this machine, as here; where it leads may not, unless the mirror says so."""
    with SocketUpstream(ScriptedIndex()) as inside:
        inside.index.add(wheel("demo", "1.0", size=300_000))
        path = index.file_path(demo)
        index.script(path, redirect(f"http://localhost:{inside.port}{path}"))
        hosts = [f"*:{inside.port}"]
        d = daemon(config=mirrors(pypi={"upstream": upstream.url, "allow_hosts": hosts, "allow_private": allowed}))
        answer = file_of(d.simple, demo)
        if allowed:
            assert answer.body == demo.content
        else:
            assert "allow_private" in said(answer)
            assert inside.index.requests == []
