"""From a configuration to what requests are answered from."""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from twisted.logger import Logger

from pypid.config import FIND_LINKS, Config, ConfigError, DirectoryConfig, HostedConfig, MirrorConfig
from pypid.daemon.credentials import upstream_authorization
from pypid.daemon.lasting import Lasting
from pypid.daemon.publishing import trusted_publishing
from pypid.daemon.reaching import upstream_agent
from pypid.domain.freshness import Lifetime
from pypid.domain.groups import Groups
from pypid.domain.htpasswd import Htpasswd
from pypid.domain.names import IndexName
from pypid.domain.reach import AllowedHosts
from pypid.domain.trusted_proxies import TrustedProxies
from pypid.domain.upload_rules import UploadRules
from pypid.indexes.change_feed import ChangeFeed
from pypid.indexes.core_metadata import CoreMetadata
from pypid.indexes.directory import DirectoryIndex
from pypid.indexes.fetched import FetchedFiles
from pypid.indexes.find_links import FindLinks
from pypid.indexes.hosted import HostedIndex
from pypid.indexes.index import Index
from pypid.indexes.layered import LayeredIndex
from pypid.indexes.looks import Looks
from pypid.indexes.mirror import MirrorIndex
from pypid.indexes.mirroring import Mirroring, PageRules
from pypid.indexes.offline import OfflineIndex
from pypid.indexes.overlaid import OverlaidIndex
from pypid.indexes.pages import MirroredPages
from pypid.indexes.provenance import MirroredProvenance
from pypid.indexes.upstream_json import UpstreamJson
from pypid.indexes.upstream_list import UpstreamList
from pypid.indexes.wheels import Wheels
from pypid.inspection.verifying import can_verify, problems_of_setup
from pypid.upstream.calls import CallClient
from pypid.upstream.client import UpstreamClient, UpstreamLimits
from pypid.upstream.exchange import Exchange, ExchangeRules
from pypid.upstream.failover import Failover
from pypid.upstream.hosts import Hosts
from pypid.web.auth import Authenticator
from pypid.web.snapshot import Snapshot

RETRY_DELAY = (0.1, 0.5)
"""Seconds between which a second try is made: soon, and not all of them at once."""

_log = Logger()


def build_snapshot(config: Config, lasting: Lasting, users: Htpasswd | None, groups: Groups) -> Snapshot:
    """
    Return a snapshot for ``config`` and ``users``.

    Raises `ConfigError` with what is wrong; nothing is changed by then.
    """
    offline = _offline(config, lasting)
    if offline:
        _log.warn("offline: the upstreams of {names} are not asked", names=", ".join(sorted(offline)))
    problems = problems_of_setup(config.verifying, config.server.sigstore_root, installed=can_verify())
    if problems:
        raise ConfigError(problems)
    building = _Building(config, lasting, offline)
    for name in config.indexes:
        building.build(name)
    return Snapshot(
        indexes=building.indexes,
        hosted={
            name: UploadRules(
                level=index.validation,
                attesting=index.attestations,
                signers=index.signers,
                volatile=index.volatile,
                shadowing=index.shadowing,
                mirrors=tuple(dict.fromkeys(_mirrors_below(config, name))),
            )
            for name, index in config.indexes.items()
            if isinstance(index, HostedConfig)
        },
        offline=offline,
        feeds=tuple(building.feeds),
        directories=building.directories,
        default_index=config.server.default_index,
        rights={name: index.rights for name, index in config.indexes.items()},
        groups=groups,
        publishing=trusted_publishing(config, lasting, lasting.tokens),
        authenticator=Authenticator(users, lasting.password_checks),
        max_upload=config.server.max_upload,
        stall_timeout=config.server.stall_timeout,
        trusted_proxies=TrustedProxies(config.server.trusted_proxies),
        connections_per_address=config.server.connections_per_address,
    )


def _mirrors_below(config: Config, name: IndexName) -> Iterator[IndexName]:
    """Yield the mirrors that the index stands on, however many are in between."""
    index = config.indexes[name]
    if isinstance(index, MirrorConfig):
        yield name
    elif isinstance(index, HostedConfig):
        for base in index.bases:
            yield from _mirrors_below(config, base)


def _offline(config: Config, lasting: Lasting) -> frozenset[IndexName]:
    """Return the mirrors that ask nobody."""
    try:
        everything = config.server.offline or lasting.offline.is_on()
    except OSError as e:
        raise ConfigError([f"whether pypid is offline cannot be known: {e.filename}: {e.strerror}"]) from e
    return frozenset(
        name
        for name, index in config.indexes.items()
        if isinstance(index, MirrorConfig) and (everything or index.offline)
    )


@dataclass(frozen=True, slots=True)
class _Building:
    """The indexes, one after the other, and what is to be done for some of them from time to time."""

    config: Config
    lasting: Lasting
    offline: frozenset[IndexName]
    indexes: dict[IndexName, Index] = field(default_factory=dict)
    feeds: list[ChangeFeed] = field(default_factory=list)
    directories: dict[IndexName, tuple[Looks, float]] = field(default_factory=dict)

    def build(self, name: IndexName) -> Index:
        """Build the index and, before it, those that it stands on; `config` has no circles."""
        if name not in self.indexes:
            settings = self.config.indexes[name]
            if isinstance(settings, MirrorConfig):
                self.indexes[name] = OverlaidIndex(self._mirror(name, settings), self.lasting.overlays)
            elif isinstance(settings, DirectoryConfig):
                self.indexes[name] = OverlaidIndex(self._files(name, settings), self.lasting.overlays)
            else:
                self.indexes[name] = self._hosted(name, settings)
        return self.indexes[name]

    def _hosted(self, name: IndexName, settings: HostedConfig) -> Index:
        hosted = HostedIndex(name, self.lasting.hosted, self.lasting.blobs)
        bases = [self.build(base) for base in settings.bases]
        return LayeredIndex(name, [hosted, *bases]) if bases else hosted

    def _files(self, name: IndexName, settings: DirectoryConfig) -> Index:
        looks = self.lasting.looks(name, settings.directory)
        self.directories[name] = looks, settings.rescan
        return DirectoryIndex(looks, self.lasting.disk)

    def _mirror(self, name: IndexName, settings: MirrorConfig) -> Index:
        mirror = _mirror(name, settings, self.lasting, offline=name in self.offline)
        if name in self.offline:
            return OfflineIndex(mirror, self.lasting.cached)
        if mirror.change_feed is not None:
            self.feeds.append(mirror.change_feed)
        return mirror


def _mirror(name: IndexName, settings: MirrorConfig, lasting: Lasting, *, offline: bool) -> MirrorIndex:
    allowed = AllowedHosts([settings.upstream, *settings.failover], settings.allowed_hosts)
    mark = f"pypid-{secrets.token_hex(8)}"  # what `read_marks` finds
    exchange = _exchange(name, settings, lasting, allowed, hosts=lasting.hosts, offline=offline, mark=mark)
    client = UpstreamClient(
        exchange,
        lasting.reactor,
        UpstreamLimits(
            page_timeout=settings.page_timeout,
            file_timeout=settings.file_timeout,
            max_page=settings.max_page,
            max_file=settings.max_file,
        ),
        missing_status=settings.missing_status,
    )
    asked = Failover(client, [settings.upstream, *settings.failover], lasting.reactor) if settings.failover else client
    mirroring = Mirroring(
        index=name,
        upstream=settings.upstream,
        allowed=allowed,
        rules=PageRules(
            lifetime=Lifetime(ttl=settings.ttl, grace=settings.grace, max_stale=settings.max_stale),
            max_page=settings.max_page,
            serve_quarantined=settings.serve_quarantined,
        ),
        client=asked,
        records=lasting.cached,
        memory=lasting.page_memory,
        parse=lasting.pages,
        now=time.time,
        clock=lasting.reactor,
        drifts=lasting.drifts,
        mark=mark,
        offline=offline,
    )
    pages = MirroredPages(_paged(mirroring) if settings.layout == FIND_LINKS else mirroring)
    files = FetchedFiles(name, lasting.downloads, lasting.cached, lasting.blobs, learned=pages.learn)
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
    change_feed = None
    if settings.change_feed:
        change_feed = ChangeFeed(mirroring, _feed_client(name, settings, lasting), pages)
    return MirrorIndex(
        name,
        pages,
        files,
        core_metadata,
        UpstreamJson(mirroring),
        provenance=MirroredProvenance(mirroring),
        fetcher=asked,
        upstream_list=upstream_list,
        change_feed=change_feed,
    )


def _feed_client(name: IndexName, settings: MirrorConfig, lasting: Lasting) -> CallClient:
    allowed = AllowedHosts([settings.change_feed], [])
    # Hosts of its own: a feed that fails, or that asks to be left alone, says nothing of the pages beside it.
    exchange = _exchange(name, settings, lasting, allowed, hosts=Hosts(lasting.reactor), offline=False)
    return CallClient(
        exchange, lasting.reactor, settings.change_feed, timeout=settings.page_timeout, limit=settings.max_page
    )


def _exchange(
    name: IndexName,
    settings: MirrorConfig,
    lasting: Lasting,
    allowed: AllowedHosts,
    *,
    hosts: Hosts,
    offline: bool,
    mark: str | None = None,
) -> Exchange:
    return Exchange(
        upstream_agent(name, settings, allowed, lasting),
        lasting.reactor,
        hosts,
        ExchangeRules(
            header_timeout=settings.header_timeout,
            idle_timeout=settings.idle_timeout,
            max_connections=settings.max_connections,
            allowed=allowed,
            authorization=upstream_authorization(name, settings),
            offline=offline,
            mark=mark,
        ),
        delay=lambda: random.uniform(*RETRY_DELAY),  # noqa: S311 (nothing secret)
    )


def _paged(mirroring: Mirroring) -> Mirroring:
    """Return ``mirroring`` of a page of links as if each of its projects had a page."""
    links = FindLinks(
        mirroring.client,
        mirroring.upstream,
        parse=mirroring.parse,
        max_page=mirroring.rules.max_page,
        now=mirroring.now,
    )
    return replace(mirroring, client=links)
