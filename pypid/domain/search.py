"""Searching for projects by name and summary, as PyPI did."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from heapq import nsmallest

from pypid.domain.names import NormalizedName

MAX_HITS = 100
"""Projects in an answer, as PyPI had it: nobody reads on."""

_SEPARATORS = re.compile(r"[-_.]+")


@dataclass(frozen=True, slots=True)
class Hit:
    """A project, with its latest version and what that says of itself."""

    project: NormalizedName
    version: str
    summary: str


class Query:
    """What is looked for. Case does not count, nor does it in names which of ``-_.`` is written."""

    def __init__(self, *, names: Iterable[str] = (), summaries: Iterable[str] = (), both: bool = False) -> None:
        """
        ``names``, ``summaries``: parts of them, of which one must be there.

        ``both``: where there are names and summaries, both must fit.
        """
        self._names = [_SEPARATORS.sub("-", name.casefold()) for name in names]
        self._summaries = [summary.casefold() for summary in summaries]
        self._both = both

    def fits(self, hit: Hit) -> bool:
        by_name = any(name in hit.project for name in self._names)
        if by_name and not (self._both and self._summaries):
            return True
        if self._both and self._names and not by_name:
            return False
        folded = hit.summary.casefold()
        return any(summary in folded for summary in self._summaries)

    def best(self, hits: Iterable[Hit]) -> list[Hit]:
        """Return those of ``hits`` that fit, the best first and no more than `MAX_HITS`."""
        return nsmallest(MAX_HITS, filter(self.fits, hits), key=self._rank)

    def _rank(self, hit: Hit) -> tuple[int, str]:
        """Put an exact name first, then names that begin so, names that hold it, and the rest."""
        ranks = [
            0 if name == hit.project else 1 if hit.project.startswith(name) else 2
            for name in self._names
            if name in hit.project
        ]
        return min(ranks, default=3), hit.project
