"""TLS on a connection, waited for."""

from __future__ import annotations

from typing import cast

from twisted.internet import defer
from twisted.internet.defer import Deferred
from twisted.internet.error import NoProtocol
from twisted.internet.interfaces import (
    IHandshakeListener,
    IOpenSSLClientConnectionCreator,
    IProtocol,
    IProtocolFactory,
    IReactorTime,
    IStreamClientEndpoint,
)
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from pypid.upstream.network import Unreachable


@implementer(IStreamClientEndpoint)
class SecuredEndpoint:
    """
    ``endpoint`` with TLS on it.

    Other than with Twisted's `wrapClientTLS`, `connect` fires when the
    handshake is done, and fails where it does not succeed within ``timeout``
    seconds: until then nobody has a protocol. Cancelling it closes the
    connection.
    """

    def __init__(
        self,
        endpoint: IStreamClientEndpoint,
        creator: IOpenSSLClientConnectionCreator,
        *,
        timeout: float,
        clock: IReactorTime,
    ) -> None:
        self._endpoint = endpoint
        self._creator = creator
        self._timeout = timeout
        self._clock = clock

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        return Deferred.fromCoroutine(self._connect(protocolFactory))

    async def _connect(self, factory: IProtocolFactory) -> IProtocol:
        handshake = _Handshake(factory)
        once = Factory.forProtocol(lambda: handshake)
        once.noisy = False
        await self._endpoint.connect(TLSMemoryBIOFactory(self._creator, True, once, clock=self._clock))
        try:
            return await handshake.done.addTimeout(self._timeout, self._clock)
        except defer.TimeoutError as e:
            raise Unreachable(f"TLS does not begin within {self._timeout:g} s", detail="timeout") from e


@implementer(IHandshakeListener)
class _Handshake(Protocol):
    """Waits for the end of the handshake, and leaves its place to the protocol that was to be there."""

    def __init__(self, factory: IProtocolFactory) -> None:
        self._factory = factory
        self.done: Deferred[IProtocol] = Deferred(lambda _: self._tls.abortConnection())

    def handshakeCompleted(self) -> None:
        if self.done.called:
            return
        inner = self._factory.buildProtocol(self._tls.getPeer())
        if inner is None:
            self._tls.abortConnection()
            self.done.errback(NoProtocol())
            return
        self._tls.wrappedProtocol = inner
        inner.makeConnection(self._tls)
        self.done.callback(inner)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if not self.done.called:
            self.done.errback(reason)

    @property
    def _tls(self) -> TLSMemoryBIOProtocol:
        return cast(TLSMemoryBIOProtocol, self.transport)
