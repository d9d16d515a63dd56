"""SIGHUP: the new settings whole, or the old ones."""

from __future__ import annotations

import signal
from collections.abc import Callable, Coroutine
from types import FrameType
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.logger import Logger

from pypid.config import ConfigError


class ReloadService(Service):
    """
    Call ``reload()`` once for each SIGHUP, or once for several that come together or during a reload.

    ``reload`` must do all that can fail before it changes anything; what it
    raises is logged, and the settings in force stay in force.
    """

    _log = Logger()

    def __init__(self, reactor: IReactorFromThreads, reload: Callable[[], Coroutine[Deferred[Any], Any, None]]) -> None:
        self._reactor = reactor
        self._reload = reload
        self._wanted = False
        self._reloading = False
        self._previous: Any = signal.SIG_DFL

    def privilegedStartService(self) -> None:
        """Take the signal over before a port is open: its default action would end the process."""
        super().privilegedStartService()
        self._previous = signal.signal(signal.SIGHUP, self._signalled)

    def stopService(self) -> None:
        signal.signal(signal.SIGHUP, self._previous)
        super().stopService()

    def _signalled(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        # A Python signal handler may run between any two bytecodes: do nothing here.
        if not self._wanted:
            self._wanted = True
            self._reactor.callFromThread(self._run)

    def _run(self) -> None:
        if not self._reloading:
            Deferred.fromCoroutine(self._catch_up())

    async def _catch_up(self) -> None:
        self._reloading = True
        while self._wanted:
            # Before it begins: what changes from now on needs another one.
            self._wanted = False
            if self.running:
                await self._reload_or_stay()
        self._reloading = False

    async def _reload_or_stay(self) -> None:
        try:
            await self._reload()
        except ConfigError as e:
            for problem in e.problems:
                self._log.error("{problem}", problem=problem)
            self._log.error("reload refused ({count} problems): the old settings stay", count=len(e.problems))
        except Exception:  # noqa: BLE001
            # Whatever it is, the daemon goes on as it was.
            self._log.failure("reload refused: the old settings stay")
