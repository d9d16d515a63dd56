"""The alarms of upstreams that change what they have published."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from cachetools import LRUCache
from twisted.logger import Logger

from pypid.domain.drift import Drift, DriftKind
from pypid.domain.names import IndexName, NormalizedName

REMEMBERED = 10_000
"""Alarms that are not raised again until a restart."""

LOGGED_AT_ONCE = 20
"""Of one project: enough to see the pattern. The rest is counted."""


class Drifts:
    """
    Logs and counts each change once.

    Nothing else comes of it: what was fetched stays and is served to lock
    files, and a time that clients were told does not move.
    """

    _log = Logger()

    def __init__(self) -> None:
        self.counts: Counter[tuple[IndexName, DriftKind]] = Counter()
        """How many there were since the start."""
        self._known: LRUCache[tuple[IndexName, NormalizedName, Drift], None] = LRUCache(REMEMBERED)

    def note(self, index: IndexName, project: NormalizedName, found: Iterable[Drift]) -> None:
        """Raise the alarms for what was ``found``."""
        new = [drift for drift in found if (index, project, drift) not in self._known]
        for drift in new:
            self._known[index, project, drift] = None
            self.counts[index, drift.kind] += 1
        for drift in new[:LOGGED_AT_ONCE]:
            self._log.warn(
                "{index}: {project}: " + _SAID[drift.kind],
                index=index,
                project=project,
                drift=drift.kind.value,
                filename=drift.filename,
                now=drift.now,
            )
        if len(new) > LOGGED_AT_ONCE:
            self._log.warn(
                "{index}: {project}: and {count} changes more",
                index=index,
                project=project,
                count=len(new) - LOGGED_AT_ONCE,
            )


_SAID = {
    DriftKind.OTHER_BYTES: "upstream has put other bytes under the name of {filename}; what was fetched stays",
    DriftKind.UPLOAD_TIME: "upstream has moved the upload time of {filename} to {now}; the one that was told stays",
    DriftKind.LATE_FILE: "upstream has added {filename} to a release that is older than two weeks",
    DriftKind.UNYANKED: "upstream offers {filename} again, which was yanked",
    DriftKind.GONE: "upstream has withdrawn the project; files that were fetched go on being served",
}
