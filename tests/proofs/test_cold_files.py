"""A file that nobody has asked for before: many clients, one transfer, and never a wrong byte that looks right."""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urljoin

import pytest

from tests.kit.daemon import Daemon, DaemonFactory
from tests.kit.dists import Dist, wheel
from tests.kit.rawclient import Answer, connect, get
from tests.kit.upstream import Barrier, Fault, Fin, FlipByte, Hold, Rst, ScriptedIndex, SocketUpstream

MIB = 1024 * 1024
CLIENTS = 100


def _url(d: Daemon, dist: Dist) -> str:
    return urljoin(d.simple, f"../files/{dist.project}/{dist.sha256[:16]}/{dist.filename}")


def _blobs(d: Daemon) -> list[Path]:
    return [path for path in (d.data / "blobs").rglob("*") if path.is_file()]


def test_f01_a_hundred_clients_cost_one_transfer(
    daemon: DaemonFactory, index: ScriptedIndex, upstream: SocketUpstream
) -> None:
    """All have bytes while upstream still sends, all get the right ones, and none costs a MiB of memory."""
    big = index.add(wheel("big", "1.0", size=32 * MIB))
    d = daemon(config={"index": {"pypi": {"upstream": upstream.url}}})
    half = Barrier()
    index.script(index.file_path(big), Hold(half, at=16 * MIB))
    before = d.peak_rss()

    has_first = threading.Barrier(CLIENTS + 1)

    def download(_: int) -> str:
        with connect("127.0.0.1", d.port, timeout=60) as client:
            client.send(f"GET {_path(d, big)} HTTP/1.1\r\nHost: pypid\r\nConnection: close\r\n\r\n".encode())
            head = client.read_head()
            assert (head.status, head.headers["content-length"]) == (200, str(len(big.content)))
            first = client.read(MIB)
            has_first.wait(60)
            return hashlib.sha256(first + client.read(len(big.content) - len(first))).hexdigest()

    with ThreadPoolExecutor(CLIENTS) as pool:
        downloads = [pool.submit(download, n) for n in range(CLIENTS)]
        half.wait_reached(30)
        # Passed only when every client has its first bytes, while upstream still holds the second half.
        has_first.wait(60)
        half.release()
        digests = [each.result(120) for each in downloads]
    assert digests == [big.sha256] * CLIENTS
    assert index.count("GET", index.file_path(big)) == 1
    assert d.peak_rss() - before < CLIENTS * MIB


def _path(d: Daemon, dist: Dist) -> str:
    return _url(d, dist).removeprefix(d.url.rstrip("/"))


@pytest.mark.parametrize("size", [1000, 200 * 1024, 4 * MIB], ids=["small", "page-size", "large"])
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(FlipByte(100), id="first-bytes-flipped"),
        pytest.param(FlipByte(-1), id="last-byte-flipped"),
        pytest.param(Fin(at=500), id="cut"),
        pytest.param(Rst(at=500), id="reset"),
    ],
)
def test_a_broken_transfer_is_never_completed_nor_kept(
    daemon: DaemonFactory, index: ScriptedIndex, upstream: SocketUpstream, fault: Fault, size: int
) -> None:
    """Of ten clients none gets a whole answer; nothing is kept; later the file is had all the same."""
    dist = index.add(wheel("fragile", "1.0", size=size))
    d = daemon(config={"index": {"pypi": {"upstream": upstream.url}}})
    index.script(index.file_path(dist), fault, times=None)
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: _try(_url(d, dist)), range(10)))
    for answer in answers:
        assert not _is_success(answer, dist)
    assert _blobs(d) == []
    index.heal()
    d.restart()  # which forgets that the bytes were wrong
    good = get(_url(d, dist), timeout=30)
    assert good.status == 200
    assert good.complete
    assert good.body == dist.content


def _try(url: str) -> Answer | None:
    try:
        return get(url, timeout=30)
    except (OSError, EOFError):
        return None


def _is_success(answer: Answer | None, dist: Dist) -> bool:
    """An answer that a client would take for the whole file, whatever is in it."""
    return answer is not None and answer.status == 200 and (answer.complete or len(answer.body) >= len(dist.content))
