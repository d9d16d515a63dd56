"""SIGKILL at a bad moment: nothing partial is ever visible, and the next request works."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from urllib.parse import urljoin

from tests.kit.daemon import Daemon, DaemonFactory
from tests.kit.dists import Dist, wheel
from tests.kit.processes import eventually
from tests.kit.rawclient import connect, get
from tests.kit.upstream import Barrier, Hold, ScriptedIndex, SocketUpstream

MIB = 1024 * 1024
PASSWORD = "correct horse battery staple"


def _files(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file()]


def _check_blobs(d: Daemon) -> None:
    for blob in _files(d.data / "blobs"):
        assert hashlib.sha256(blob.read_bytes()).hexdigest() == blob.name


def test_killed_in_the_middle_of_a_cold_download(
    daemon: DaemonFactory, index: ScriptedIndex, upstream: SocketUpstream
) -> None:
    big = index.add(wheel("big", "1.0", size=8 * MIB))
    d = daemon(config={"index": {"pypi": {"upstream": upstream.url}}})
    barrier = Barrier()
    index.script(index.file_path(big), Hold(barrier, at=4 * MIB))
    url = urljoin(d.simple, f"../files/big/{big.sha256[:16]}/{big.filename}")
    with connect("127.0.0.1", d.port) as client:
        client.send(f"GET {url.removeprefix(d.url.rstrip('/'))} HTTP/1.1\r\nHost: pypid\r\n\r\n".encode())
        assert client.read_head().status == 200
        barrier.wait_reached(10)
        assert len(client.read(MIB)) == MIB
        assert len(_files(d.data / "staging")) == 1
        d.kill()
    barrier.release()
    d.start()
    assert _files(d.data / "staging") == []
    assert _files(d.data / "blobs") == []
    answer = get(url, timeout=30)
    assert answer.complete
    assert answer.body == big.content
    _check_blobs(d)


def _form(dist: Dist) -> tuple[bytes, str]:
    fields = {":action": "file_upload", "protocol_version": "1", "name": dist.project, "version": dist.version}
    fields |= {"filetype": "bdist_wheel", "pyversion": "py3", "metadata_version": "2.1"}
    parts = [
        f'--frontier\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    head = f'--frontier\r\nContent-Disposition: form-data; name="content"; filename="{dist.filename}"\r\n\r\n'
    body = "".join(parts).encode() + head.encode() + dist.content + b"\r\n--frontier--\r\n"
    return body, "multipart/form-data; boundary=frontier"


def _head(d: Daemon, body: bytes, content_type: str) -> bytes:
    credentials = base64.b64encode(f"alice:{PASSWORD}".encode()).decode()
    lines = [
        "POST /legacy/ HTTP/1.1",
        f"Host: 127.0.0.1:{d.port}",
        f"Authorization: Basic {credentials}",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode()


def test_killed_in_the_middle_of_an_upload(daemon: DaemonFactory) -> None:
    d = daemon(config={"index": {"main": {"bases": []}, "pypi": {"enabled": False}}})
    d.add_user("alice", PASSWORD)
    demo = wheel("demo", "1.0", size=4 * MIB)
    body, content_type = _form(demo)
    with connect("127.0.0.1", d.port) as client:
        client.send(_head(d, body, content_type) + body[: 2 * MIB])
        assert eventually(lambda: bool(_files(d.data / "staging")), 10)
        d.kill()
    d.start()
    assert _files(d.data / "staging") == []
    assert _files(d.data / "blobs") == []
    assert get(f"{d.simple}demo/").status == 404
    with connect("127.0.0.1", d.port, timeout=30) as client:
        client.send(_head(d, body, content_type) + body)
        assert client.read_answer().status == 200
    page = get(f"{d.simple}demo/")
    assert demo.sha256 in page.body.decode()
    _check_blobs(d)


def test_an_acknowledged_upload_survives_a_kill(daemon: DaemonFactory) -> None:
    """Killed the moment its answer is there, time after time: every file that was acknowledged is whole."""
    d = daemon(config={"index": {"main": {"bases": []}, "pypi": {"enabled": False}}})
    d.add_user("alice", PASSWORD)
    published = [wheel("demo", f"1.{number}") for number in range(5)]
    for demo in published:
        body, content_type = _form(demo)
        with connect("127.0.0.1", d.port, timeout=30) as client:
            client.send(_head(d, body, content_type) + body)
            assert client.read_answer().status == 200
        d.kill()
        d.start()
    page = get(f"{d.simple}demo/").body.decode()
    for demo in published:
        url = urljoin(d.simple, f"../files/demo/{demo.sha256[:16]}/{demo.filename}")
        assert f"sha256={demo.sha256}" in page
        assert get(url).body == demo.content
    _check_blobs(d)


def test_a_disk_that_changed_bytes_deceives_nobody(
    daemon: DaemonFactory, index: ScriptedIndex, upstream: SocketUpstream
) -> None:
    """What was mirrored is fetched anew; what was uploaded is an error of ours, never a wrong byte nor a 404."""
    theirs = index.add(wheel("theirs", "1.0", size=3 * MIB))
    ours = wheel("ours", "1.0")
    d = daemon(config={"index": {"pypi": {"upstream": upstream.url}}})
    d.add_user("alice", PASSWORD)
    body, content_type = _form(ours)
    with connect("127.0.0.1", d.port, timeout=30) as client:
        client.send(_head(d, body, content_type) + body)
        assert client.read_answer().status == 200
    urls: dict[str, str] = {
        dist.project: urljoin(d.simple, f"../files/{dist.project}/{dist.sha256[:16]}/{dist.filename}")
        for dist in (ours, theirs)
    }
    assert get(urls["theirs"], timeout=30).body == theirs.content
    d.terminate()
    for dist in (ours, theirs):
        blob = d.data / "blobs" / dist.sha256[:2] / dist.sha256
        blob.chmod(0o600)
        with blob.open("r+b") as file:
            file.seek(len(dist.content) // 2)
            file.write(b"rot")
    d.start()
    answer = get(urls["theirs"], timeout=30)
    assert answer.complete
    assert answer.body == theirs.content
    assert get(urls["ours"]).status == 500
    with connect("127.0.0.1", d.port, timeout=30) as client:
        client.send(_head(d, body, content_type) + body)
        assert client.read_answer().status == 200, "the very same bytes, uploaded again, mend it"
    assert get(urls["ours"]).body == ours.content
    assert index.count("GET", index.file_path(theirs)) == 2
