"""
An HTTP client with no manners of its own: a blocking socket and a script.

    answer = get("http://127.0.0.1:3141/simple/demo/", headers={"Accept": "text/html"})
    with connect("127.0.0.1", 3141) as peer:
        peer.send(b"GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n" * 2)
        first, second = peer.read_answer(), peer.read_answer()

An answer that breaks off is not an error here: `Answer.complete` says whether a client could take it for whole.
Waiting longer than ``timeout`` seconds for a byte is one: `TimeoutError`.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_NO_HEADERS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Head:
    status: int
    reason: str
    headers: Mapping[str, str]
    """By lower-case name; the values of a repeated one are joined by ``, ``."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes
    complete: bool
    """The body ended as its framing promised, so that a client would believe it."""


def connect(host: str, port: int, *, timeout: float = 10, receive_buffer: int | None = None) -> RawClient:
    """
    Open a connection.

    A small ``receive_buffer`` (bytes) makes a client that stops reading be
    felt by the server after little data.
    """
    sock = socket.socket(socket.AF_INET)
    try:
        sock.settimeout(timeout)
        if receive_buffer is not None:
            # Before connecting: the window is agreed on then.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.connect((host, port))
    except OSError:
        sock.close()
        raise
    return RawClient(sock)


def request_bytes(method: str, target: str, host: str, headers: Mapping[str, str] = _NO_HEADERS) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", *(f"{name}: {value}" for name, value in headers.items())]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode("latin-1")


def get(
    url: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] = _NO_HEADERS,
    body: bytes = b"",
    timeout: float = 10,
) -> Answer:
    """Make one request on a connection of its own; redirects are not followed."""
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "") or "/"
    own = {"Connection": "close"} | ({"Content-Length": str(len(body))} if body else {})
    with connect(parts.hostname or "", parts.port or 80, timeout=timeout) as peer:
        peer.send(request_bytes(method, target, parts.netloc, own | dict(headers)) + body)
        return peer.read_answer(method)


class RawClient:
    """One connection. Reads only when told to."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self.was_reset = False
        """The connection ended with a RST, not with a FIN."""
        self._unread = bytearray()
        self._ended = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def request(self, method: str, target: str, headers: Mapping[str, str] = _NO_HEADERS) -> None:
        host, port = self.socket.getpeername()
        self.send(request_bytes(method, target, f"{host}:{port}", headers))

    def half_close(self) -> None:
        """Say that no more will be sent, and go on reading."""
        self.socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self.socket.close()

    def reset(self) -> None:
        """Close with a RST, as the kernel does for a killed client with unread data."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.socket.close()

    def read_head(self) -> Head:
        """Raise `EOFError` with what there was if the connection ends before the head does."""
        while b"\r\n\r\n" not in self._unread:
            if not self._more():
                raise EOFError(f"no whole head: {bytes(self._unread)!r}")
        head = self.read(self._unread.index(b"\r\n\r\n") + 4)[:-4]
        line, *fields = head.decode("latin-1").split("\r\n")
        _, status, reason = [*line.split(" ", 2), ""][:3]
        headers: dict[str, str] = {}
        for one in fields:
            name, _, value = one.partition(":")
            name, value = name.lower(), value.strip()
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return Head(int(status), reason, headers)

    def read_answer(self, method: str = "GET") -> Answer:
        """Read a whole answer, or as much of it as comes."""
        head = self.read_head()
        body, complete = self._read_body(head, method)
        return Answer(head.status, head.reason, head.headers, body, complete)

    def read(self, number: int) -> bytes:
        """Return the next ``number`` bytes, fewer only where the connection ends."""
        while len(self._unread) < number and self._more():
            pass
        data = bytes(self._unread[:number])
        del self._unread[:number]
        return data

    def read_to_end(self) -> bytes:
        """Return all that comes before the connection ends, in whatever way; `was_reset` tells which."""
        while self._more():
            pass
        return self.read(len(self._unread))

    def is_closed(self) -> bool:
        """Wait for the server to close the connection or to send something more; `TimeoutError` if it does neither."""
        return not self._unread and not self._more()

    def _read_body(self, head: Head, method: str) -> tuple[bytes, bool]:
        if method == "HEAD" or head.status < 200 or head.status in {204, 304}:
            return b"", True
        if head.headers.get("transfer-encoding", "").lower() == "chunked":
            return self._read_chunks()
        if "content-length" in head.headers:
            length = int(head.headers["content-length"])
            body = self.read(length)
            return body, len(body) == length
        return self.read_to_end(), not self.was_reset

    def _read_chunks(self) -> tuple[bytes, bool]:
        body = bytearray()
        while (line := self._read_line()) is not None:
            size = int(line.partition(b";")[0], 16)
            if size == 0:
                return bytes(body), self._skip_trailers()
            chunk = self.read(size)
            body += chunk
            if len(chunk) < size or self._read_line() != b"":
                break
        return bytes(body), False

    def _skip_trailers(self) -> bool:
        while line := self._read_line():
            pass
        return line == b""

    def _read_line(self) -> bytes | None:
        """Return a line without its end, None if the connection ends first."""
        while (end := self._unread.find(b"\r\n")) < 0:
            if not self._more():
                return None
        return self.read(end + 2)[:-2]

    def _more(self) -> bool:
        if self._ended:
            return False
        try:
            data = self.socket.recv(2**20)
        except ConnectionError:
            data, self.was_reset = b"", True
        self._unread += data
        self._ended = not data
        return bool(data)
