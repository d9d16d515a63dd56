"""Numbers of downloads, by day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from packaging.version import Version

from pypid.domain.filenames import UnknownFilename, parse_filename


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadDays:
    """The downloads of a file, or of several."""

    last_day: date
    earlier: int = 0
    """On days that are no longer kept one by one."""
    days: dict[date, int] = field(default_factory=dict)
    """Days without any are left out; the first comes first."""

    @property
    def total(self) -> int:
        return self.earlier + sum(self.days.values())

    def between(self, first: date | None, last: date | None) -> DownloadDays:
        """Return the same with the days from ``first`` to ``last`` alone, both included; None: without a limit."""
        kept = {
            day: count
            for day, count in self.days.items()
            if (first is None or first <= day) and (last is None or day <= last)
        }
        return replace(self, days=kept, earlier=0)


def united(several: Sequence[DownloadDays]) -> DownloadDays:
    """Return the sums of ``several``, at least one."""
    days: Counter[date] = Counter()
    for each in several:
        days.update(each.days)
    return DownloadDays(
        last_day=max(each.last_day for each in several),
        earlier=sum(each.earlier for each in several),
        days=dict(sorted(days.items())),
    )


def by_release(files: Mapping[str, DownloadDays]) -> dict[Version, DownloadDays]:
    """Return the sums of each release of a project, whose ``files`` come by name; the oldest version first."""
    found: dict[Version, list[DownloadDays]] = {}
    for filename, downloads in files.items():
        try:
            found.setdefault(parse_filename(filename).version, []).append(downloads)
        except UnknownFilename:
            continue
    return {version: united(found[version]) for version in sorted(found)}
