"""TLS of a real daemon: clients, policy, handshakes gone wrong, certificates by name and from clients."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kit.authority import Authority, Issued
from tests.kit.clients import client_venv, make_venv, version_in
from tests.kit.daemon import Config, Daemon, DaemonFactory
from tests.kit.dists import wheel
from tests.kit.processes import eventually, free_port, run
from tests.kit.rawclient import RawClient, connect
from tests.kit.site import PASSWORD, PIP_26, USER, UV, Installer
from tests.kit.tls_client import names_in, tls_connect

ASKS = b"GET /-/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
ACTIVATE = """\
import os, socket, sys
port, *command = sys.argv[1:]
listener = socket.create_server(("127.0.0.1", int(port)))
os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1", "LISTEN_FDNAMES": "https"}
os.execv(command[0], command)
"""
"""What systemd does with a socket (sd_listen_fds): the program finds it as its descriptor 3."""
OWN = {"index": {"pypi": {"enabled": False}, "main": {"bases": []}}}


class Secured:
    """A daemon with an address for TLS, and what it shows."""

    def __init__(self, start: DaemonFactory, directory: Path, *issued: Issued, **server: object) -> None:
        self.port = free_port()
        self.paths = [each.write(directory / f"server-{number}.pem") for number, each in enumerate(issued)]
        self.server = {
            "listen": [f"tls:{self.port}:interface=127.0.0.1"],
            "certificates": [str(path) for path in self.paths],
            **server,
        }
        self.daemon: Daemon = start(self.config)
        self.url = f"https://localhost:{self.port}/"

    @property
    def config(self) -> Config:
        return {**OWN, "server": self.server}

    def openssl(self, *args: str) -> subprocess.CompletedProcess[str]:
        """Have `openssl s_client` shake hands."""
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{self.port}", *args]
        return run(command, home=self.daemon.directory, stdin="Q\n")


@pytest.fixture
def authority() -> Authority:
    return Authority()


def drips(peer: RawClient, data: bytes) -> bool:
    """Send one byte more of ``data``, and return whether that was possible."""
    try:
        peer.send(data[:1])
    except ConnectionError:
        return False
    return True


def read_all(peer: socket.socket) -> bytes:
    return b"".join(iter(lambda: peer.recv(65536), b""))


@pytest.mark.parametrize("installer", [PIP_26, UV], ids=str)
def test_upload_and_install(installer: Installer, daemon: DaemonFactory, authority: Authority, tmp_path: Path) -> None:
    """Clients that trust the authority alone are sent what is between it and the certificate."""
    bundle = authority.write(tmp_path / "bundle.pem")
    secured = Secured(daemon, tmp_path, authority.below().issue("localhost"))
    secured.daemon.add_user(USER, PASSWORD)
    trust = {"SSL_CERT_FILE": str(bundle), "PIP_CERT": str(bundle)}

    demo = wheel("demo", "1.0", size=2**20)
    path = tmp_path / demo.filename
    path.write_bytes(demo.content)
    who = {"UV_PUBLISH_USERNAME": USER, "UV_PUBLISH_PASSWORD": PASSWORD}
    uv = UV.client(tmp_path / "home")
    published = uv.run("uv", "publish", "--publish-url", secured.url, path, env={**trust, **who})
    assert published.returncode == 0, published.stdout

    target = make_venv(tmp_path / "target")
    installed = installer.install(
        installer.client(tmp_path / "home"), target, "demo", index_url=f"{secured.url}simple/", env=trust
    )
    assert installed.returncode == 0, installed.stdout
    assert version_in(target, demo.module, home=tmp_path) == "1.0"


@pytest.mark.parametrize("names", [["localhost"], ["127.0.0.1"], ["localhost", "127.0.0.1", "::1"]], ids="+".join)
def test_certificate_of_ones_own(names: list[str], daemon: DaemonFactory, tmp_path: Path) -> None:
    """
    `pypid cert self-signed`: each client believes it, by the setting that we name, and not for other names.

    Its authority is limited to the names, which clients understand each in their own way.
    """
    folder, home = tmp_path / "tls", tmp_path / "home"
    options = [option for name in names for option in ("--name", name)]
    command = [sys.executable, "-m", "pypid.cli.main", "cert", "self-signed", "--out", str(folder), *options]
    made = run(command, home=tmp_path)
    assert made.returncode == 0, made.stdout
    port = free_port()
    server = {"listen": [f"tls:{port}:interface=127.0.0.1"], "certificates": [str(folder / f"{names[0]}.pem")]}
    daemon({**OWN, "server": server}).add_user(USER, PASSWORD)
    ca, url = str(folder / "ca.pem"), f"https://{names[0]}:{port}/"

    demo = wheel("demo", "1.0")
    path = tmp_path / demo.filename
    path.write_bytes(demo.content)
    # What a machine may set for all programs would win over what is set for one.
    alone = {"REQUESTS_CA_BUNDLE": "", "CURL_CA_BUNDLE": "", "SSL_CERT_FILE": "", "SSL_CERT_DIR": ""}
    twine = client_venv("twine", "7.*", home=home)
    who = ["--repository-url", url, "--non-interactive", "-u", USER, "-p", PASSWORD]
    uploaded = twine.run("twine", "upload", *who, path, env={**alone, "TWINE_CERT": ca})
    assert uploaded.returncode == 0, uploaded.stdout
    for installer, trust in ((PIP_26, {"PIP_CERT": ca}), (UV, {"SSL_CERT_FILE": ca})):
        target, client = make_venv(tmp_path / str(installer)), installer.client(home)
        installed = installer.install(client, target, "demo", index_url=f"{url}simple/", env={**alone, **trust})
        assert installed.returncode == 0, installed.stdout
    curl = ["curl", "--silent", "--show-error", "--cacert", ca]
    assert run([*curl, f"{url}-/health"], home=tmp_path).stdout == "ok\n"
    other = ["--connect-to", f"other.test:{port}:127.0.0.1:{port}", f"https://other.test:{port}/"]
    assert run([*curl, *other], home=tmp_path).returncode == 60


def test_policy(daemon: DaemonFactory, authority: Authority, tmp_path: Path) -> None:
    """TLS 1.2 and 1.3, with forward secrecy and AEAD, HTTP/1.1, no session resumed, nothing negotiated anew."""
    secured = Secured(daemon, tmp_path, authority.issue("localhost"))
    weak = "ALL:@SECLEVEL=0"
    for version in ("-tls1", "-tls1_1"):
        assert secured.openssl(version, "-cipher", weak).returncode != 0
    for cipher in (
        "AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES128-SHA256",
        "ECDHE-ECDSA-AES128-SHA",
        "DHE-RSA-AES128-GCM-SHA256",
    ):
        assert secured.openssl("-tls1_2", "-cipher", f"{cipher}:@SECLEVEL=0").returncode != 0
    for version in ("-tls1_2", "-tls1_3"):
        said = secured.openssl(version, "-alpn", "h2,http/1.1").stdout
        assert "ALPN protocol: http/1.1" in said
        assert "Compression: NONE" in said or "Compression" not in said
        assert "Reused, " not in secured.openssl(version, "-reconnect").stdout
    renegotiated = run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{secured.port}", "-tls1_2"],
        home=tmp_path,
        stdin="R\nGET /-/health HTTP/1.1\n",
    )
    assert "no renegotiation" in renegotiated.stdout


def test_certificates_by_name(daemon: DaemonFactory, authority: Authority, tmp_path: Path) -> None:
    """The first is for who asks for no name or for an unknown one; all of them have the same site (B14)."""
    issued = authority.issue("localhost", "127.0.0.1"), authority.issue("index.test"), authority.issue("*.b.test")
    secured = Secured(daemon, tmp_path, *issued)
    ca = authority.write(tmp_path / "ca.pem")
    for name, shown in (
        ("localhost", {"localhost", "127.0.0.1"}),
        ("INDEX.test", {"index.test"}),
        ("a.b.test", {"*.b.test"}),
    ):
        with tls_connect(secured.port, ca=ca, name=name, protocols=("h2", "http/1.1")) as peer:
            assert names_in(peer) == shown
            assert peer.selected_alpn_protocol() == "http/1.1"
            peer.sendall(ASKS)
            assert read_all(peer).startswith(b"HTTP/1.1 200 ")
    for unknown in (None, "other.test"):
        with tls_connect(secured.port, name=unknown) as peer:
            assert names_in(peer) == {"localhost", "127.0.0.1"}


@pytest.mark.parametrize("named", ["localhost", "index.test"])
def test_clients_with_certificates(named: str, daemon: DaemonFactory, authority: Authority, tmp_path: Path) -> None:
    """Only those of the authority that is named, whichever of our certificates they are shown."""
    theirs = Authority("theirs")
    (tmp_path / "clients.pem").write_bytes(theirs.pem)
    good = theirs.issue("client").write(tmp_path / "good.pem")
    bad = authority.issue("client").write(tmp_path / "bad.pem")
    issued = authority.issue("localhost"), authority.issue("index.test")
    secured = Secured(daemon, tmp_path, *issued, client_ca=str(tmp_path / "clients.pem"))

    def asks(identity: Path | None) -> bytes:
        with tls_connect(secured.port, name=named, identity=identity) as peer:
            peer.sendall(ASKS)
            return read_all(peer)

    assert asks(good).startswith(b"HTTP/1.1 200 ")
    for identity in (None, bad):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            asks(identity)
    secured.server["client_certificates"] = "optional"
    secured.daemon.reload(secured.config)
    assert asks(None).startswith(b"HTTP/1.1 200 ")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        asks(bad)


def test_handshakes_that_do_not_end(daemon: DaemonFactory, authority: Authority, tmp_path: Path) -> None:
    """B08: silence, a drip, half a ClientHello, garbage: closed, without a word in the log but who was late."""
    secured = Secured(daemon, tmp_path, authority.issue("localhost"), header_timeout=1)
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100)
    with connect("127.0.0.1", secured.port) as silent, connect("127.0.0.1", secured.port) as half:
        half.send(hello)
        assert silent.read_to_end() == b""
        assert half.read_to_end() == b""
    with connect("127.0.0.1", secured.port) as dripping:
        assert eventually(lambda: not drips(dripping, hello), 10)
    for garbage in (b"\x00" * 100, b"\xff" * 5000, b"get / http/1.1\r\n\r\n", b"\x16\x03\x01\x00\x05hello"):
        with connect("127.0.0.1", secured.port) as peer:
            peer.send(garbage)
            assert b"HTTP" not in peer.read_to_end()
    with connect("127.0.0.1", secured.port) as leaving:
        leaving.send(hello)
    secured.daemon.wait_log("took too long to begin with TLS")


@pytest.mark.parametrize("sent", [ASKS, b"G", b"POST /legacy/ HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"])
def test_plain_http_is_told_so(sent: bytes, daemon: DaemonFactory, authority: Authority, tmp_path: Path) -> None:
    """B08: it is what people type."""
    secured = Secured(daemon, tmp_path, authority.issue("localhost"))
    with connect("127.0.0.1", secured.port) as peer:
        peer.send(sent)
        answer = peer.read_answer()
    assert (answer.status, answer.body) == (400, b"This port speaks TLS only: use https://.\n")


def test_start_without_a_usable_certificate(authority: Authority, tmp_path: Path) -> None:
    """It ends with the reason."""
    issued = authority.issue("localhost")
    path = issued.write(tmp_path / "server.pem")
    path.chmod(0o644)
    d = Daemon(tmp_path / "daemon", {"server": {"listen": ["tls:0"], "certificates": [str(path)]}})
    with pytest.raises(AssertionError, match="everybody may read or change this private key: chmod o= "):
        d.start()


def test_socket_that_systemd_opened(daemon: DaemonFactory, authority: Authority, tmp_path: Path) -> None:
    """TLS is spoken on it, as on one that pypid opens."""
    port = free_port()
    path = authority.issue("localhost").write(tmp_path / "server.pem")
    daemon(
        {**OWN, "server": {"listen": ["tls-systemd:domain=INET:name=https"], "certificates": [str(path)]}},
        prefix=[sys.executable, "-c", ACTIVATE, str(port)],
    )
    with tls_connect(port, ca=authority.write(tmp_path / "ca.pem"), name="localhost") as peer:
        peer.sendall(ASKS)
        assert read_all(peer).startswith(b"HTTP/1.1 200 ")
