"""How API tokens are asked for."""

from __future__ import annotations

from typing import Annotated

import msgspec

from pypid.domain.errors import CallMalformed
from pypid.domain.names import IndexName
from pypid.domain.rights import GrantProblem, Right, project_pattern
from pypid.domain.tokens import DEFAULT_LIFETIME, Wish
from pypid.web.api.calls import Call

MAX_LIFETIME = 10 * 366 * 86400.0
"""Seconds. Whoever means more means for ever."""

MAX_PROJECTS = 100
"""Patterns of one token: those of a team; more are better said by one with a star."""

Description = Annotated[str, msgspec.Meta(max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]*\Z")]
"""Without control characters: it is printed to terminals."""
Pattern = Annotated[str, msgspec.Meta(max_length=255)]


class TokenCall(Call, frozen=True, kw_only=True):
    """What a new token should be."""

    user: Annotated[str, msgspec.Meta(max_length=255)] | None = None
    """None: whoever asks."""
    rights: Annotated[tuple[Right, ...], msgspec.Meta(min_length=1, max_length=len(Right))]
    index: IndexName | None = None
    projects: Annotated[tuple[Pattern, ...], msgspec.Meta(max_length=MAX_PROJECTS)] = ()
    description: Description = ""
    lifetime: Annotated[float, msgspec.Meta(gt=0, le=MAX_LIFETIME)] | None = DEFAULT_LIFETIME
    """Seconds; null: for ever."""


class TokenListing(Call, frozen=True, kw_only=True):
    """Whose tokens are meant."""

    all: bool = False
    """Everybody's, and those of publishers."""


def wish_of(call: TokenCall, user: str) -> Wish:
    """Return what ``user`` is to be given. Raises `CallMalformed` for a pattern that is none."""
    try:
        patterns = [project_pattern(pattern) for pattern in call.projects]
    except GrantProblem as e:
        raise CallMalformed([f"projects: {e}."]) from e
    return Wish(
        user=user,
        rights=frozenset(call.rights),
        index=call.index,
        projects=tuple(dict.fromkeys(patterns)),
        description=call.description,
        lifetime=call.lifetime,
    )
