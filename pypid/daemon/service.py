"""The daemon as a whole: it opens what it needs, listens, reloads, and stops without leaving anything half done."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort, IProtocolFactory
from twisted.logger import Logger
from twisted.python.failure import Failure

from pypid import __version__
from pypid.config import Config, ConfigError
from pypid.config.listen import below_tls
from pypid.daemon.chores import chores
from pypid.daemon.control import ControlSocket
from pypid.daemon.failure import StartFailed
from pypid.daemon.feeds import FeedService
from pypid.daemon.groups import read_groups
from pypid.daemon.lasting import Lasting
from pypid.daemon.reload import ReloadService
from pypid.daemon.rescan import RescanService
from pypid.daemon.sites import build_sites
from pypid.daemon.snapshot import build_snapshot
from pypid.daemon.sweep import SweepService
from pypid.daemon.tls_service import TlsService
from pypid.daemon.users import read_users, warn_of_writers
from pypid.web.snapshot import Current
from pypid.web.unencrypted import HTTPS

BACKLOG = 1024
"""Connections that wait while the reactor is busy; with Twisted's 50, 300 clients at once lose 42."""

SWITCH_INTERVAL = 0.0005
"""
Seconds after which a thread that works lets the reactor's go on; Python's own is 5 ms.

The reactor waits so long after each of its system calls while a page is being
parsed or rendered, and one answer takes about ten of them.
"""

NEEDS_RESTART = frozenset({"listen", "data", "header_timeout", "idle_timeout", "rendered_pages", "page_memory"})
"""Settings of [server] that a reload does not change."""


class Daemon(Service):
    """
    pypid.

    ``load`` returns the configuration as it is now; ``give_up`` ends the
    process for the `StartFailed` that it is given.
    """

    _log = Logger()

    def __init__(
        self, reactor: Any, config: Config, *, load: Callable[[], Config], give_up: Callable[[StartFailed], None]
    ) -> None:
        self._reactor = reactor
        self._config = config
        self._load = load
        self._give_up = give_up
        self._lasting = Lasting(reactor, config)
        self._current = Current()
        self._reloads = ReloadService(reactor, self._reload)
        self._feeds = FeedService(reactor, self._current)
        self._rescans = RescanService(reactor, self._current)
        self._sweeps = SweepService(reactor, self._lasting.room)
        self._chores = chores(reactor, self._lasting.counts, self._lasting.retainer, self._lasting.token_store)
        self._tls = TlsService(reactor, self._lasting.disk)
        self._site, self._control_site = build_sites(reactor, config.server, self._lasting, self._current)
        self._control = ControlSocket(reactor, config.server.data, self._control_site)
        self._ports: list[IListeningPort] = []

    def privilegedStartService(self) -> None:
        """Take the ports while we may; nothing is accepted before the reactor runs, when all is open."""
        super().privilegedStartService()
        self._reloads.privilegedStartService()
        try:
            self._tls.open(self._config.server)
        except ConfigError as e:
            self._give_up(StartFailed("; ".join(e.problems), os.EX_CONFIG))
            return
        for description in self._config.server.listen:
            self._listen(description)

    def _listen(self, description: str) -> None:
        # maybeDeferred: a description may also name what cannot be read, such as a key.
        listening = maybeDeferred(self._endpoint, description)
        failures: list[Failure] = []
        listening.addCallbacks(self._ports.append, failures.append)
        if failures:
            # An address that cannot be had is known at once: nothing is waited for.
            error = failures[0].value
            reason = error.socketError if isinstance(error, CannotListenError) else error
            self._give_up(StartFailed(f"cannot listen on {description}: {reason}", os.EX_OSERR))

    def _endpoint(self, description: str) -> Deferred[IListeningPort]:
        below = below_tls(description)
        factory: IProtocolFactory = self._site
        if below is not None:
            factory = self._tls.secure(self._site, handshake_timeout=self._config.server.header_timeout)
        listening: Deferred[IListeningPort] = serverFromString(
            self._reactor, _with_backlog(below or description)
        ).listen(factory)
        return listening

    def _https_port(self, config: Config) -> int | None:
        """Return the port that requests without TLS are sent to; None where they are answered."""
        if config.server.insecure_http:
            return None
        for description, port in zip(self._config.server.listen, self._ports, strict=True):
            if below_tls(description) is not None:
                return getattr(port.getHost(), "port", HTTPS)  # a Unix socket: where it leads to we do not know
        return None

    def startService(self) -> None:
        try:
            self._lasting.open()
            warn_of_writers(self._config)
            users = read_users(self._config.users, before=None)
            snapshot = build_snapshot(self._config, self._lasting, users, read_groups(self._config, users))
            self._current.value = replace(snapshot, https_port=self._https_port(self._config))
        except ConfigError as e:
            self._give_up(StartFailed("; ".join(e.problems), os.EX_CONFIG))
            return
        except StartFailed as e:
            self._give_up(e)
            return
        self._lasting.retainer.rules = self._config.retention
        super().startService()
        _favour_reactor()
        self._reloads.startService()
        self._feeds.startService()
        self._rescans.startService()
        self._sweeps.startService()
        self._chores.startService()
        self._control.start()
        self._tls.startService()
        self._log.info(
            "pypid {version} listens on {listen}; data in {data}; settings from {source}",
            version=__version__,
            listen=", ".join(self._config.server.listen),
            data=str(self._config.server.data),
            source=self._config.source,
        )

    def stopService(self) -> Deferred[None]:
        """Fire when every connection has ended, or been cut off after the drain time, and all is closed."""
        super().stopService()
        self._reloads.stopService()
        if self._feeds.running:
            self._feeds.stopService()
        if self._tls.running:
            self._tls.stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        await gatherResults([maybeDeferred(port.stopListening) for port in self._ports])
        await self._control.stop()
        await gatherResults([site.drain(self._config.server.drain) for site in (self._site, self._control_site)])
        await maybeDeferred(self._chores.stopService)
        await self._rescans.stopService()
        await self._lasting.stop()
        await self._sweeps.stopService()
        self._lasting.close()
        self._log.info("pypid has stopped")

    async def _reload(self) -> None:
        config = self._load()
        tls = await self._tls.read(config.server)
        known = self._current.value.authenticator.users
        await self._lasting.disk(warn_of_writers, config)
        users = await self._lasting.disk(read_users, config.users, before=known)
        groups = await self._lasting.disk(read_groups, config, users)
        snapshot = build_snapshot(config, self._lasting, users, groups)
        # Nothing can fail any more.
        for field in fields(config.server):
            before, after = getattr(self._config.server, field.name), getattr(config.server, field.name)
            if field.name in NEEDS_RESTART and before != after:
                self._log.warn("[server] {key} has changed: it takes effect after a restart", key=field.name)
        self._current.value = replace(snapshot, https_port=self._https_port(config))
        self._tls.use(tls)
        self._lasting.room.limits = config.server.room
        self._lasting.counts.keep_days = config.server.download_days
        self._lasting.sigstore_root = config.server.sigstore_root
        self._lasting.retainer.rules = config.retention
        self._sweeps.sweep()
        self._rescans.follow()
        self._log.info("reloaded: settings from {source}", source=config.source)


def _favour_reactor() -> None:
    """Keep short what holds the reactor up from other threads, or from within."""
    sys.setswitchinterval(SWITCH_INTERVAL)
    # What is loaded by now stays: going through it with each full collection would hold everything for 25 ms.
    gc.collect()
    gc.freeze()


def _with_backlog(description: str) -> str:
    kind = description.partition(":")[0]
    if kind in {"tcp", "tcp6", "unix"} and ":backlog=" not in description:
        return f"{description}:backlog={BACKLOG}"
    return description
