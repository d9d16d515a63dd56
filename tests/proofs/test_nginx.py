"""docs/proxy.md: pypid behind a real nginx, which has the certificate and takes a prefix off."""

from __future__ import annotations

import http.client
import json
import ssl
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from http.client import HTTPResponse
from pathlib import Path
from urllib.parse import urljoin

import pytest

from tests.kit.bigwheel import BigWheel
from tests.kit.clients import make_venv, pip_install, uv_pip_install, version_in
from tests.kit.daemon import Daemon, DaemonFactory
from tests.kit.dists import wheel
from tests.kit.nginx import PREFIX, Nginx
from tests.kit.publishers import TWINE_7, UV_PUBLISH, Target
from tests.kit.rawclient import get
from tests.kit.site import PIP_26, UV
from tests.web.forms import BOUNDARY, part

PASSWORD = "correct horse battery staple"
MIB = 2**20
ALICE = {"Authorization": "Basic " + b64encode(f"alice:{PASSWORD}".encode()).decode()}
JSON = "application/vnd.pypi.simple.v1+json"
INDEXES = {"main": {"bases": [], "admin": ["alice"]}, "pypi": {"enabled": False}}
SPOOFED = {
    "X-Forwarded-For": "203.0.113.66",
    "X-Forwarded-Proto": "ftp",
    "X-Forwarded-Host": "evil.test",
    "X-Forwarded-Prefix": "/evil",
    "Forwarded": "for=203.0.113.66;host=evil.test",
}
"""What a client may say itself."""


@dataclass(frozen=True)
class Proxied:
    """A daemon, and the nginx in front of it."""

    daemon: Daemon
    nginx: Nginx

    def connect(self, source: str = "127.0.0.1") -> http.client.HTTPSConnection:
        """Connect to nginx, from an address of this machine's many."""
        context = ssl.create_default_context(cafile=str(self.nginx.bundle))
        return http.client.HTTPSConnection(
            "localhost", self.nginx.port, timeout=30, context=context, source_address=(source, 0)
        )

    def audited(self, project: str) -> tuple[str, str]:
        """Return who has uploaded a project, and from where, as the audit log has it."""
        answer = get(f"{self.daemon.url}-/api/v1/audit", headers=ALICE)
        event = next(event for event in json.loads(answer.body)["events"] if event["project"] == project)
        return event["user"], event["address"]


@pytest.fixture
def proxied(daemon: DaemonFactory, tmp_path: Path) -> Iterator[Proxied]:
    d = daemon(config={"server": {"trusted_proxies": ["127.0.0.1"]}, "index": INDEXES})
    d.add_user("alice", PASSWORD)
    with Nginx(tmp_path, d.port) as nginx:
        yield Proxied(d, nginx)


def ask(
    connection: http.client.HTTPSConnection, path: str, headers: dict[str, str] | None = None, method: str = "GET"
) -> tuple[HTTPResponse, bytes]:
    connection.request(method, f"/{PREFIX}{path}", headers=headers or {})
    response = connection.getresponse()
    return response, response.read()


def test_uv_twine_and_pip_by_way_of_it(proxied: Proxied, tmp_path: Path) -> None:
    target = Target(url=proxied.nginx.url, user="alice", password=PASSWORD, env=proxied.nginx.trust)
    for publisher, name in ((UV_PUBLISH, "by-uv"), (TWINE_7, "by-twine")):
        published = publisher.publish(tmp_path / name, wheel(name), target)
        assert published.returncode == 0, published.stdout
        assert proxied.audited(name) == ("alice", "127.0.0.1")
    pip, uv = PIP_26.client(tmp_path / "pip"), UV.client(tmp_path / "uv")
    for install, client, name in ((pip_install, pip, "by-uv"), (uv_pip_install, uv, "by-twine")):
        python = make_venv(tmp_path / f"target-{name}")
        result = install(client, python, name, index_url=f"{proxied.nginx.url}simple/", env=proxied.nginx.trust)
        assert result.returncode == 0, result.stdout
        assert version_in(python, name.replace("-", "_"), home=tmp_path) == "1.0"


def test_b32_client_is_the_one_that_nginx_sees(proxied: Proxied) -> None:
    """Whatever it says itself; and its URLs are those that it knows."""
    connection = proxied.connect(source="127.0.0.7")
    _, welcome = ask(connection, "", SPOOFED)
    assert f"pip install -i {proxied.nginx.url}simple/ NAME" in welcome.decode()
    _upload(connection, wheel("demo").filename, wheel("demo").content, "demo", SPOOFED)
    assert proxied.audited("demo") == ("alice", "127.0.0.7")
    _, body = ask(connection, "pypi/demo/json", SPOOFED)
    (file,) = json.loads(body)["urls"]
    assert file["url"].startswith(proxied.nginx.url)
    response, content = ask(connection, file["url"].removeprefix(proxied.nginx.url))
    assert (response.status, content) == (200, wheel("demo").content)
    connection.close()
    proxied.daemon.wait_log('"127.0.0.7" - - ')


def test_b32_another_peer_is_not_believed(proxied: Proxied) -> None:
    proxied.daemon.reload({"server": {"trusted_proxies": ["192.0.2.1"]}, "index": INDEXES})
    connection = proxied.connect()
    _, welcome = ask(connection, "")
    assert f"pip install -i http://localhost:{proxied.nginx.port}/simple/ NAME" in welcome.decode()
    connection.close()


def test_ranges_validators_and_redirects_on_one_connection(proxied: Proxied) -> None:
    demo = wheel("demo", size=3 * MIB)
    connection = proxied.connect()
    _upload(connection, demo.filename, demo.content, "demo")
    response, _ = ask(connection, "simple/Demo")
    assert (response.status, response.headers["Location"]) == (302, "demo/")
    response, page = ask(connection, "simple/demo/", {"Accept": JSON})
    assert response.status == 200
    held = {"Accept": JSON, "If-None-Match": response.headers["ETag"]}
    response, nothing = ask(connection, "simple/demo/", held)
    assert (response.status, nothing) == (304, b"")
    (file,) = json.loads(page)["files"]
    path = urljoin(f"{proxied.nginx.url}simple/demo/", file["url"]).removeprefix(proxied.nginx.url)
    response, whole = ask(connection, path)
    assert (response.status, whole) == (200, demo.content)
    etag = response.headers["ETag"]
    response, tail = ask(connection, path, {"Range": "bytes=-1000", "If-Range": etag})
    assert (response.status, tail) == (206, demo.content[-1000:])
    response, nothing = ask(connection, path, {"If-None-Match": etag})
    assert (response.status, response.headers["ETag"], nothing) == (304, etag, b"")
    response, nothing = ask(connection, path, method="HEAD")
    assert (response.status, response.headers["Content-Length"], nothing) == (200, str(len(demo.content)), b"")
    connection.close()


def test_large_upload_is_passed_on_as_it_comes(proxied: Proxied) -> None:
    """And is stored byte for byte; neither keeps it in memory."""
    big, digest = BigWheel("big", "1.0", blocks=16), sha256()
    before = proxied.daemon.peak_rss()
    connection = proxied.connect()
    _upload(connection, big.filename, big.pieces(), "big", size=big.size)
    assert proxied.daemon.peak_rss() - before < 20 * MIB
    for piece in big.pieces():
        digest.update(piece)
    _, page = ask(connection, "simple/big/", {"Accept": JSON})
    (file,) = json.loads(page)["files"]
    assert (file["size"], file["hashes"]) == (big.size, {"sha256": digest.hexdigest()})
    connection.close()


def test_refusal_of_an_upload_arrives(proxied: Proxied) -> None:
    connection = proxied.connect()
    wrong = {"Authorization": "Basic " + b64encode(b"alice:wrong").decode()}
    response = _send(connection, "demo.whl", b"x" * MIB, "demo", wrong)
    assert response.status == 401
    connection.close()


def _upload(
    connection: http.client.HTTPSConnection,
    filename: str,
    content: bytes | Iterator[bytes],
    project: str,
    headers: dict[str, str] | None = None,
    *,
    size: int | None = None,
) -> None:
    response = _send(connection, filename, content, project, ALICE | (headers or {}), size=size)
    assert response.status == 200, response.reason


def _send(
    connection: http.client.HTTPSConnection,
    filename: str,
    content: bytes | Iterator[bytes],
    project: str,
    headers: dict[str, str],
    *,
    size: int | None = None,
) -> HTTPResponse:
    fields = {":action": "file_upload", "name": project, "version": "1.0", "filetype": "bdist_wheel"}
    start = b"".join(
        f"--{BOUNDARY}\r\n".encode() + part(f'name="{name}"', value.encode()) + b"\r\n"
        for name, value in fields.items()
    )
    start += f"--{BOUNDARY}\r\n".encode() + part(f'name="content"; filename="{filename}"', b"")
    end = f"\r\n--{BOUNDARY}--\r\n".encode()
    pieces = [content] if isinstance(content, bytes) else content
    length = len(start) + (len(content) if isinstance(content, bytes) else size or 0) + len(end)

    def form() -> Iterator[bytes]:
        yield start
        yield from pieces
        yield end

    connection.request(
        "POST",
        f"/{PREFIX}",
        body=form(),
        headers={**headers, "Content-Type": f"multipart/form-data; boundary={BOUNDARY}", "Content-Length": str(length)},
    )
    response = connection.getresponse()
    response.read()
    return response
