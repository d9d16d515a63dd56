"""The head of a request: how long it may take, how large it may be, and what it must not say."""

from __future__ import annotations

from http import HTTPStatus

from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure

from pypid.web.lingering import LingeringChannel

TLS_HANDSHAKE = b"\x16"
"""
How a client begins that speaks TLS (RFC 8446, 5.1), as uv does before an upload to ask for trusted publishing.

It would wait for an answer as long as it has patience, and then try again.
"""

MAX_REQUEST_LINE = 8190
"""Bytes of the first line: what Apache takes. RFC 9112 (section 3) asks for 8000 at least."""

MAX_HEAD = 16 * 1024
"""Bytes of all lines: Twisted's own figure, and the default of Node.js. The longest tokens in use are of 2 to 4 KB."""

MAX_HEADERS = 100
"""Lines after the first: what Apache takes, and Python's own server. Clients of an index send about ten."""

MAX_LENGTH_DIGITS = 18
"""Digits of a Content-Length: below 2**63, and nowhere near what int() refuses to parse."""


def bare_answer(status: HTTPStatus) -> bytes:
    """Return an answer to what is no request."""
    head = f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    return head.encode("ascii")


class HeadChannel(LingeringChannel):
    """
    A channel that reads heads, and refuses some that `HTTPChannel` would take.

    The whole head must come within a time, not each byte of it. What is too
    large is said to be that. And there is one reading alone of where a request
    ends: no length beside a coding, no coding but ``chunked``, and no header
    that goes on in the next line, which other servers take for another header.
    """

    MAX_LENGTH = totalHeadersSize = MAX_HEAD
    maxHeaders = MAX_HEADERS

    _head_deadline: IDelayedCall | None = None

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._head_in()
        super().connectionLost(reason)

    def dataReceived(self, data: bytes) -> None:
        if self._lingering is None and self._head_deadline is None and self._awaits_head:
            if data.startswith(TLS_HANDSHAKE):
                self.refuse_head(HTTPStatus.BAD_REQUEST)
                return
            self._head_deadline = self.callLater(self.site.header_timeout, self._head_late)
        super().dataReceived(data)

    def lineReceived(self, line: bytes) -> None:
        if self._lingering is not None:
            return  # what came in together with what was refused
        if not self._in_head and len(line) > MAX_REQUEST_LINE:
            self.refuse_head(HTTPStatus.REQUEST_URI_TOO_LONG)
        elif self._receivedHeaderSize + len(line) > self.totalHeadersSize:
            self.refuse_head(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        elif self._in_head and line.startswith((b" ", b"\t")):
            self.refuse_head(HTTPStatus.BAD_REQUEST)  # RFC 9112, section 5.2
        else:
            super().lineReceived(line)

    def lineLengthExceeded(self, line: bytes) -> None:  # noqa: ARG002 (LineReceiver's signature)
        too_long = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE if self._in_head else HTTPStatus.REQUEST_URI_TOO_LONG
        self.refuse_head(too_long)

    def headerReceived(self, line: bytes) -> bool:
        if self._receivedHeaderCount >= self.maxHeaders:
            self.refuse_head(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            return False
        name, _, value = line.partition(b":")
        name, value = name.strip().lower(), value.strip(b" \t")
        # HTTP/1.0 has no codings: a proxy that speaks it passes them on unread (RFC 9112, section 6.1).
        bad_coding = name == b"transfer-encoding" and (value.lower() != b"chunked" or self._version != b"HTTP/1.1")
        if bad_coding or (name == b"content-length" and len(value) > MAX_LENGTH_DIGITS):
            self.refuse_head(HTTPStatus.BAD_REQUEST)
            return False
        return bool(super().headerReceived(line))

    def allHeadersReceived(self) -> None:
        self._head_in()

    def refuse_head(self, status: HTTPStatus) -> None:
        """Answer with ``status`` and nothing else, and drop what still comes: where its end is nobody knows."""
        self._head_in()
        self.transport.write(bare_answer(status))
        self.linger()

    def _respondToBadRequestAndDisconnect(self) -> None:
        self.refuse_head(HTTPStatus.BAD_REQUEST)

    @property
    def _in_head(self) -> bool:
        """Whether the first line of a head is in, and not all of it."""
        return getattr(self, "_command", None) is not None

    @property
    def _awaits_head(self) -> bool:
        return not self._handlingRequest and self._transferDecoder is None and not self.paused

    def _head_in(self) -> None:
        if self._head_deadline is not None and self._head_deadline.active():
            self._head_deadline.cancel()
        self._head_deadline = None

    def _head_late(self) -> None:
        self._head_deadline = None
        self._log.info("{peer} took too long to send a request", peer=str(self.transport.getPeer()))
        self.transport.abortConnection()
