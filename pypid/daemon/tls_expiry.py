"""Watching the certificates in force grow old."""

from __future__ import annotations

import time
from collections.abc import Callable

from twisted.application.service import Service
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from pypid.daemon.tls import CurrentTls
from pypid.domain.certificates import ServerCertificate
from pypid.domain.expiry import DAY, Expiry, Reminders, judge_expiry

INTERVAL = 3600.0
"""Seconds: at most so late it is said that a certificate has expired."""


class ExpiryService(Service):
    """
    Say each day that a certificate will expire soon, or has.

    It goes on being served: a client that does not check it still works, and
    one that does says what is wrong.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime, current: CurrentTls, *, now: Callable[[], float] = time.time) -> None:
        self._current = current
        self._now = now
        self._reminders = Reminders()
        self._loop = LoopingCall(self.look)
        self._loop.clock = clock

    def startService(self) -> None:
        super().startService()
        self._loop.start(INTERVAL)

    def stopService(self) -> None:
        super().stopService()
        self._loop.stop()

    def look(self) -> None:
        """Look now, as a reload does."""
        now = self._now()
        for certificate in self._current.contexts.certificates:
            expiry = judge_expiry(certificate.begins, certificate.ends, now)
            if self._reminders.is_due(certificate.digest, expiry, now):
                self._say(certificate, expiry, (certificate.ends - now) / DAY)

    def _say(self, certificate: ServerCertificate, expiry: Expiry, days: float) -> None:
        names = ", ".join(certificate.names)
        if expiry is Expiry.PAST:
            self._log.critical("the certificate for {names} has expired: clients refuse it", names=names)
        else:
            self._log.warn("the certificate for {names} expires in {days:.1f} days", names=names, days=days)
