"""What upstream may have been asked, whatever went wrong."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from pypid.domain.freshness import JITTER
from pypid.indexes.mirrored import FORCED_INTERVAL
from tests.soak.weather import Asked

SLACK = 1.0
"""Seconds for which upstream may not have noticed that we hung up on it."""


def broken(
    asked: Sequence[Asked], had_since: Mapping[str, float], reloads: Sequence[float], *, ttl: float
) -> Iterator[str]:
    """
    Yield each prediction that does not hold.

    A file is transferred once at a time, and not at all when it is here; a
    page that was sent well is not asked for again within ``ttl``. Where a
    reload comes in between, the old settings and the new ones each ask.
    """
    by_path: dict[str, list[Asked]] = defaultdict(list)
    for each in asked:
        by_path[each.path].append(each)
    for path, requests in by_path.items():
        if path.startswith("/simple/"):
            yield from _of_page(path, requests, _lacking(by_path, path), reloads, ttl=ttl)
        else:
            yield from _of_file(path, requests, had_since.get(path))


def _of_file(path: str, requests: Sequence[Asked], here_since: float | None) -> Iterator[str]:
    late = [each for each in requests if here_since is not None and each.begun > here_since]
    if late:
        yield f"upstream was asked {len(late)} times for {path}, which was here"
    yield from _at_once(path, [each for each in requests if each.transfer])


def _at_once(path: str, requests: Sequence[Asked]) -> Iterator[str]:
    for first, second in pairwise(requests):
        if first.ended is None or first.ended - second.begun > SLACK:
            until = "now" if first.ended is None else f"{first.ended:.1f}"
            yield (
                f"upstream was asked for {path} at {second.begun:.1f} ({second.fault}) "
                f"while it was sending it, from {first.begun:.1f} ({first.fault}) to {until}"
            )


def _of_page(
    path: str, requests: Sequence[Asked], lacking: Sequence[Asked], reloads: Sequence[float], *, ttl: float
) -> Iterator[str]:
    for first, second in pairwise(requests):
        if any(first.begun < at + SLACK and at < second.begun for at in reloads):
            continue
        yield from _at_once(path, [first, second])
        if not first.good or first.ended is None:
            continue
        # A file that upstream lacks has its page asked for anew.
        forced = any(first.begun < each.begun < second.begun for each in lacking)
        least = FORCED_INTERVAL if forced else ttl * (1 - JITTER)
        if second.begun - first.ended < least - SLACK:
            yield f"upstream was asked for {path} again after {second.begun - first.ended:.1f} s"


def _lacking(by_path: Mapping[str, Sequence[Asked]], page: str) -> list[Asked]:
    """Return the requests for files of the page's project that were answered by 404."""
    module = page.split("/")[2].replace("-", "_")
    return [
        each
        for path, requests in by_path.items()
        if path.rpartition("/")[2].startswith(f"{module}-")
        for each in requests
        if each.missing
    ]
