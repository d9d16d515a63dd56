"""How a mirror reaches its upstream, by its settings."""

from __future__ import annotations

import os

from twisted.logger import Logger

from pypid.config import ConfigError, MirrorConfig
from pypid.config.tables import quote_key
from pypid.daemon.lasting import Lasting
from pypid.domain.names import IndexName
from pypid.domain.proxies import InvalidProxy, ProxyRules, environment_rules
from pypid.domain.reach import AllowedHosts
from pypid.upstream.agent import UpstreamAgent
from pypid.upstream.certificates import BadCertificates
from pypid.upstream.dialing import Dialer
from pypid.upstream.tls import TlsPolicy, read_policy

_log = Logger()


def upstream_agent(name: IndexName, settings: MirrorConfig, allowed: AllowedHosts, lasting: Lasting) -> UpstreamAgent:
    """Return what asks the hosts of the mirror's upstream. Raises `ConfigError`."""

    def may_be_private(host: str) -> bool:
        return settings.allow_private or allowed.name(host)

    tls = _tls(name, settings)
    timeout = settings.connect_timeout
    agent = UpstreamAgent(
        _proxy_rules(settings),
        dial=Dialer(lasting.lookups, lasting.reactor, timeout=timeout, may_be_private=may_be_private),
        dial_proxy=Dialer(lasting.lookups, lasting.reactor, timeout=timeout, may_be_private=lambda _: True),
        tls=tls,
        pool=lasting.pool,
        key=(name, str(allowed), settings.allow_private, tls.key),
        connect_timeout=timeout,
        clock=lasting.reactor,
    )
    proxy = agent.proxy_for(settings.upstream.encode("ascii"))
    if proxy is not None:
        _log.info("the index {name} asks its upstream by way of the proxy {proxy}", name=name, proxy=str(proxy))
    return agent


def _tls(name: IndexName, settings: MirrorConfig) -> TlsPolicy:
    try:
        return read_policy(settings, os.environ)
    except BadCertificates as e:
        raise ConfigError([f"[index.{quote_key(name)}] {e}"]) from e


def _proxy_rules(settings: MirrorConfig) -> ProxyRules:
    if settings.proxy is not None:
        return settings.proxy
    try:
        return environment_rules(os.environ)
    except InvalidProxy as e:
        raise ConfigError([str(e)]) from e
