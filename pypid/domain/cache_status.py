"""What a cache did with a request, as RFC 9211 has it told."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

CACHE = "pypid"
"""The name of this cache among those on the way."""


class Forwarded(Enum):
    """Why upstream was asked (RFC 9211 section 2.2)."""

    URI_MISS = "uri-miss"
    """Nothing was kept."""
    STALE = "stale"
    """What was kept is too old."""
    REQUEST = "request"
    """The client wanted it to be asked."""
    PARTIAL = "partial"
    """The part that was wanted is not here yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheStatus:
    """
    What happened to one request.

    Either it is a hit, answered without asking upstream, or it says why
    upstream was asked.
    """

    forwarded: Forwarded | None = None
    """None: a hit."""
    ttl: int | None = None
    """Seconds for which the answer is still fresh; negative: for how long it has not been."""
    stored: bool = False
    """What upstream answered is kept."""
    collapsed: bool = False
    """Another client's request to upstream was waited for."""
    detail: str | None = None
    """Why, in one word of letters, digits and dashes: ``timeout``, ``offline``."""

    def render(self) -> str:
        """Return the header field's value."""
        said = [CACHE, "hit" if self.forwarded is None else f"fwd={self.forwarded.value}"]
        if self.stored:
            said.append("stored")
        if self.collapsed:
            said.append("collapsed")
        if self.ttl is not None:
            said.append(f"ttl={self.ttl}")
        if self.detail is not None:
            said.append(f"detail={self.detail}")
        return "; ".join(said)


HIT = CacheStatus()
"""Answered from what is kept for good."""
