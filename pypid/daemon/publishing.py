"""Trusted publishing, as it is configured."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import cast

from twisted.logger import Logger

from pypid.config import Config, ConfigError, MirrorConfig
from pypid.config.publishers import PublisherConfig
from pypid.daemon.lasting import Lasting
from pypid.daemon.reaching import upstream_agent
from pypid.domain.claim_rules import rule_warnings
from pypid.domain.identity_tokens import Signatures
from pypid.domain.names import IndexName
from pypid.domain.publishers import Publisher
from pypid.domain.reach import AllowedHosts
from pypid.indexes.issuer_keys import FetchedKeys, GivenKeys, IssuerKeys
from pypid.indexes.tokens import Tokens
from pypid.indexes.trusted_publishing import TrustedPublishing
from pypid.upstream.certificates import BadCertificates
from pypid.upstream.documents import DocumentClient
from pypid.upstream.exchange import Exchange, ExchangeRules
from pypid.upstream.hosts import Hosts
from pypid.upstream.tls import read_policy

TIMEOUT = 10.0
"""Seconds for one document of an issuer: two of them are fetched while a client waits, uv for 30 s."""

MAX_DOCUMENT = 256 * 1024
"""Bytes of it: GitHub's keys take 10 KB."""

MAX_REQUESTS = 2
"""To one issuer at a time; hardly ever more than one."""

RETRY_DELAY = (0.1, 0.5)
"""Seconds between which a second try is made."""

_log = Logger()


def trusted_publishing(config: Config, lasting: Lasting, tokens: Tokens) -> TrustedPublishing | None:
    """Return what exchanges identity tokens; None where no publisher is configured. Raises `ConfigError`."""
    if not config.publishers:
        return None
    signatures = _signatures(next(iter(config.publishers)))
    keys: dict[str, IssuerKeys] = {}
    for name, settings in config.publishers.items():
        for warning in rule_warnings(settings.issuer, settings.claims):
            _log.warn("[publisher.{name}] claims: {warning}", name=name, warning=warning)
        if settings.issuer not in keys:
            keys[settings.issuer] = _keys(name, settings, lasting, signatures)
    return TrustedPublishing(
        _publishers(config.publishers),
        keys,
        audience=config.server.oidc_audience,
        signatures=signatures,
        tokens=tokens,
        now=time.time,
    )


def _publishers(configured: Mapping[str, PublisherConfig]) -> list[Publisher]:
    return [
        Publisher(
            name=name,
            issuer=settings.issuer,
            index=settings.index,
            projects=settings.projects,
            claims=settings.claims,
        )
        for name, settings in configured.items()
    ]


def _signatures(name: str) -> Signatures:
    try:
        return cast(Signatures, import_module("pypid.domain.signed_tokens"))
    except ImportError as e:
        raise ConfigError(
            [f"[publisher.{name}]: trusted publishing needs more than is installed: pip install 'pypid[oidc]'"]
        ) from e


def _keys(name: str, settings: PublisherConfig, lasting: Lasting, signatures: Signatures) -> IssuerKeys:
    if isinstance(settings.jwks, Path):
        try:
            return GivenKeys(signatures.read_keys(settings.jwks.read_bytes()))
        except (OSError, ValueError) as e:
            raise ConfigError([f"[publisher.{name}] jwks: {settings.jwks} cannot be used: {e}"]) from e
    documents = DocumentClient(_exchange(name, settings, lasting), lasting.reactor, timeout=TIMEOUT, limit=MAX_DOCUMENT)
    return FetchedKeys(
        settings.issuer,
        settings.jwks,
        fetch=documents.fetch,
        signatures=signatures,
        seconds=lasting.reactor.seconds,
    )


def _exchange(name: str, settings: PublisherConfig, lasting: Lasting) -> Exchange:
    # An issuer is asked as an upstream is: by way of the same proxy, with the same care.
    asked = MirrorConfig(upstream=settings.issuer, ca_file=settings.ca_file)
    try:
        read_policy(asked, os.environ)
    except BadCertificates as e:
        raise ConfigError([f"[publisher.{name}] {e}"]) from e
    named = [settings.issuer, settings.jwks] if isinstance(settings.jwks, str) else [settings.issuer]
    allowed = AllowedHosts(named, [])
    return Exchange(
        upstream_agent(IndexName(f"publisher.{name}"), asked, allowed, lasting),
        lasting.reactor,
        Hosts(lasting.reactor),
        ExchangeRules(
            header_timeout=asked.header_timeout,
            idle_timeout=asked.idle_timeout,
            max_connections=MAX_REQUESTS,
            allowed=allowed,
        ),
        delay=lambda: random.uniform(*RETRY_DELAY),  # noqa: S311 (nothing secret)
    )
