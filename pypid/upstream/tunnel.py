"""A connection that an HTTP proxy makes for us: CONNECT (RFC 9110 section 9.3.6)."""

from __future__ import annotations

import re
from functools import partial
from typing import cast

from twisted.internet.defer import Deferred
from twisted.internet.error import NoProtocol
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IReactorTime, IStreamClientEndpoint, ITCPTransport
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from pypid import __version__
from pypid.domain.errors import UpstreamUnavailable
from pypid.domain.proxies import Proxy, host_and_port
from pypid.upstream.network import NETWORK_ERRORS, reason

MAX_HEAD = 16 * 1024
"""Bytes of the head of a proxy's answer: as many as Twisted's client takes for one line of one. 200 are usual."""

_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([0-9]{3})(?: [^\r\n]*)?\r\n")


@implementer(IStreamClientEndpoint)
class TunnelEndpoint:
    """
    ``host`` and ``port``, as ``proxy`` reaches them, which is itself at ``endpoint``.

    `connect` raises `UpstreamUnavailable`, with the proxy to blame, for
    whatever keeps it from that, and after ``timeout`` seconds. Cancelling it
    closes the connection.
    """

    def __init__(
        self,
        proxy: Proxy,
        endpoint: IStreamClientEndpoint,
        host: str,
        port: int,
        *,
        timeout: float,
        clock: IReactorTime,
    ) -> None:
        self._proxy = proxy
        self._endpoint = endpoint
        self._target = host_and_port(host, port)
        self._timeout = timeout
        self._clock = clock

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        opening = Deferred.fromCoroutine(self._open(protocolFactory))
        return opening.addTimeout(self._timeout, self._clock, onTimeoutCancel=self._give_up)

    async def _open(self, factory: IProtocolFactory) -> IProtocol:
        tunnels = Factory.forProtocol(partial(_Tunnel, self._proxy, self._target, factory))
        tunnels.noisy = False
        try:
            tunnel = await self._endpoint.connect(tunnels)
        except NETWORK_ERRORS as e:
            raise blame(self._proxy, f"cannot be reached: {reason(e)}") from e
        return await cast(_Tunnel, tunnel).opened

    def _give_up(self, outcome: object, seconds: float) -> IProtocol:
        if not isinstance(outcome, Failure):
            return cast(IProtocol, outcome)
        raise blame(self._proxy, f"does not connect to {self._target} within {seconds:g} s")


def blame(proxy: Proxy, what: str) -> UpstreamUnavailable:
    """Return the error that says ``what`` the proxy does."""
    return UpstreamUnavailable(f"the proxy {proxy} {what}")


def blame_for(proxy: Proxy, status: int, request: str) -> UpstreamUnavailable:
    """Return the error that says what the proxy means by an answer of ``status``."""
    if status not in {401, 407}:  # tinyproxy says 401 to a wrong password
        return blame(proxy, f"answers {status} to {request}")
    if proxy.authorization is None:
        return blame(proxy, "wants a user and a password")
    return blame(proxy, "does not take our user and password")


class _Tunnel(Protocol):
    """Asks for the connection, and then passes everything between it and the protocol that was to be at its end."""

    def __init__(self, proxy: Proxy, target: str, factory: IProtocolFactory) -> None:
        self._proxy = proxy
        self._target = target
        self._factory = factory
        self._head = b""
        self._inner: IProtocol | None = None
        self.opened: Deferred[IProtocol] = Deferred(lambda _: self._abort())

    def connectionMade(self) -> None:
        lines = [f"CONNECT {self._target} HTTP/1.1", f"Host: {self._target}", f"User-Agent: pypid/{__version__}"]
        if self._proxy.authorization is not None:
            lines.append(f"Proxy-Authorization: {self._proxy.authorization}")
        self._transport.write("".join(f"{line}\r\n" for line in [*lines, ""]).encode("ascii"))

    def dataReceived(self, data: bytes) -> None:
        if self._inner is not None:
            self._inner.dataReceived(data)
        elif not self.opened.called:
            self._head += data
            head, end, rest = self._head.partition(b"\r\n\r\n")
            if end:
                self._answered(head + end, rest)
            elif len(head) > MAX_HEAD:
                self._fail(blame(self._proxy, "answers without an end"))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._inner is not None:
            self._inner.connectionLost(reason)
        elif not self.opened.called:
            why = reason.getErrorMessage()
            self.opened.errback(blame(self._proxy, f"closed the connection: {why}"))

    def _answered(self, head: bytes, rest: bytes) -> None:
        status_line = _STATUS_LINE.match(head)
        if status_line is None:
            self._fail(blame(self._proxy, "does not speak HTTP"))
        elif status_line[1][:1] != b"2":
            self._fail(blame_for(self._proxy, int(status_line[1]), f"CONNECT {self._target}"))
        else:
            self._hand_over(rest)

    def _hand_over(self, rest: bytes) -> None:
        inner = self._factory.buildProtocol(self._transport.getPeer())
        if inner is None:
            self._fail(NoProtocol())
            return
        self._inner = inner
        inner.makeConnection(self._transport)
        self.opened.callback(inner)
        if rest:
            inner.dataReceived(rest)

    def _fail(self, why: Exception) -> None:
        self._abort()
        self.opened.errback(why)

    def _abort(self) -> None:
        self._transport.abortConnection()

    @property
    def _transport(self) -> ITCPTransport:
        # A TLS connection to the proxy says that it is one, too.
        return cast(ITCPTransport, self.transport)
