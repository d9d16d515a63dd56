"""What is said about tokens, and how one is asked for, field by field as JSON has it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import msgspec

from pypid.domain.names import IndexName
from pypid.domain.rights import Right, project_pattern
from pypid.domain.tokens import Token, Wish

DEFAULT_LIFETIME = 90 * 86400.0
"""Seconds: what is forgotten in some script ends by itself, and a quarter is what people plan for."""

MAX_LIFETIME = 10 * 366 * 86400.0
"""Seconds. Whoever means more means for ever."""

MAX_PROJECTS = 100
"""Patterns of one token: those of a team; more are better said by one with a star."""

Description = Annotated[str, msgspec.Meta(max_length=200)]
Pattern = Annotated[str, msgspec.Meta(max_length=255)]


class TokenCall(msgspec.Struct, frozen=True, kw_only=True):
    """What a new token should be."""

    user: Annotated[str, msgspec.Meta(max_length=255)] | None = None
    """None: whoever asks."""
    rights: Annotated[tuple[Right, ...], msgspec.Meta(min_length=1, max_length=len(Right))]
    index: IndexName | None = None
    projects: Annotated[tuple[Pattern, ...], msgspec.Meta(max_length=MAX_PROJECTS)] = ()
    description: Description = ""
    lifetime: Annotated[float, msgspec.Meta(gt=0, le=MAX_LIFETIME)] | None = DEFAULT_LIFETIME
    """Seconds; null: for ever."""


class TokenReport(msgspec.Struct, frozen=True, kw_only=True):
    """A token. Times are ISO 8601 in UTC."""

    id: str
    user: str
    rights: tuple[str, ...]
    index: str | None
    """None: every index."""
    projects: tuple[str, ...]
    """None of them: all projects."""
    description: str
    created_at: str
    expires_at: str | None
    last_used: str | None
    """None: never."""


class MadeTokenReport(msgspec.Struct, frozen=True, kw_only=True):
    """A new token, with what nobody is told again."""

    token: str
    about: TokenReport


class TokensReport(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens, the oldest first; with those that expired in the last thirty days."""

    tokens: tuple[TokenReport, ...]


def wish_of(call: TokenCall, user: str) -> Wish:
    """Return what ``user`` is to be given. Raises `GrantProblem` for a pattern that is none."""
    return Wish(
        user=user,
        rights=frozenset(call.rights),
        index=call.index,
        projects=tuple(dict.fromkeys(project_pattern(pattern) for pattern in call.projects)),
        description=call.description,
        lifetime=call.lifetime,
    )


def report_of(token: Token, last_used: float | None = None) -> TokenReport:
    return TokenReport(
        id=token.id,
        user=token.user,
        rights=tuple(right.value for right in Right if right in token.rights),
        index=token.index,
        projects=token.projects,
        description=token.description,
        created_at=_written(token.created_at),
        expires_at=None if token.expires_at is None else _written(token.expires_at),
        last_used=None if last_used is None else _written(last_used),
    )


def _written(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).isoformat().replace("+00:00", "Z")
