"""
The scripted upstream as a real HTTP/1.1 server: raw sockets, a thread for each connection.

    with SocketUpstream(index) as upstream:
        daemon(config={"index": {"pypi": {"upstream": upstream.url}}})
        upstream.stop()  # the port refuses connections, those that were open are closed; `start` takes it again

A request's body is read and thrown away. A client that half-closes counts as one that left.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from typing import Self

from tests.kit.actions import Action, Actions, Barrier, End, Framing, Pause, Raw, Reply
from tests.kit.scripted import ScriptedIndex, Seen

_BACKLOG = 1024
_POLL = 0.02
"""Seconds between looks at whether a client who waits at a barrier is still there."""
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class SocketUpstream:
    """Serves ``index`` on 127.0.0.1, with ``tls`` over https, always on the port it got at its first start."""

    def __init__(self, index: ScriptedIndex, tls: ssl.SSLContext | None = None) -> None:
        self.index = index
        self._tls = tls
        self.port = 0
        self._stopping = threading.Event()
        self._listener: socket.socket | None = None
        self._threads: list[threading.Thread] = []
        self._connections: set[socket.socket] = set()
        self._changed = threading.Condition()

    @property
    def root(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """The Simple API's root, as the daemon's ``upstream`` setting takes it."""
        return f"{self.root}/simple/"

    @property
    def open_connections(self) -> int:
        return len(self._connections)

    def wait_connections(self, number: int, *, timeout: float = 10) -> None:
        """Block until just ``number`` connections are open; `TimeoutError` after ``timeout`` seconds."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._connections) == number, timeout):
                raise TimeoutError(f"{len(self._connections)} connections are open, not {number}")

    def start(self) -> None:
        self._stopping.clear()
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=_BACKLOG)
        self.port = self._listener.getsockname()[1]
        if self._tls is not None:
            # A handshake takes two: it waits for its thread, or one silent client would keep out all others.
            self._listener = self._tls.wrap_socket(self._listener, server_side=True, do_handshake_on_connect=False)
        self._spawn(self._accept, self._listener)

    def stop(self) -> None:
        """Close the port and every connection, and return when no thread is left."""
        self._stopping.set()
        with self._changed:
            doomed = [self._listener, *self._connections]
            self._listener = None
        for sock in doomed:
            if sock is not None:
                # Wakes the thread that blocks in it, which then closes it.
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
        while self._threads:
            self._threads.pop().join()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _spawn(self, target: Callable[[socket.socket], None], sock: socket.socket) -> None:
        thread = threading.Thread(target=target, args=(sock,), daemon=True)
        thread.start()
        # Only now: `stop` joins whatever is listed, and the accepting thread, which calls this, last.
        self._threads.append(thread)

    def _accept(self, listener: socket.socket) -> None:
        with listener, contextlib.suppress(OSError):
            while not self._stopping.is_set():
                connection, _ = listener.accept()
                with self._changed:
                    self._connections.add(connection)
                    self._changed.notify_all()
                if self._stopping.is_set():
                    connection.shutdown(socket.SHUT_RDWR)
                self._spawn(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        try:
            # OSError: the client left, or `stop` closed the connection.
            with connection, contextlib.suppress(OSError):
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                _Connection(self.index, connection, self._stopping).serve()
        finally:
            with self._changed:
                self._connections.discard(connection)
                self._changed.notify_all()


class _Connection:
    """One client's connection, request after request."""

    def __init__(self, index: ScriptedIndex, sock: socket.socket, stopping: threading.Event) -> None:
        self._index = index
        self._sock = sock
        self._stopping = stopping
        self._unread = b""

    def serve(self) -> None:
        while (seen := self._read_request()) is not None:
            try:
                alive = self._perform(seen, self._index.answer(seen))
            except OSError:
                seen.left = not self._stopping.is_set()
                raise
            if not alive or "close" in seen.headers.get("connection", "").lower():
                return

    def _read_request(self) -> Seen | None:
        while b"\r\n\r\n" not in self._unread:
            if not (data := self._sock.recv(65536)):
                return None
            self._unread += data
        head, _, self._unread = self._unread.partition(b"\r\n\r\n")
        line, *fields = head.decode("latin-1").split("\r\n")
        method, target, _ = line.split(" ")
        headers: dict[str, str] = {}
        for one in fields:
            name, _, value = one.partition(":")
            name, value = name.lower(), value.strip()
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        self._skip(int(headers.get("content-length", "0")))
        path, _, query = target.partition("?")
        scheme = "https" if isinstance(self._sock, ssl.SSLSocket) else "http"
        peer_port = self._sock.getpeername()[1]
        return Seen(method=method, path=path, query=query, headers=headers, scheme=scheme, peer_port=peer_port)

    def _skip(self, length: int) -> None:
        while len(self._unread) < length:
            if not (data := self._sock.recv(65536)):
                return
            self._unread += data
        self._unread = self._unread[length:]

    def _perform(self, seen: Seen, actions: Actions) -> bool:
        """Answer; return whether the connection can be used again."""
        framing = Framing.LENGTH
        for action in actions:
            if isinstance(action, Reply):
                framing = action.framing
                self._sock.sendall(_head(action))
            elif isinstance(action, End):
                self._end(action)
                return False
            elif isinstance(action, Barrier):
                if not self._wait(action):
                    seen.left = not self._stopping.is_set()
                    return False
            else:
                self._send(action, framing)
        if framing is Framing.CHUNKED:
            self._sock.sendall(b"0\r\n\r\n")
        return framing is not Framing.CLOSE

    def _send(self, action: Action, framing: Framing) -> None:
        if isinstance(action, Raw):
            self._sock.sendall(action.data)
        elif isinstance(action, Pause):
            self._stopping.wait(action.seconds)
        elif isinstance(action, bytes):
            self._sock.sendall(b"%x\r\n%b\r\n" % (len(action), action) if framing is Framing.CHUNKED else action)

    def _wait(self, barrier: Barrier) -> bool:
        """Stay at ``barrier``; return False if the client leaves or the server stops."""
        barrier.arrive()
        while not barrier.wait_released(_POLL):
            if self._stopping.is_set() or self._has_left():
                return False
        return True

    def _has_left(self) -> bool:
        try:
            # The socket's own, also below TLS, which takes no flags.
            return socket.socket.recv(self._sock, 1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False

    def _end(self, end: End) -> None:
        if end is End.RST:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)


def _head(reply: Reply) -> bytes:
    lines = [f"HTTP/1.1 {reply.status} {reply.reason}", *(f"{name}: {value}" for name, value in reply.headers.items())]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode("latin-1")
