"""Asking any host over HTTP, directly or by way of a proxy."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, cast

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReactorTime, IStreamClientEndpoint
from twisted.web.client import URI, Agent, HTTPConnectionPool, ProxyAgent
from twisted.web.error import SchemeNotSupported
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent, IAgentEndpointFactory, IBodyProducer, IPolicyForHTTPS, IResponse
from zope.interface import implementer

from pypid.domain.proxies import Proxy, ProxyRules
from pypid.upstream.body import close_unread
from pypid.upstream.network import NETWORK_ERRORS, reason
from pypid.upstream.secured import SecuredEndpoint
from pypid.upstream.tunnel import TunnelEndpoint, blame, blame_for
from pypid.upstream.urls import shown

Dial = Callable[[str, int], IStreamClientEndpoint]
"""Returns the endpoint of a host, which is a name or an address without brackets, and a port."""


@implementer(IAgent)
class UpstreamAgent:
    """
    Twisted's agents: for each request the one that ``rules`` demand.

    ``dial`` leads to upstreams, ``dial_proxy`` to proxies: an operator has
    named these, a page of a stranger's may have named those. By way of a
    proxy, https goes through a tunnel to the upstream, whose certificate is
    checked, and what is not https is left to the proxy. A connection of
    ``pool`` that leads by way of a proxy is used for nothing else, and none
    is used by an agent of another ``key``: the other one may not have been
    allowed to make it. Opening a tunnel takes at most ``connect_timeout``
    seconds, and so does beginning TLS.
    """

    def __init__(
        self,
        rules: ProxyRules,
        *,
        dial: Dial,
        dial_proxy: Dial,
        tls: IPolicyForHTTPS,
        pool: HTTPConnectionPool,
        key: Hashable,
        connect_timeout: float,
        clock: IReactorTime,
    ) -> None:
        self._rules = rules
        self._dial = dial
        self._dial_proxy = dial_proxy
        self._tls = tls
        self._pool = pool
        self._key = key
        self._connect_timeout = connect_timeout
        self._clock = clock

    def proxy_for(self, uri: bytes) -> Proxy | None:
        """Return the proxy by way of which ``uri`` is asked for; None: there is none."""
        parsed = URI.fromBytes(uri)
        return self._rules.proxy_for(parsed.scheme.decode("ascii"), parsed.host.decode("ascii"), parsed.port)

    def request(
        self, method: bytes, uri: bytes, headers: Headers | None = None, bodyProducer: IBodyProducer | None = None
    ) -> Deferred[IResponse]:
        """Fails with `UpstreamUnavailable` where a proxy is at fault, and else as Twisted's agent does."""
        parsed = URI.fromBytes(uri)
        scheme, host, port = parsed.scheme.decode("ascii"), parsed.host.decode("ascii"), parsed.port
        if scheme not in {"http", "https"}:
            return fail(SchemeNotSupported(f"Unsupported scheme: {scheme!r}"))
        proxy = self.proxy_for(uri)
        if proxy is None:
            agent = self._agent(self._secured(scheme, host, port, self._dial(host, port)), (scheme, host, port))
            return agent.request(method, uri, headers, bodyProducer)
        to_proxy = self._secured(proxy.scheme, proxy.host, proxy.port, self._dial_proxy(proxy.host, proxy.port))
        if scheme == "http":
            agent = ProxyAgent(to_proxy, self._clock, self._connections((proxy,)))
            asking = agent.request(method, uri, _with_authorization(headers, proxy), bodyProducer)
            return Deferred.fromCoroutine(_forwarded(asking, proxy, uri))
        tunnel = TunnelEndpoint(proxy, to_proxy, host, port, timeout=self._connect_timeout, clock=self._clock)
        agent = self._agent(self._secured(scheme, host, port, tunnel), (proxy, host, port))
        return agent.request(method, uri, headers, bodyProducer)

    def _secured(self, scheme: str, host: str, port: int, endpoint: IStreamClientEndpoint) -> IStreamClientEndpoint:
        """Return ``endpoint`` with TLS on it, if the scheme says so."""
        if scheme != "https":
            return endpoint
        creator = self._tls.creatorForNetloc(host.encode("ascii"), port)
        return SecuredEndpoint(endpoint, creator, timeout=self._connect_timeout, clock=self._clock)

    def _agent(self, endpoint: IStreamClientEndpoint, way: tuple[Hashable, ...]) -> IAgent:
        return cast(IAgent, Agent.usingEndpointFactory(self._clock, _Always(endpoint), self._connections(way)))

    def _connections(self, way: tuple[Hashable, ...]) -> _Keyed:
        return _Keyed(self._pool, (self._key, *way))


def _with_authorization(headers: Headers | None, proxy: Proxy) -> Headers:
    headers = Headers() if headers is None else headers.copy()
    if proxy.authorization is not None:
        headers.setRawHeaders("Proxy-Authorization", [proxy.authorization])
    return headers


async def _forwarded(asking: Deferred[IResponse], proxy: Proxy, uri: bytes) -> IResponse:
    try:
        response = await asking
    except NETWORK_ERRORS as e:
        raise blame(proxy, f"does not answer: {reason(e)}") from e
    if response.code == 407:  # which only a proxy says
        close_unread(response)
        raise blame_for(proxy, 407, shown(uri.decode("ascii")))
    return response


@implementer(IAgentEndpointFactory)
@dataclass(frozen=True, slots=True)
class _Always:
    endpoint: IStreamClientEndpoint

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:  # noqa: ARG002 (it is this request's)
        return self.endpoint


class _Keyed:
    """A pool's connections under one key of ours."""

    def __init__(self, pool: HTTPConnectionPool, key: Hashable) -> None:
        self._pool = pool
        self._key = key
        self.persistent = pool.persistent

    def getConnection(self, _: Hashable, endpoint: IStreamClientEndpoint) -> Deferred[Any]:
        return self._pool.getConnection(self._key, endpoint)
