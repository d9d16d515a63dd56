"""Connections to upstreams, kept for the next request, whose answers begin within bounds."""

from __future__ import annotations

from typing import Any, cast

from twisted.internet.interfaces import IAddress, ITCPTransport
from twisted.python.failure import Failure
from twisted.web._newclient import BODY, HTTP11ClientProtocol
from twisted.web.client import HTTPConnectionPool, _HTTP11ClientFactory

from pypid.upstream.network import Unreachable

MAX_HEAD = 64 * 1024
"""
Bytes of an answer before its body, those of answers that only inform (1xx) included (A07, A22).

The longest of real servers have some 10 KB; what one received read brings is not split for the count.
"""


class UpstreamPool(HTTPConnectionPool):
    """Twisted's pool, of connections that give up an answer whose head does not end."""

    def __init__(self, reactor: Any, *, persistent: bool = True) -> None:
        super().__init__(reactor, persistent=persistent)
        self._factory = _Connections


class _Connection(HTTP11ClientProtocol):
    _head = 0

    def request(self, request: Any) -> Any:
        self._head = 0
        return super().request(request)

    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)
        parser = self._parser
        if parser is None or parser.state == BODY:
            return
        self._head += len(data)
        if self._head > MAX_HEAD:
            too_long = Unreachable(f"it sends more than {MAX_HEAD} bytes before the body", detail="too-large")
            cast(ITCPTransport, self.transport).abortConnection()
            self._disconnectParser(Failure(too_long))


class _Connections(_HTTP11ClientFactory):
    noisy = False  # else each connection is two lines of the log

    def buildProtocol(self, addr: IAddress | None) -> HTTP11ClientProtocol:  # noqa: ARG002
        return _Connection(self._quiescentCallback)
