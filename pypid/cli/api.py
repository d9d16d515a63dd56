"""Asking a pypid that runs: its management API, over its control socket or over the network."""

from __future__ import annotations

import socket
from abc import ABC, abstractmethod
from base64 import b64encode
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from pypid.cli.running import running_pid
from pypid.domain.names import NormalizedName
from pypid.domain.subject import Subject
from pypid.storage.control_socket import NAME, address_of

T = TypeVar("T")

TIMEOUT = 300.0
"""Seconds without a byte: to delete thousands of releases takes its time."""


class Unreachable(Exception):
    """Nobody could be asked; the message says why."""


class Refused(Exception):
    """What was asked for was not done; the message says why, in lines."""


class _Problem(msgspec.Struct):
    detail: str = ""


class ApiClient(ABC):
    """Asks one question after the other, each on a connection of its own."""

    @abstractmethod
    def request(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        """Return status and body of the answer to one request. Raises `Unreachable`."""

    def ask(
        self,
        method: str,
        path: str,
        answer: type[T],
        *,
        query: Mapping[str, object] | None = None,
        fields: Mapping[str, object] | None = None,
    ) -> T:
        """
        Return the answer to one call: ``query`` goes into its URL, ``fields`` into its body.

        ``path`` is that below ``/-/api/v1/``. Raises `Unreachable` and `Refused`.
        """
        try:
            url = f"-/api/v1/{path}" + (f"?{urlencode(query)}" if query else "")
            body = None if fields is None else msgspec.json.encode(fields)
        except UnicodeEncodeError as e:
            raise Refused(f"this is not UTF-8: {e.object!r}") from e
        status, content = self.request(method, url, body)
        try:
            if status != 200:
                problem = msgspec.json.decode(content, type=_Problem)
                raise Refused(problem.detail or f"the answer is {status}")
            return msgspec.json.decode(content, type=answer)
        except msgspec.MsgspecError as e:
            raise Unreachable(f"what answers {status} there is no pypid, or one of another version: {e}") from e


class LocalApi(ApiClient):
    """The control socket of the pypid on a data directory; needs no password."""

    def __init__(self, data: Path) -> None:
        self._data = data

    def request(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        try:
            return _exchange(_LocalConnection(self._data), method, f"/{path}", body, {})
        except (FileNotFoundError, ConnectionRefusedError) as e:
            pid = running_pid(self._data)
            if pid is None:
                raise Unreachable(f"no pypid is seen to run on {self._data}") from e
            raise Unreachable(f"the pypid on {self._data} (process {pid}) has no {NAME}: its log says why") from e
        except PermissionError as e:
            raise Unreachable(
                f"only the user that pypid runs as, and root, may use {self._data / NAME}: "
                "give --url and --user to sign in instead"
            ) from e
        except (OSError, HTTPException) as e:
            raise Unreachable(f"{self._data / NAME}: {_described(e)}") from e


class RemoteApi(ApiClient):
    """A pypid by its URL, as a user of it."""

    def __init__(self, url: str, user: str, password: str) -> None:
        """``url``: that of the whole site. Raises `Unreachable` if it is none."""
        try:
            parts = urlsplit(url)
        except ValueError as e:
            raise Unreachable(f"{url!r}: {e}") from e
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise Unreachable(f"{url!r} is no URL that begins with https:// or http:// and a host")
        self._url = url
        self._parts = parts
        self._headers = {"Authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()}

    def request(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        kind = HTTPSConnection if self._parts.scheme == "https" else HTTPConnection
        target = f"{self._parts.path.rstrip('/')}/{path}"
        try:
            connection = kind(self._parts.netloc.rpartition("@")[2], timeout=TIMEOUT)
            return _exchange(connection, method, target, body, self._headers)
        except (OSError, HTTPException) as e:
            raise Unreachable(f"{self._url}: {_described(e)}") from e


class _LocalConnection(HTTPConnection):
    def __init__(self, data: Path) -> None:
        super().__init__("localhost", timeout=TIMEOUT)
        self._data = data

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(TIMEOUT)
        with address_of(self._data) as address:
            self.sock.connect(address)


def path_of(index: str, subject: Subject) -> str:
    """Return the path of what a call is about."""
    path = project_path(index, subject.project)
    if subject.filename is not None:
        return f"{path}/files/{quote(subject.filename, safe='')}"
    return path if subject.version is None else f"{path}/releases/{quote(str(subject.version), safe='')}"


def project_path(index: str, project: NormalizedName) -> str:
    return f"indexes/{quote(index)}/projects/{quote(project, safe='')}"


def _exchange(
    connection: HTTPConnection, method: str, target: str, body: bytes | None, headers: Mapping[str, str]
) -> tuple[int, bytes]:
    typed = {"Content-Type": "application/json"} if body is not None else {}
    try:
        connection.request(method, target, body, {**headers, **typed})
        response: HTTPResponse = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def _described(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
