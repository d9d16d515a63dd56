import socket
import ssl
import threading
from http.client import HTTPSConnection

import pytest
import trustme

from tests.kit.dists import wheel
from tests.kit.pages import JSON
from tests.kit.rawclient import connect, get
from tests.kit.upstream import (
    Barrier,
    Hold,
    ScriptedIndex,
    SocketUpstream,
    Stall,
)

DEMO = wheel("demo", "1.0", requires_python=">=3.9", size=10_000)
PAGE = "/simple/demo/"


@pytest.fixture
def server(index: ScriptedIndex, upstream: SocketUpstream) -> SocketUpstream:
    index.add(DEMO)
    return upstream


def test_stopped_upstream_refuses_and_comes_back_on_its_port(server: SocketUpstream) -> None:
    url = server.url
    server.index.script(PAGE, Stall())
    with connect("127.0.0.1", server.port) as busy, connect("127.0.0.1", server.port) as idle:
        busy.request("GET", PAGE)
        server.index.wait_requests(1, PAGE)
        server.stop()
        assert idle.is_closed()
        assert busy.is_closed()
    with pytest.raises(ConnectionRefusedError):
        get(server.root + PAGE)
    server.start()
    assert server.url == url
    assert get(server.root + PAGE).status == 200
    assert not server.index.requests[0].left, "it was the server that left"


def test_stop_does_not_wait_for_a_client_that_does_not_read(server: SocketUpstream) -> None:
    big = server.index.add(wheel("big", size=32 * 2**20))
    path = server.index.file_path(big)
    with connect("127.0.0.1", server.port, receive_buffer=4096) as peer:
        peer.request("GET", path)
        peer.read_head()
        stopper = threading.Thread(target=server.stop)
        stopper.start()
        stopper.join(5)
        assert not stopper.is_alive()


def test_many_clients_at_once(server: SocketUpstream) -> None:
    path, barrier = server.index.file_path(DEMO), Barrier()
    server.index.script(path, Hold(barrier, at=100), times=50)
    bodies: list[bytes] = []
    threads = [threading.Thread(target=lambda: bodies.append(get(server.root + path).body)) for _ in range(50)]
    for thread in threads:
        thread.start()
    barrier.wait_reached(count=50)
    assert server.open_connections >= 50
    barrier.release()
    for thread in threads:
        thread.join()
    assert bodies == [DEMO.content] * 50
    assert server.index.count("GET", path) == 50


def test_port_of_a_stopped_upstream_is_free(index: ScriptedIndex) -> None:
    server = SocketUpstream(index)
    server.start()
    server.stop()
    with socket.create_server(("127.0.0.1", server.port)):
        pass


def test_serves_over_tls_and_stops_with_connections_open(index: ScriptedIndex) -> None:
    authority = trustme.CA()
    served, asking = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(served)
    authority.configure_trust(asking)
    index.add(DEMO)
    with SocketUpstream(index, served) as upstream:
        silent = socket.create_connection(("127.0.0.1", upstream.port))
        client = HTTPSConnection("127.0.0.1", upstream.port, context=asking)
        client.request("GET", PAGE, headers={"Accept": JSON})
        page = client.getresponse().read().decode()
        assert f"{upstream.root}/packages/" in page
        assert upstream.url.startswith("https://127.0.0.1:")
        assert index.requests[0].scheme == "https"
    silent.close()
    client.close()
