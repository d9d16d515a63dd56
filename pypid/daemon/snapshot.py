"""From a configuration to what requests are answered from."""

from __future__ import annotations

import os
import random
import time

from twisted.internet.endpoints import HostnameEndpoint
from twisted.logger import Logger

from pypid.config import Config, ConfigError, MirrorConfig
from pypid.daemon.credentials import upstream_authorization
from pypid.daemon.lasting import Lasting
from pypid.domain.htpasswd import Htpasswd, HtpasswdError, parse_htpasswd
from pypid.domain.names import IndexName
from pypid.domain.proxies import InvalidProxy, ProxyRules, environment_rules
from pypid.domain.reach import AllowedHosts
from pypid.indexes.core_metadata import CoreMetadata
from pypid.indexes.fetched import FetchedFiles
from pypid.indexes.hosted import HostedIndex
from pypid.indexes.index import Index
from pypid.indexes.layered import LayeredIndex
from pypid.indexes.mirror import MirrorIndex
from pypid.indexes.mirroring import Mirroring, PageRules
from pypid.indexes.pages import MirroredPages
from pypid.indexes.provenance import MirroredProvenance
from pypid.indexes.upstream_json import UpstreamJson
from pypid.indexes.upstream_list import UpstreamList
from pypid.indexes.wheels import Wheels
from pypid.upstream.agent import UpstreamAgent
from pypid.upstream.client import UpstreamClient, UpstreamLimits
from pypid.upstream.exchange import Exchange, ExchangeRules
from pypid.web.auth import Authenticator
from pypid.web.snapshot import Snapshot

RETRY_DELAY = (0.1, 0.5)
"""Seconds between which a second try is made: soon, and not all of them at once."""

_log = Logger()


def build_snapshot(config: Config, lasting: Lasting, *, replacing: Snapshot | None = None) -> Snapshot:
    """
    Return a snapshot for ``config``, to be put in the place of ``replacing``, with everything read that it needs.

    Raises `ConfigError` with what is wrong; nothing is changed by then.
    """
    users = _read_users(config, had_users=replacing is not None and replacing.authenticator.has_users)
    indexes: dict[IndexName, Index] = {}
    for name in config.indexes:
        _build_index(name, config, lasting, indexes)
    return Snapshot(
        indexes=indexes,
        hosted=frozenset(name for name, index in config.indexes.items() if not isinstance(index, MirrorConfig)),
        default_index=config.server.default_index,
        authenticator=Authenticator(users, lasting.passwords),
        max_upload=config.server.max_upload,
        stall_timeout=config.server.stall_timeout,
    )


def _build_index(name: IndexName, config: Config, lasting: Lasting, built: dict[IndexName, Index]) -> Index:
    """Build the index and, before it, those that it stands on; `config` has no circles."""
    if name in built:
        return built[name]
    settings = config.indexes[name]
    if isinstance(settings, MirrorConfig):
        built[name] = _mirror(name, settings, lasting)
        return built[name]
    hosted = HostedIndex(name, lasting.hosted, lasting.blobs)
    bases = [_build_index(base, config, lasting, built) for base in settings.bases]
    built[name] = LayeredIndex(name, [hosted, *bases]) if bases else hosted
    return built[name]


def _mirror(name: IndexName, settings: MirrorConfig, lasting: Lasting) -> MirrorIndex:
    def dial(host: str, port: int) -> HostnameEndpoint:
        return HostnameEndpoint(lasting.reactor, host, port, timeout=settings.connect_timeout)

    agent = UpstreamAgent(
        _proxy_rules(settings),
        dial=dial,
        dial_proxy=dial,
        tls=lasting.tls_policy,
        pool=lasting.pool,
        connect_timeout=settings.connect_timeout,
        clock=lasting.reactor,
    )
    proxy = agent.proxy_for(settings.upstream.encode("ascii"))
    if proxy is not None:
        _log.info("the index {name} asks its upstream by way of the proxy {proxy}", name=name, proxy=str(proxy))
    exchange = Exchange(
        agent,
        lasting.reactor,
        lasting.hosts,
        ExchangeRules(
            header_timeout=settings.header_timeout,
            idle_timeout=settings.idle_timeout,
            max_connections=settings.max_connections,
            allowed=AllowedHosts([settings.upstream], ["*"]),
            authorization=upstream_authorization(name, settings),
        ),
        delay=lambda: random.uniform(*RETRY_DELAY),  # noqa: S311 (nothing secret)
    )
    client = UpstreamClient(
        exchange,
        lasting.reactor,
        UpstreamLimits(
            page_timeout=settings.page_timeout,
            file_timeout=settings.file_timeout,
            max_page=settings.max_page,
            max_file=settings.max_file,
        ),
    )
    mirroring = Mirroring(
        index=name,
        upstream=settings.upstream,
        rules=PageRules(ttl=settings.ttl, grace=settings.grace, max_page=settings.max_page),
        client=client,
        records=lasting.cached,
        memory=lasting.page_memory,
        parse=lasting.pages,
        now=time.time,
    )
    pages = MirroredPages(mirroring)
    files = FetchedFiles(name, lasting.downloads, lasting.cached, lasting.blobs)
    core_metadata = CoreMetadata(
        name,
        pages,
        files,
        Wheels(files, blobs=lasting.blobs, inspect=lasting.pages),
        records=lasting.cached,
        staging=lasting.staging,
        blobs=lasting.blobs,
    )
    upstream_list = UpstreamList(mirroring, lasting.lists) if settings.upstream_project_list else None
    return MirrorIndex(
        name,
        pages,
        files,
        core_metadata,
        UpstreamJson(mirroring),
        provenance=MirroredProvenance(mirroring),
        fetcher=client,
        upstream_list=upstream_list,
    )


def _proxy_rules(settings: MirrorConfig) -> ProxyRules:
    if settings.proxy is not None:
        return settings.proxy
    try:
        return environment_rules(os.environ)
    except InvalidProxy as e:
        raise ConfigError([str(e)]) from e


def _read_users(config: Config, *, had_users: bool) -> Htpasswd | None:
    """
    Return the users; None when there is no user file, which is how everybody begins.

    A file that was there and is gone is more likely an accident than a wish to lock everybody out.
    """
    path = config.users.htpasswd
    try:
        users = parse_htpasswd(path.read_text("utf-8"))
    except FileNotFoundError as e:
        if had_users:
            raise ConfigError([f"[users] htpasswd: {path} is gone"]) from e
        return None
    except (OSError, UnicodeDecodeError, HtpasswdError) as e:
        raise ConfigError([f"[users] htpasswd: {path} cannot be used: {e}"]) from e
    for problem in users.problems:
        _log.warn("{path}: {problem}", path=str(path), problem=problem)
    return users
