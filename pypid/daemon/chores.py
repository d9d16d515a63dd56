"""What a running pypid does by the clock, besides answering."""

from __future__ import annotations

from twisted.application.service import MultiService
from twisted.internet.interfaces import IReactorTime

from pypid.daemon.repeating import RepeatingService
from pypid.indexes.download_counts import DownloadCounts
from pypid.indexes.retention import Retainer
from pypid.storage.tokens import TokenStore

RECORD_COUNTS = 60.0
"""Seconds between two records of the downloads: a crash loses so many of the numbers, which changes little."""

RECORD_TOKENS = 60.0
"""Seconds between two records of which tokens were used; expired ones go then too."""

FIRST_RETENTION = 900.0
"""Seconds from the start to the first look at which releases go: by then the machine's clock has been set right."""

RETENTION_INTERVAL = 86400.0
"""Seconds between two looks: ages are in days."""


def chores(clock: IReactorTime, counts: DownloadCounts, retainer: Retainer, tokens: TokenStore) -> MultiService:
    """Return the service of them all. What is under way when it stops goes on: `Lasting.stop` waits for it."""
    together = MultiService()
    for chore in (
        RepeatingService(
            clock,
            counts.record,
            "the downloads could not be recorded",
            first=RECORD_COUNTS,
            interval=RECORD_COUNTS,
        ),
        RepeatingService(
            clock,
            tokens.tidy,
            "the use of tokens could not be recorded",
            first=RECORD_TOKENS,
            interval=RECORD_TOKENS,
        ),
        RepeatingService(
            clock,
            retainer.run,
            "the releases to drop could not be dropped",
            first=FIRST_RETENTION,
            interval=RETENTION_INTERVAL,
        ),
    ):
        chore.setServiceParent(together)
    return together
