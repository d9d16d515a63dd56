"""Certificates read again: good ones come into force, and the old ones stay otherwise."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from pypid.config import ConfigError
from pypid.config.certificate_files import FilesUnsettled
from pypid.daemon.tls import TlsContexts
from pypid.domain.certificates import ServerCertificate, time_problem, warning_of

PAUSES = (1.0, 1.5, 2.5)
"""
Seconds between one try and the next.

Whoever replaces certificate and key does it one after the other, mostly within
a second; who tells us of it in between need not tell us again.
"""

_log = Logger()


async def read_settled(read: Callable[[], Deferred[TlsContexts]], clock: IReactorTime) -> TlsContexts:
    """
    Return what ``read`` gives as soon as its files fit together.

    Raises `ConfigError`, that of the last try where waiting might have helped.
    Cancelling it ends the waiting.
    """
    for pause in PAUSES:
        try:
            return await read()
        except FilesUnsettled as e:
            _log.info("{problem}: tried again in {pause} s", problem=e.problems[0], pause=pause)
        await deferLater(clock, pause)
    return await read()


def check_times(fresh: TlsContexts, paths: Sequence[Path], *, before: TlsContexts) -> None:
    """
    Raise `ConfigError` for a certificate, of the files ``paths``, that is not valid now and not in force already.

    One that has expired in force must not keep all else from being reloaded.
    """
    known = {each.digest for each in before.certificates}
    now = time.time()
    problems = [
        f"[server] certificates: {path}: {problem}"
        for path, each in zip(paths, fresh.certificates, strict=True)
        if each.digest not in known and (problem := time_problem(each, now)) is not None
    ]
    if problems:
        raise ConfigError(problems)


def report(fresh: TlsContexts, *, before: TlsContexts | None = None) -> None:
    """Log which certificates come into force, and what is remarkable about them."""
    known = {each.digest for each in before.certificates} if before else set()
    for each in fresh.certificates:
        if each.digest not in known:
            _report_new(each)
    if before is not None:
        gone = sorted(_names(before) - _names(fresh))
        if gone:
            _log.warn("no certificate is for {names} any more", names=", ".join(gone))


def _report_new(certificate: ServerCertificate) -> None:
    _log.info("certificate for {certificate}", certificate=str(certificate), sha256=certificate.digest)
    for warning in (warning_of(certificate), time_problem(certificate, time.time())):
        if warning is not None:
            _log.warn("certificate for {certificate}: {warning}", certificate=str(certificate), warning=warning)


def _names(contexts: TlsContexts) -> set[str]:
    return {name for each in contexts.certificates for name in each.names}
