"""Plain http beside TLS, from another address than loopback: what people and tools see of it (E16)."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.kit.authority import Authority
from tests.kit.clients import client_venv, make_venv, pip_install, uv_pip_install
from tests.kit.daemon import DaemonFactory
from tests.kit.dists import wheel
from tests.kit.processes import free_port, run
from tests.kit.site import PASSWORD, PIP_26, USER, UV


def own_address() -> str | None:
    """Return the address of this machine in its network; None where it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(("198.51.100.1", 9))  # which sends nothing
        except OSError:
            return None
        return str(sock.getsockname()[0])


ADDRESS = own_address()
pytestmark = pytest.mark.skipif(ADDRESS is None, reason="this machine is in no network")
OWN = {"index": {"pypi": {"enabled": False}, "main": {"bases": []}}}


class Beside:
    """A daemon with both, on the address of this machine."""

    def __init__(self, start: DaemonFactory, directory: Path) -> None:
        authority = Authority()
        self.ca = authority.write(directory / "ca.pem")
        pem = authority.issue(str(ADDRESS)).write(directory / "server.pem")
        self.http_port, self.https_port = free_port(), free_port()
        listen = [f"{kind}:interface={ADDRESS}" for kind in (f"tcp:{self.http_port}", f"tls:{self.https_port}")]
        self.server = {"listen": listen, "certificates": [str(pem)]}
        self.daemon = start({**OWN, "server": self.server})
        self.http, self.https = f"http://{ADDRESS}:{self.http_port}/", f"https://{ADDRESS}:{self.https_port}/"


@pytest.fixture
def beside(daemon: DaemonFactory, tmp_path: Path) -> Beside:
    return Beside(daemon, tmp_path)


def test_browser(beside: Beside, tmp_path: Path) -> None:
    command = ["curl", "--silent", "--location", "--cacert", str(beside.ca), "--write-out", "%{url_effective}"]
    answer = run([*command, "--header", "Accept: text/html", f"{beside.http}simple/"], home=tmp_path)
    assert answer.stdout.endswith(f"{beside.https}simple/")


def test_installers(beside: Beside, tmp_path: Path) -> None:
    """Both stop; pip shows the URL that works to who asks for more than a line."""
    index = f"{beside.http}simple/"
    pip = client_venv("pip", PIP_26.version, home=tmp_path)
    trusted = {"PIP_TRUSTED_HOST": str(ADDRESS)}
    by_pip = pip_install(pip, make_venv(tmp_path / "a"), "-vv", "demo", index_url=index, env=trusted)
    by_uv = uv_pip_install(UV.client(tmp_path), make_venv(tmp_path / "b"), "demo", index_url=index)
    for refused, said in ((by_pip, f"use {beside.https}"), (by_uv, "returned a 403 Forbidden error")):
        assert refused.returncode != 0
        assert said in " ".join(refused.stdout.split()), refused.stdout


def test_upload(beside: Beside, tmp_path: Path) -> None:
    """It is told to change the password; with TLS it works, and so it does on this machine."""
    beside.daemon.add_user(USER, PASSWORD)
    demo = wheel("demo", "1.0")
    path = tmp_path / demo.filename
    path.write_bytes(demo.content)
    env = {"UV_PUBLISH_USERNAME": USER, "UV_PUBLISH_PASSWORD": PASSWORD, "SSL_CERT_FILE": str(beside.ca)}
    uv = UV.client(tmp_path)
    refused = uv.run("uv", "publish", "--publish-url", beside.http, path, env=env)
    assert refused.returncode != 0
    assert "change it" in refused.stdout
    for url in (beside.https, beside.daemon.url):
        assert uv.run("uv", "publish", "--publish-url", url, path, env=env).returncode == 0


def test_setting_is_reloaded(beside: Beside, tmp_path: Path) -> None:
    curl = ["curl", "--silent", f"{beside.http}-/health"]
    assert "Nothing is served without TLS" in run(curl, home=tmp_path).stdout
    beside.daemon.reload({**OWN, "server": {**beside.server, "insecure_http": True}})
    assert run(curl, home=tmp_path).stdout == "ok\n"


def test_without_tls(daemon: DaemonFactory, tmp_path: Path) -> None:
    """How a team begins: passwords work, and the log says once what that means."""
    port = free_port()
    d = daemon({**OWN, "server": {"listen": [f"tcp:{port}:interface={ADDRESS}"]}})
    d.add_user(USER, PASSWORD)
    demo = wheel("demo", "1.0")
    path = tmp_path / demo.filename
    path.write_bytes(demo.content)
    env = {"UV_PUBLISH_USERNAME": USER, "UV_PUBLISH_PASSWORD": PASSWORD}
    for _ in range(2):
        published = UV.client(tmp_path).run(
            "uv", "publish", "--publish-url", f"http://{ADDRESS}:{port}/", path, env=env
        )
        assert published.returncode == 0, published.stdout
    assert d.log().count("passwords cross the network as they are") == 1
