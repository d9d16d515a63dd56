"""
A proxy in front of the daemon that remembers what each client asked and was answered.

    with Recorder(daemon.port) as recorder:
        pip_install(pip, target, "demo", index_url=recorder.simple)
        assert recorder.take("/simple/*") == ["GET /simple/demo/ -> 200"]

With a `Certificate` it speaks https to the client; with ``prefix`` it is a reverse proxy that has pypid below a path.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

import trustme

from tests.kit.authority import write_secret

_TELLING = ("cache-control", "if-none-match", "if-modified-since", "range", "if-range")
"""What of a request decides how it is answered; all but the validators are shown with their value."""
_VALIDATORS = {"if-none-match", "if-modified-since", "if-range"}
_BLOCK = 2**16


@dataclass(slots=True, kw_only=True)
class Exchange:
    """One request, and what is known of its answer: nothing before its head has come."""

    method: str
    path: str
    """As the client wrote it, with a prefix and a query."""
    asked: dict[str, str]
    """By lower-case name; the values of a repeated header are joined by ``, ``."""
    status: int = 0
    answered: dict[str, str] = field(default_factory=dict)
    """The same."""

    def __str__(self) -> str:
        shown = {name: "" if name in _VALIDATORS else f"={self.asked[name]}" for name in _TELLING if name in self.asked}
        return " ".join(
            [self.method, self.path, *(f"{name}{value}" for name, value in shown.items()), f"-> {self.status}"]
        )


class Certificate:
    """An authority made up for the test, and its certificate for localhost: pip 25.3 refuses any for an address."""

    def __init__(self, directory: Path) -> None:
        authority = trustme.CA()
        self.bundle = directory / "authority.pem"
        authority.cert_pem.write_to_path(str(self.bundle))
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        issued = authority.issue_cert("localhost")
        issued.configure_cert(self.context)
        self.pem = write_secret(directory / "localhost.pem", issued.private_key_and_cert_chain_pem.bytes())
        """The same as a file, for a daemon."""

    @property
    def trust(self) -> dict[str, str]:
        """The environment in which clients trust it."""
        names = ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
        return dict.fromkeys(names, str(self.bundle))


class Recorder:
    """Passes requests on to the daemon on ``port`` of 127.0.0.1."""

    def __init__(self, port: int, *, prefix: str = "", certificate: Certificate | None = None) -> None:
        self.daemon_port = port
        self.prefix = prefix
        """Such as ``/python``: taken off a path; other paths do not exist."""
        self.env = certificate.trust if certificate else {}
        """What a client needs in its environment."""
        self._origin = "https://localhost" if certificate else "http://127.0.0.1"
        self._server = _Server(("127.0.0.1", 0), partial(_Handler, self))
        if certificate:
            # A handshake takes two: it waits for its thread, or one silent client would keep out all others.
            self._server.socket = certificate.context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._exchanges: list[Exchange] = []
        self._cuts: dict[str, int] = {}
        self._losses: list[str] = []
        self._changed = threading.Condition()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    # Where it is.

    @property
    def url(self) -> str:
        return f"{self._origin}:{self._server.server_port}{self.prefix}/"

    @property
    def simple(self) -> str:
        """The default index."""
        return f"{self.url}simple/"

    def index_url(self, name: str) -> str:
        return f"{self.url}{name}/simple/"

    # What it saw.

    def exchanges(self, glob: str = "*") -> list[Exchange]:
        """Return what was recorded for paths like ``glob`` since the last `take`."""
        with self._changed:
            return [each for each in self._exchanges if fnmatchcase(each.path, glob)]

    def take(self, glob: str = "*") -> list[str]:
        """Return the same as text, as in ``GET /simple/demo/ if-none-match -> 304``, and forget all."""
        told = [str(each) for each in self.exchanges(glob)]
        self.forget()
        return told

    def forget(self) -> None:
        with self._changed:
            self._exchanges.clear()

    def wait(self, number: int, glob: str = "*", *, timeout: float = 30) -> None:
        """Block until ``number`` requests for paths like ``glob`` have come; `TimeoutError` after ``timeout``."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.exchanges(glob)) >= number, timeout):
                raise TimeoutError(f"{len(self.exchanges(glob))} of {number} requests for {glob}")

    def cut(self, glob: str, *, after: int) -> None:
        """Break off the next answer for a path like ``glob`` when ``after`` bytes of its body are sent."""
        self._cuts[glob] = after

    def lose(self, glob: str) -> None:
        """Answer the next request for a path like ``glob`` by 500, when the daemon has done what it asks for."""
        self._losses.append(glob)

    # For the connections.

    def loses(self, path: str) -> bool:
        """Say whether the answer for ``path`` is to be lost, once."""
        glob = next((each for each in self._losses if fnmatchcase(path, each)), None)
        if glob is not None:
            self._losses.remove(glob)
        return glob is not None

    def note(self, exchange: Exchange) -> int | None:
        """Keep ``exchange``; return after how many bytes of its answer to break off."""
        with self._changed:
            self._exchanges.append(exchange)
            self._changed.notify_all()
            glob = next((each for each in self._cuts if fnmatchcase(exchange.path, each)), None)
            return None if glob is None else self._cuts.pop(glob)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that leave, or like no certificate, are what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    """One client's connection, and one to the daemon for it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __init__(self, recorder: Recorder, request: socket.socket, *args: object) -> None:
        self._recorder = recorder
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", recorder.daemon_port, timeout=60)) as daemon:
            self._daemon = daemon
            super().__init__(request, *args)  # type: ignore[arg-type]

    def log_message(self, *_: object) -> None:
        """Be silent: the exchanges are the log."""

    def do_GET(self) -> None:
        exchange = Exchange(method=self.command, path=self.path, asked=_joined(self.headers.items()))
        cut = self._recorder.note(exchange)
        if not self.path.startswith(f"{self._recorder.prefix}/"):
            self.send_error(404)
            return
        self._pass_on(exchange)
        with self._daemon.getresponse() as answer:
            exchange.status, exchange.answered = answer.status, _joined(answer.getheaders())
            if self._recorder.loses(self.path):
                answer.read()
                self.send_error(500)
                return
            self.send_response_only(answer.status, answer.reason)
            for name, value in answer.getheaders():
                self.send_header(name, value)
            self.end_headers()
            self._send_body(answer, cut)

    do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = do_GET

    def _pass_on(self, exchange: Exchange) -> None:
        path = self.path.removeprefix(self._recorder.prefix)
        self._daemon.putrequest(self.command, path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            self._daemon.putheader(name, value)
        self._daemon.endheaders()
        left = int(exchange.asked.get("content-length", "0"))
        while left and (data := self.rfile.read1(min(left, _BLOCK))):
            self._daemon.send(data)
            left -= len(data)

    def _send_body(self, answer: http.client.HTTPResponse, cut: int | None) -> None:
        sent = 0
        for data in _blocks(answer):
            if cut is not None and sent + len(data) >= cut:
                self._write(data[: cut - sent], chunked=answer.chunked)
                self.close_connection = True
                return
            self._write(data, chunked=answer.chunked)
            sent += len(data)
        if answer.chunked:
            self.wfile.write(b"0\r\n\r\n")
        elif answer.length != 0:
            # Of unknown length, or it broke off.
            self.close_connection = True

    def _write(self, data: bytes, *, chunked: bool) -> None:
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data) if chunked else data)


def _blocks(answer: http.client.HTTPResponse) -> Iterator[bytes]:
    while data := answer.read1(_BLOCK):
        yield data


def _joined(headers: Iterator[tuple[str, str]] | list[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        joined[key] = f"{joined[key]}, {value}" if key in joined else value
    return joined
