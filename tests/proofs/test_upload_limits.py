"""What is decided before a byte of an upload is read, and what the largest one costs."""

from __future__ import annotations

import json
import threading
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from itertools import product
from pathlib import Path

import pytest
import trustme

from tests.kit.bigwheel import BigWheel
from tests.kit.daemon import Daemon, DaemonFactory
from tests.kit.disks import can_mount, small_disk
from tests.kit.dists import wheel
from tests.kit.processes import eventually, free_port
from tests.kit.publishers import POETRY, TWINE_7, UV_PUBLISH, Target
from tests.kit.rawclient import RawClient, connect, get
from tests.web.forms import BOUNDARY, part

PASSWORD = "correct horse battery staple"
MIB = 2**20
POETRY_WAITS = 15.0
"""Seconds for an answer: poetry's REQUESTS_TIMEOUT. Others wait longer."""

HOSTED = {"main": {"bases": []}, "pypi": {"offline": True}}
ALICE = {"Authorization": "Basic " + b64encode(f"alice:{PASSWORD}".encode()).decode()}


def _head(length: int, **changed: str) -> dict[str, str]:
    typed = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}", "Content-Length": str(length)}
    return {**ALICE, **typed, **{name.replace("_", "-"): value for name, value in changed.items()}}


def _form(filename: str, project: str, content: Iterator[bytes]) -> Iterator[bytes]:
    fields = {":action": "file_upload", "name": project, "version": "1.0", "filetype": "bdist_wheel"}
    for name, value in fields.items():
        yield f"--{BOUNDARY}\r\n".encode() + part(f'name="{name}"', value.encode()) + b"\r\n"
    yield f"--{BOUNDARY}\r\n".encode() + part(f'name="content"; filename="{filename}"', b"")
    yield from content
    yield f"\r\n--{BOUNDARY}--\r\n".encode()


def _staged(d: Daemon) -> list[Path]:
    return list((d.data / "staging").iterdir())


def test_b44_three_gibibytes_cost_no_memory(daemon: DaemonFactory) -> None:
    """And the answer comes while poetry still waits for it, though all of the file has to be on the disk by then."""
    d = daemon(config={"server": {"max_upload": "4 GiB"}, "index": HOSTED})
    d.add_user("alice", PASSWORD)
    big, digest = BigWheel("big", "1.0", blocks=48), sha256()
    length = big.size + sum(map(len, _form(big.filename, "big", iter(()))))
    before = d.peak_rss()
    with connect("127.0.0.1", d.port, timeout=POETRY_WAITS) as peer:
        peer.request("POST", "/", _head(length))
        for piece in _form(big.filename, "big", big.pieces()):
            peer.send(piece)
        answer = peer.read_answer()
    assert answer.status == 200, answer.body
    assert d.peak_rss() - before < 20 * MIB
    for piece in big.pieces():
        digest.update(piece)
    page = get(f"{d.simple}big/", headers={"Accept": "application/vnd.pypi.simple.v1+json"})
    (file,) = json.loads(page.body)["files"]
    assert (file["size"], file["hashes"]) == (big.size, {"sha256": digest.hexdigest()})


REFUSALS: tuple[tuple[int, str, dict[str, str]], ...] = (
    (401, "/", {"Authorization": "Basic eDp5"}),
    (403, "/pypi/legacy/", {}),
    (404, "/nosuch/", {}),
    (413, "/", {"Content_Length": str(3 * 2**30)}),
    (507, "/", {"Content_Length": str(2 * 2**30 - 1)}),
)


@pytest.mark.skipif(not can_mount(), reason="no file system can be mounted here, not even in a namespace of its own")
def test_k9_refused_before_a_byte_is_sent(daemon: DaemonFactory, tmp_path: Path) -> None:
    """B22, B40, B59: on a small disk. The client is never told to go on, and what is there stays readable."""
    d = _on_a_small_disk(daemon, tmp_path)
    demo = wheel("demo")
    _publish(d, demo.filename, demo.content)
    for status, target, changed in REFUSALS:
        with connect("127.0.0.1", d.port) as peer:
            peer.request("POST", target, _head(1000, Expect="100-continue", **changed))
            answer = peer.read_answer()
        assert (answer.status, answer.headers["connection"]) == (status, "close"), answer
        assert get(f"{d.url}files/demo/{demo.sha256[:16]}/{demo.filename}").body == demo.content


@pytest.mark.skipif(not can_mount(), reason="no file system can be mounted here, not even in a namespace of its own")
def test_b59_a_disk_without_room(daemon: DaemonFactory, tmp_path: Path) -> None:
    """Said before the file is sent, where its length is known; in the midst of it, where not. Nothing is left."""
    d = _on_a_small_disk(daemon, tmp_path)
    demo, big = wheel("demo"), wheel("big", size=32 * MIB)
    target = Target(url=d.url, user="alice", password=PASSWORD)
    refused = UV_PUBLISH.publish(tmp_path / "uv", big, target)
    assert refused.returncode != 0
    assert "No space left on device" in " ".join(refused.stdout.split())
    with connect("127.0.0.1", d.port) as peer:
        head = {name: value for name, value in _head(0).items() if name != "Content-Length"}
        peer.request("POST", "/", head | {"Transfer-Encoding": "chunked"})
        sending = threading.Thread(target=_send_chunks, args=(peer, _form(big.filename, "big", iter([big.content]))))
        sending.start()
        answer = peer.read_answer()
        peer.socket.close()
        sending.join()
    assert (answer.status, b"No space left on device" in answer.body) == (507, True)
    _publish(d, demo.filename, demo.content)
    d.expect_in_log("No space left on device")


def _send_chunks(peer: RawClient, pieces: Iterator[bytes]) -> None:
    try:
        for piece in pieces:
            for at in range(0, len(piece), MIB):
                chunk = piece[at : at + MIB]
                peer.send(b"%x\r\n%b\r\n" % (len(chunk), chunk))
    except OSError:
        pass  # it was refused by then


def test_b43_a_client_that_dies_at_any_stage_leaves_nothing(daemon: DaemonFactory) -> None:
    """Before the body, in the fields, in the file, before the end; by a FIN and by a RST."""
    d = daemon(config={"index": HOSTED})
    d.add_user("alice", PASSWORD)
    demo = wheel("demo", size=2**20)
    form = b"".join(_form(demo.filename, "demo", iter([demo.content])))
    for sent in (0, 100, 2000, len(form) // 2, len(form) - 1):
        for end in (RawClient.close, RawClient.reset):
            peer = connect("127.0.0.1", d.port)
            peer.request("POST", "/", _head(len(form)))
            peer.send(form[:sent])
            assert eventually(lambda: len(_staged(d)) == 1, 10), sent
            end(peer)
            assert eventually(lambda: not _staged(d), 10), sent
    assert get(f"{d.simple}demo/").status == 404


def test_who_is_refused_in_the_midst_of_a_large_file_sees_why(daemon: DaemonFactory, tmp_path: Path) -> None:
    """Clients send all of it before they look for an answer: it must not be lost to a broken pipe."""
    authority = trustme.CA()
    bundle, pem = tmp_path / "bundle.pem", tmp_path / "server.pem"
    authority.cert_pem.write_to_path(str(bundle))
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(pem))
    port = free_port()
    pem.chmod(0o600)
    tls = {"listen": [f"tls:{port}:interface=127.0.0.1"], "certificates": [str(pem)]}
    d = daemon(config={"server": {**tls, "max_upload": "32 MiB"}, "index": HOSTED})
    d.add_user("alice", PASSWORD)
    big = wheel("big", size=48 * MIB)
    trust = dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"), str(bundle))
    who = ((PASSWORD, "are accepted here"), ("wrong", "Invalid user name or password"))
    for publisher, url, (password, said) in product(
        (TWINE_7, POETRY, UV_PUBLISH), (d.url, f"https://localhost:{port}/"), who
    ):
        target = Target(url=url, user="alice", password=password, env=trust)
        refused = publisher.publish(tmp_path / publisher.name, big, target)
        assert refused.returncode != 0
        assert said in " ".join(refused.stdout.split()), (publisher, url, refused.stdout)
    assert _staged(d) == []


def _on_a_small_disk(daemon: DaemonFactory, tmp_path: Path) -> Daemon:
    data = tmp_path / "daemon-0" / "data"
    data.mkdir(parents=True)
    # Nobody but the daemon sees that disk: its users are elsewhere.
    users = {"htpasswd": str(tmp_path / "htpasswd")}
    d = daemon(config={"index": HOSTED, "users": users}, prefix=small_disk(data, size="24m"))
    d.add_user("alice", PASSWORD)
    return d


def _publish(d: Daemon, filename: str, content: bytes) -> None:
    form = b"".join(_form(filename, "demo", iter([content])))
    answer = get(d.url, method="POST", headers=_head(len(form)), body=form)
    assert answer.status == 200, answer.body
