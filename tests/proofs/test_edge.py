"""Clients by the thousand that hold connections, and one that must not notice them."""

from __future__ import annotations

import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest

from tests.kit.daemon import Daemon, DaemonFactory
from tests.kit.dists import wheel
from tests.kit.processes import eventually
from tests.kit.rawclient import connect, get, request_bytes
from tests.kit.upstream import SocketUpstream

MIB = 2**20
PER_ADDRESS = 250
"""Connections from each of this machine's addresses; `connections_per_address` is 256."""

HOSTED = {"main": {"bases": []}, "pypi": {"enabled": False}}
HEALTH = request_bytes("GET", "/-/health", "pypid.test")


@contextmanager
def crowd(d: Daemon, size: int, *, first: int = 2) -> Iterator[list[socket.socket]]:
    """Have ``size`` connections, from 127.0.0.``first`` on; those that are reset at once may be left out."""
    with ExitStack() as ends:
        made = []
        for number in range(size):
            source = f"127.0.{(first + number // PER_ADDRESS) // 256}.{(first + number // PER_ADDRESS) % 256}"
            with suppress(ConnectionResetError):
                made.append(ends.enter_context(socket.create_connection(("127.0.0.1", d.port), 20, (source, 0))))
        yield made


def ended(sock: socket.socket) -> bool:
    """Return whether the connection ends without another byte being sent over it."""
    try:
        return sock.recv(1) == b""
    except ConnectionError:
        return True


def answered(sock: socket.socket) -> bool:
    sock.sendall(HEALTH)
    return sock.recv(4096).startswith(b"HTTP/1.1 200 ")


def is_well(d: Daemon) -> bool:
    return get(f"{d.url}-/health").status == 200


def test_b05_a_thousand_slow_heads(daemon: DaemonFactory) -> None:
    """Each is cut off in time, whatever it goes on to send, and meanwhile others are served."""
    d = daemon(config={"server": {"header_timeout": "2 s"}, "index": HOSTED})
    with crowd(d, 1000) as slow:
        for sock in slow:
            sock.sendall(HEALTH[:9])
        assert eventually(lambda: d.fds() > 1000, 10)
        for sock in slow[::50]:
            assert is_well(d)
            sock.sendall(HEALTH[9:10])
        assert all(ended(sock) for sock in slow)
        assert is_well(d)


def test_b06_a_thousand_idle_connections(daemon: DaemonFactory) -> None:
    """They are of use until they have been idle for so long, and then closed without a word."""
    d = daemon(config={"server": {"idle_timeout": "3 s"}, "index": HOSTED})
    with crowd(d, 1000) as idle:
        assert all(answered(sock) for sock in idle[::2])
        assert all(answered(sock) for sock in idle[:100:2])
        assert all(ended(sock) for sock in idle)
        assert is_well(d)


@pytest.mark.skipif(resource.getrlimit(resource.RLIMIT_NOFILE)[1] < 20_000, reason="the machine allows too few files")
def test_b33_ten_thousand_connections(daemon: DaemonFactory) -> None:
    """Or as good as that: the usual soft limit of 1024 descriptors is none, and each may need a file beside it."""
    with _many_descriptors():
        d = daemon(config={"index": HOSTED}, prefix=["prlimit", "--nofile=1024:20000"])
        with crowd(d, 9_900) as there:
            assert eventually(lambda: d.fds() > 9_900, 20)
            assert all(answered(sock) for sock in there[::100])
            assert is_well(d)


def test_b33_one_address_has_its_share_and_no_more(daemon: DaemonFactory) -> None:
    d = daemon(config={"server": {"connections_per_address": 20}, "index": HOSTED})
    with crowd(d, 20) as there, crowd(d, 100) as beyond:
        assert all(ended(sock) for sock in beyond)
        assert all(answered(sock) for sock in there)
        assert is_well(d)
    assert d.log().count("127.0.0.2 has 20 connections") == 1
    assert eventually(lambda: _is_admitted(d), 10)


def test_b33_more_than_there_are_descriptors_for(daemon: DaemonFactory, upstream: SocketUpstream) -> None:
    """Who has a connection is served to the end, from disks and upstreams, which take descriptors too."""
    demo = upstream.index.add(wheel("demo", size=3 * MIB))
    config = {"index": {"main": {"upstream": upstream.url, "allow_private": True}, "pypi": {"enabled": False}}}
    d = daemon(config=config, prefix=["prlimit", "--nofile=512:512"])
    with connect("127.0.0.1", d.port) as served, crowd(d, 100) as there, crowd(d, 600, first=9) as flood:
        served.request("GET", f"/files/demo/{demo.sha256[:16]}/{demo.filename}")
        assert served.read_answer().body == demo.content
        served.request("GET", "/simple/demo/")
        assert served.read_answer().status == 200
        assert all(answered(sock) for sock in there)
        assert all(ended(sock) for sock in flood[300:])
    assert d.log().count("as many as there are file descriptors for") == 1
    assert eventually(lambda: _is_admitted(d), 10)


def test_b09_answer_to_a_client_that_has_said_all(daemon: DaemonFactory, upstream: SocketUpstream) -> None:
    """It is sent in full to one that has closed its side, as ``nc`` does."""
    demo = upstream.index.add(wheel("demo", size=8 * MIB))
    config = {"index": {"main": {"upstream": upstream.url, "allow_private": True}, "pypi": {"enabled": False}}}
    d = daemon(config=config)
    for _ in range(2):
        with connect("127.0.0.1", d.port) as peer:
            peer.request("GET", f"/files/demo/{demo.sha256[:16]}/{demo.filename}")
            peer.half_close()
            answer = peer.read_answer()
            assert (answer.complete, answer.body) == (True, demo.content)


def _is_admitted(d: Daemon) -> bool:
    try:
        return is_well(d)
    except (OSError, EOFError):
        return False


@contextmanager
def _many_descriptors() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
