import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.kit.rawclient import Answer, connect, get


@contextmanager
def server_saying(data: bytes, *, reset: bool = False) -> Iterator[int]:
    """Answer one connection's first bytes with ``data`` and close it."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(data)
            if reset:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    thread = threading.Thread(target=serve)
    thread.start()
    with listener:
        yield listener.getsockname()[1]
        thread.join()


def answer_to(data: bytes, *, method: str = "GET") -> Answer:
    with server_saying(data) as port:
        return get(f"http://127.0.0.1:{port}/", method=method)


@pytest.mark.parametrize(
    ("data", "body", "complete"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", b"abc", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", b"ab", False),
        (b"HTTP/1.1 200 OK\r\n\r\nabc", b"abc", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n", b"abc", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nTrailer: x\r\n\r\n", b"a", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", b"ab", False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n", b"ab", False),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n", b"", True),
    ],
)
def test_says_whether_a_body_is_whole(data: bytes, body: bytes, *, complete: bool) -> None:
    answer = answer_to(data)
    assert (answer.body, answer.complete) == (body, complete)


def test_head_of_an_answer() -> None:
    answer = answer_to(b"HTTP/1.1 404 Not There\r\nVary: Accept\r\nVARY: Cookie\r\n\r\n")
    assert (answer.status, answer.reason, answer.headers) == (404, "Not There", {"vary": "Accept, Cookie"})


def test_answer_to_head_has_no_body() -> None:
    answer = answer_to(b"HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n", method="HEAD")
    assert (answer.body, answer.complete) == (b"", True)


def test_pipelined_answers_are_told_apart() -> None:
    one = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"
    with server_saying(one + b"a" + one + b"b") as port, connect("127.0.0.1", port) as peer:
        peer.request("GET", "/")
        assert [peer.read_answer().body, peer.read_answer().body] == [b"a", b"b"]
        assert peer.is_closed()


def test_reset_and_close_are_told_apart() -> None:
    for reset in (False, True):
        with server_saying(b"", reset=reset) as port, connect("127.0.0.1", port) as peer:
            peer.send(b"x")
            assert peer.read_to_end() == b""
            assert peer.was_reset == reset


def test_silence_is_an_error_of_its_own() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        connect("127.0.0.1", listener.getsockname()[1], timeout=0.05) as peer,
        pytest.raises(TimeoutError),
    ):
        peer.read_head()
