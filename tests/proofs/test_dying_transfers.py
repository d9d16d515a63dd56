"""A transfer that many wait for, and that ends too soon: by upstream's death, or by ours."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import pytest

from tests.kit.daemon import STOPPED, Daemon, DaemonFactory
from tests.kit.dists import Dist, wheel
from tests.kit.rawclient import Answer, RawClient, connect, get
from tests.kit.upstream import Barrier, Hold, Rst, ScriptedIndex, SocketUpstream

MIB = 1024 * 1024
CLIENTS = 20
SIZE, DEATH = 10 * MIB, 6 * MIB
FIRST = MIB
"""Bytes that each client has read when it happens."""


@pytest.fixture
def big(index: ScriptedIndex) -> Dist:
    return index.add(wheel("big", "1.0", size=SIZE))


@pytest.fixture
def d(daemon: DaemonFactory, upstream: SocketUpstream) -> Daemon:
    return daemon(config={"server": {"drain": 1}, "index": {"pypi": {"upstream": upstream.url}}})


def path_of(dist: Dist) -> str:
    return f"/files/{dist.project}/{dist.sha256[:16]}/{dist.filename}"


@contextmanager
def crowd(d: Daemon, dist: Dist) -> Iterator[list[tuple[RawClient, bytes]]]:
    """Clients that ask for ``dist``, each with the first bytes that it has read."""
    with ExitStack() as ends:
        clients = [ends.enter_context(connect("127.0.0.1", d.port, timeout=60)) for _ in range(CLIENTS)]
        for client in clients:
            client.request("GET", path_of(dist), {"Connection": "close"})
        yield [(client, _first(client)) for client in clients]


def _first(client: RawClient) -> bytes:
    head = client.read_head()
    assert head.status == 200
    return client.read(FIRST)


def ends_of(clients: list[tuple[RawClient, bytes]]) -> list[bytes]:
    """Return all that each client gets."""
    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(lambda one: one[1] + one[0].read_to_end(), clients))


def resumed(d: Daemon, dist: Dist, first: bytes) -> Answer:
    """Ask for what follows ``first``, as pip does."""
    asked = {"Range": f"bytes={len(first)}-", "If-Range": f'"sha256:{dist.sha256}"'}
    return get(f"{d.url.rstrip('/')}{path_of(dist)}", headers=asked, timeout=60)


def test_f03_a_connection_that_breaks_is_taken_up_where_it_broke(d: Daemon, index: ScriptedIndex, big: Dist) -> None:
    """No client notices, and upstream sends each byte once."""
    dying = Barrier()
    index.script(index.file_path(big), Hold(dying, at=DEATH) | Rst(at=DEATH + 1))
    with crowd(d, big) as clients:
        dying.wait_reached()
        dying.release()
        assert [hashlib.sha256(body).hexdigest() for body in ends_of(clients)] == [big.sha256] * CLIENTS
    first, second = (seen for seen in index.requests if seen.path == index.file_path(big))
    assert "range" not in first.headers
    assert 0 < int(second.headers["range"].removeprefix("bytes=").rstrip("-")) <= DEATH + 1
    assert "if-range" in second.headers


def test_f03_an_upstream_that_dies_and_stays_dead(
    d: Daemon, index: ScriptedIndex, upstream: SocketUpstream, big: Dist
) -> None:
    """Nobody gets an end, nothing is kept; when it is back the next request has the file."""
    dying = Barrier()
    index.script(index.file_path(big), Hold(dying, at=DEATH))
    with crowd(d, big) as clients:
        dying.wait_reached()
        upstream.stop()
        for body in ends_of(clients):
            assert len(body) <= DEATH
            assert big.content.startswith(body)
    assert [path for path in (d.data / "blobs").rglob("*") if path.is_file()] == []
    upstream.start()
    answer = get(f"{d.url.rstrip('/')}{path_of(big)}", timeout=60)
    assert (answer.status, answer.body) == (200, big.content)


def test_f16_stopped_in_the_middle_and_started_again(d: Daemon, index: ScriptedIndex, big: Dist) -> None:
    """Everybody goes on where they were, and upstream sends the file once more for all of them."""
    held = Barrier()
    index.script(index.file_path(big), Hold(held, at=DEATH))
    with crowd(d, big) as clients:
        held.wait_reached()
        assert d.terminate() == STOPPED
        had = ends_of(clients)
    assert list((d.data / "staging").iterdir()) == []
    d.start()
    with ThreadPoolExecutor(CLIENTS) as pool:
        rests = list(pool.map(lambda first: resumed(d, big, first), had))
    assert {rest.status for rest in rests} == {206}
    for first, rest in zip(had, rests, strict=True):
        assert first + rest.body == big.content
    assert index.count("GET", index.file_path(big)) == 2
    held.release()
