"""SIGHUP and certificates: new ones for new connections, or the old ones and the reason."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.kit.authority import Authority, Issued, p192, rsa_of, write_secret
from tests.kit.daemon import Daemon, DaemonFactory
from tests.kit.processes import clean_environment, eventually, free_port
from tests.kit.tls_client import serial_of, tls_connect

AUTHORITY = Authority()
ASKS = b"GET /-/health HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Renewing:
    """A daemon whose certificate and key are two files, as certbot has them."""

    def __init__(self, start: DaemonFactory, directory: Path) -> None:
        self.port = free_port()
        self.directory = directory
        self.certificate, self.key = directory / "fullchain.pem", directory / "privkey.pem"
        self.put(AUTHORITY.issue("localhost"))
        server = {
            "listen": [f"tls:{self.port}:interface=127.0.0.1"],
            "certificates": [str(self.certificate)],
            "private_keys": [str(self.key)],
        }
        self.config = {"server": server, "index": {"pypi": {"enabled": False}, "main": {"bases": []}}}
        self.daemon: Daemon = start(self.config)

    def put(self, issued: Issued) -> Issued:
        self.put_key(issued.key_pem)
        self.put_certificate(issued.certificate_pem)
        return issued

    def put_certificate(self, pem: bytes) -> None:
        write_secret(self.certificate, pem)

    def put_key(self, pem: bytes) -> None:
        write_secret(self.key, pem)

    def shown(self) -> int:
        """The serial number of the certificate that a new connection is shown."""
        with tls_connect(self.port, name="localhost") as peer:
            return serial_of(peer)

    def log_since(self, begin: int) -> str:
        return self.daemon.log()[begin:]


@pytest.fixture
def renewing(daemon: DaemonFactory, tmp_path: Path) -> Renewing:
    return Renewing(daemon, tmp_path)


def test_new_certificate(renewing: Renewing) -> None:
    """D08: open connections keep theirs and go on; openssl sees the new one."""
    before = renewing.shown()
    command = ["openssl", "s_client", "-quiet", "-connect", f"127.0.0.1:{renewing.port}"]
    pipe = subprocess.PIPE
    with (
        tls_connect(renewing.port) as held,
        subprocess.Popen(
            command,
            stdin=pipe,
            stdout=pipe,
            stderr=subprocess.DEVNULL,
            env=clean_environment(renewing.directory),
        ) as client,
    ):
        assert client.stdin is not None
        assert client.stdout is not None
        for request in range(2):
            held.sendall(ASKS)
            assert held.recv(65536).startswith(b"HTTP/1.1 200 ")
            client.stdin.write(ASKS)
            client.stdin.flush()
            while client.stdout.readline() != b"ok\n":
                assert client.poll() is None
            if request == 0:
                fresh = renewing.put(AUTHORITY.issue("localhost"))
                renewing.daemon.reload()
                assert renewing.shown() == fresh.certificate.serial_number != before
        assert serial_of(held) == before
        client.kill()


BAD: dict[str, tuple[Callable[[], Issued], str]] = {
    "expired": (lambda: AUTHORITY.issue("localhost", begins=-9, ends=-2), "it has expired on"),
    "not yet valid": (lambda: AUTHORITY.issue("localhost", begins=2), "it is not valid before"),
    "no name": (AUTHORITY.issue, "it names no host"),
    "weak RSA": (lambda: AUTHORITY.issue("localhost", key=lambda: rsa_of(1024)), "RSA key of 1024 bits is too weak"),
    "weak curve": (lambda: AUTHORITY.issue("localhost", key=p192), "key on a curve of 192 bits is too weak"),
}


@pytest.mark.parametrize(("make", "why"), BAD.values(), ids=BAD)
def test_certificate_that_clients_would_refuse(make: Callable[[], Issued], why: str, renewing: Renewing) -> None:
    """D09: the old one stays, with all other settings."""
    before = renewing.shown()
    renewing.put(make())
    begin = len(renewing.daemon.log())
    renewing.daemon.sighup()
    renewing.daemon.wait_log("reload refused (1 problems): the old settings stay", start=begin)
    assert f"{renewing.certificate}" in renewing.log_since(begin)
    assert why in renewing.log_since(begin)
    assert renewing.shown() == before


def test_key_that_everybody_may_read(renewing: Renewing) -> None:
    """D09."""
    before = renewing.shown()
    renewing.put(AUTHORITY.issue("localhost"))
    renewing.key.chmod(0o604)
    begin = len(renewing.daemon.log())
    renewing.daemon.sighup()
    renewing.daemon.wait_log("reload refused", start=begin)
    assert f"chmod o= {renewing.key}" in renewing.log_since(begin)
    assert renewing.shown() == before


@pytest.mark.parametrize("first", ["certificate", "key"])
def test_one_file_after_the_other(first: str, renewing: Renewing) -> None:
    """D10: whoever reloads in between is given the time to finish, and nobody sees anything of it."""
    before, fresh = renewing.shown(), AUTHORITY.issue("localhost")
    parts = [lambda: renewing.put_certificate(fresh.certificate_pem), lambda: renewing.put_key(fresh.key_pem)]
    now, later = parts if first == "certificate" else reversed(parts)
    now()
    begin = len(renewing.daemon.log())
    renewing.daemon.sighup()
    renewing.daemon.wait_log("tried again in 1.0 s", start=begin)
    assert renewing.shown() == before
    later()
    renewing.daemon.wait_log("reloaded", start=begin)
    assert renewing.shown() == fresh.certificate.serial_number


def test_expired_certificate_in_force(renewing: Renewing) -> None:
    """D11: it is served, loudly, and keeps nothing else from being reloaded."""
    expired = renewing.put(AUTHORITY.issue("localhost", begins=-9, ends=-2))
    renewing.daemon.restart()
    renewing.daemon.wait_log("the certificate for localhost has expired: clients refuse it")
    renewing.daemon.reload()
    assert renewing.shown() == expired.certificate.serial_number


def test_names_that_are_gone(renewing: Renewing) -> None:
    """D09: nobody has said which names are needed, so this is a warning."""
    renewing.put(AUTHORITY.issue("localhost", "index.test"))
    renewing.daemon.reload()
    renewing.put(AUTHORITY.issue("localhost"))
    renewing.daemon.reload()
    assert "no certificate is for index.test any more" in renewing.daemon.log()


def test_storm_of_reloads(renewing: Renewing) -> None:
    """D07, for TLS: no handshake fails, and no context is left behind in an open file."""
    for _ in range(20):
        renewing.put(AUTHORITY.issue("localhost"))
        renewing.daemon.sighup()
        with tls_connect(renewing.port) as peer:
            peer.sendall(ASKS)
            assert peer.recv(65536).startswith(b"HTTP/1.1 200 ")
    last = renewing.put(AUTHORITY.issue("localhost"))
    renewing.daemon.sighup()
    assert eventually(lambda: renewing.shown() == last.certificate.serial_number, 15)
