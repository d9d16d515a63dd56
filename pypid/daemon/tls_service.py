"""TLS as the daemon has it: begun at the start, replaced by a reload, watched in between."""

from __future__ import annotations

from typing import Any

from twisted.application.service import Service
from twisted.internet.interfaces import IProtocolFactory

from pypid.config import ConfigError, ServerConfig
from pypid.daemon.tls import CurrentTls, TlsContexts, read_contexts
from pypid.daemon.tls_expiry import ExpiryService
from pypid.daemon.tls_port import TlsFactory
from pypid.daemon.tls_reload import check_times, read_settled, report
from pypid.offload import Offload


class TlsService(Service):
    """Nothing at all where `listen` has no address with TLS. ``offload`` is where files are read for a reload."""

    def __init__(self, reactor: Any, offload: Offload) -> None:
        self._reactor = reactor
        self._offload = offload
        self.current: CurrentTls | None = None
        self._expiry: ExpiryService | None = None

    def open(self, server: ServerConfig) -> None:
        """Read the files for the start, while we may read what is for root alone. Raises `ConfigError`. Blocks."""
        if server.certificates:
            self.current = CurrentTls(read_contexts(server))
            self._expiry = ExpiryService(self._reactor, self.current)

    def startService(self) -> None:
        super().startService()
        if self.current is not None and self._expiry is not None:
            report(self.current.contexts)
            self._expiry.startService()

    def stopService(self) -> None:
        super().stopService()
        if self._expiry is not None and self._expiry.running:
            self._expiry.stopService()

    def secure(self, wrapped: IProtocolFactory, *, handshake_timeout: float) -> IProtocolFactory:
        """Return a factory of the same connections with TLS on them."""
        if self.current is None:
            raise ConfigError(["there are no certificates"])  # which the configuration does not allow
        return TlsFactory(self.current, wrapped, clock=self._reactor, handshake_timeout=handshake_timeout)

    async def read(self, server: ServerConfig) -> TlsContexts | None:
        """
        Return what a reload puts into force with `use`; None for what there is.

        Raises `ConfigError`, perhaps after some seconds. Files are read also
        where they are used after a restart only, for what is wrong with them.
        """
        if not server.certificates:
            return None
        fresh = await read_settled(lambda: self._offload(read_contexts, server), self._reactor)
        if self.current is not None:
            check_times(fresh, server.certificates, before=self.current.contexts)
        return fresh

    def use(self, fresh: TlsContexts | None) -> None:
        """Put what `read` returned into force, for connections from now on."""
        if fresh is None or self.current is None or self._expiry is None:
            return
        before, self.current.contexts = self.current.contexts, fresh
        report(fresh, before=before)
        self._expiry.look()
