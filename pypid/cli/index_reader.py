"""Reading an index over HTTP as a client does, from several threads at once."""

from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import urlsplit

import pypid
from pypid.domain.cache_status import CACHE
from pypid.domain.files import DistributionFile
from pypid.domain.metadata import MAX_METADATA
from pypid.domain.names import NormalizedName
from pypid.domain.negotiation import Format
from pypid.domain.proxies import basic_authorization
from pypid.domain.reach import AllowedHosts
from pypid.domain.simple_json import parse_project
from pypid.domain.simple_page import InvalidPage

CONNECT_SECONDS = 5
READ_SECONDS = 120
"""Without a byte. The daemon itself gives up on a silent upstream well before, and says so."""

MAX_PAGE = 128 * 1024 * 1024
"""Bytes: twice what the daemon itself takes from upstream by default."""

CHUNK = 64 * 1024
"""Bytes read at once, and how finely progress is seen."""

SKIP = 1024 * 1024
"""Bytes. What is there already and longer than this is not read: a new connection is cheaper."""

RETRY_SECONDS = 1
"""Before a request that broke off is made again."""

_RETRIABLE = {429, 502, 503, 504}


class CannotGet(Exception):
    """The answer is not what was asked for; the message says why."""

    def __init__(self, message: str, *, retry_after: int | None = None) -> None:
        """``retry_after``: seconds after which it may be better; None: it will not be."""
        super().__init__(message)
        self.retry_after = retry_after


class NotReachable(Exception):
    """Nothing answers at the URL; the message names it and says why."""


class BadIndexUrl(ValueError):
    """The text is no URL of an index."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Got:
    """A file that the daemon has now."""

    file: DistributionFile
    read: int
    """Bytes that were read to have it there."""
    already_there: bool | None
    """None: the daemon did not say."""


class IndexReader:
    """
    The index at ``url``, which ends in ``/simple/``; user and password in it are sent as such.

    Each thread has a connection of its own. Proxies of the environment are
    not asked: the daemon is near. Raises `BadIndexUrl`.
    """

    def __init__(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as e:
            raise BadIndexUrl(str(e)) from e
        readable = url.isascii() and url.isprintable() and " " not in url
        if parts.scheme not in {"http", "https"} or not parts.hostname or not readable or {"?", "#"} & set(url):
            raise BadIndexUrl("expected one that begins with http:// or https:// and has no query")
        self.url = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        """Without user and password."""
        self.received = 0
        """Bytes of all bodies so far."""
        self._connect = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._host, self._port = parts.hostname, port
        self._headers = {"Accept-Encoding": "identity", "User-Agent": f"pypid-warm/{pypid.__version__}"}
        authorization = basic_authorization(parts.username or "", parts.password or "")
        if authorization is not None:
            self._headers["Authorization"] = authorization
        self._own = threading.local()
        self._lock = threading.Lock()
        # http.client forgets the socket of an answer that is the last one on it.
        self._sockets: dict[HTTPConnection, socket.socket] = {}
        self._aborted = False

    def check(self) -> None:
        """Raise `NotReachable` or `CannotGet` unless an index answers."""
        try:
            with self._get(self.url, Format.JSON.value) as response:
                if response.headers.get_content_type() != Format.JSON.value:
                    raise CannotGet("it is not the Simple API in JSON")
        except CannotGet as e:
            raise CannotGet(f"{self.url}: {e}") from e

    def page(self, project: NormalizedName) -> tuple[DistributionFile, ...]:
        """Return the files of a project. Raises `CannotGet`, `NotReachable`."""
        url = f"{self.url}{project}/"
        with self._get(url, Format.JSON.value) as response:
            body = self._read(response, MAX_PAGE)
        try:
            return parse_project(body, url=url, project=project, allowed=AllowedHosts([url])).files
        except InvalidPage as e:
            raise CannotGet(str(e)) from e

    def metadata(self, file: DistributionFile) -> bytes:
        """Return the core metadata beside a file that has it. Raises `CannotGet`, `NotReachable`."""
        with self._get(f"{file.origin}.metadata", "*/*") as response:
            body = self._read(response, MAX_METADATA)
        _verify(file.core_metadata, hashlib.sha256(body).hexdigest())
        return body

    def fetch(self, file: DistributionFile) -> Got:
        """Have the daemon get a file, reading it unless it is there. Raises `CannotGet`, `NotReachable`."""
        with self._get(str(file.origin), "*/*") as response:
            said = response.getheader("Cache-Status")
            there = None if said is None else is_hit(said)
            if there and (response.length or 0) > SKIP:
                return Got(file=file, read=0, already_there=True)
            digest = hashlib.sha256()
            read = 0
            for data in self._chunks(response):
                digest.update(data)
                read += len(data)
        _verify(file.sha256, digest.hexdigest())
        return Got(file=file, read=read, already_there=there)

    def abort(self) -> None:
        """Break off what other threads are reading; nothing can be read any more."""
        with self._lock:
            self._aborted = True
            for sock in self._sockets.values():
                with suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close all connections, when no other thread reads any more."""
        for connection in [*self._sockets]:
            connection.close()
        self._sockets.clear()

    @contextmanager
    def _get(self, url: str, accept: str) -> Iterator[HTTPResponse]:
        if not url.startswith(urlsplit(self.url)._replace(path="/").geturl()):
            raise CannotGet("its page links to another host: this is not the URL of a pypid")
        reusable = False
        try:
            with closing(self._answer(urlsplit(url).path, {**self._headers, "Accept": accept})) as response:
                if response.status != 200:
                    raise _refusal(response)
                yield response
                # Closed by itself: it was read to its end.
                reusable = response.isclosed() and not response.will_close
        except (OSError, HTTPException) as e:
            raise CannotGet(f"it broke off: {str(e).strip() or type(e).__name__}", retry_after=RETRY_SECONDS) from e
        finally:
            if not reusable:
                self._drop()

    def _answer(self, path: str, headers: dict[str, str]) -> HTTPResponse:
        """Return the head of the answer; on a connection that the daemon closed meanwhile, it is asked again."""
        kept: HTTPConnection | None = getattr(self._own, "connection", None)
        if kept is not None:
            try:
                kept.request("GET", path, headers=headers)
                return kept.getresponse()
            except ConnectionError:
                self._drop()
        connection = self._open()
        connection.request("GET", path, headers=headers)
        return connection.getresponse()

    def _open(self) -> HTTPConnection:
        connection = self._connect(self._host, self._port, timeout=CONNECT_SECONDS)
        try:
            connection.connect()
        except OSError as e:
            raise NotReachable(f"no pypid answers at {self.url}: {e.strerror or e}") from e
        connection.sock.settimeout(READ_SECONDS)
        with self._lock:
            self._sockets[connection] = connection.sock
            if self._aborted:
                connection.sock.shutdown(socket.SHUT_RDWR)
        self._own.connection = connection
        return connection

    def _drop(self) -> None:
        connection: HTTPConnection | None = getattr(self._own, "connection", None)
        if connection is not None:
            self._own.connection = None
            connection.close()
            with self._lock:
                self._sockets.pop(connection, None)

    def _read(self, response: HTTPResponse, limit: int) -> bytes:
        body = bytearray()
        for data in self._chunks(response):
            body += data
            if len(body) > limit:
                raise CannotGet(f"it is longer than {limit} bytes")
        return bytes(body)

    def _chunks(self, response: HTTPResponse) -> Iterator[bytes]:
        while data := response.read(CHUNK):
            with self._lock:
                self.received += len(data)
            yield data
        if response.length:  # which http.client calls an end like any other
            raise CannotGet(f"it broke off, {response.length} bytes too soon", retry_after=RETRY_SECONDS)


def is_hit(cache_status: str) -> bool:
    """Say whether pypid had it, by a ``Cache-Status`` to which caches on the way may have added (RFC 9211)."""
    for member in cache_status.split(","):
        cache, *said = (part.strip() for part in member.split(";"))
        if cache == CACHE:
            return "hit" in said
    return False


def _refusal(response: HTTPResponse) -> CannotGet:
    retry_after = None
    if response.status in _RETRIABLE:
        said = response.getheader("Retry-After", "")
        retry_after = int(said) if said.isascii() and said.isdigit() and len(said) < 9 else RETRY_SECONDS
    location = response.getheader("Location")
    to = "" if location is None else f", at {location}"
    return CannotGet(f"{response.status} {response.reason}{to}", retry_after=retry_after)


def _verify(expected: str | None, actual: str) -> None:
    if expected and expected != actual:
        raise CannotGet(f"it has sha256 {actual}, its page says {expected}")
