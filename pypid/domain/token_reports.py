"""What is said about API tokens, field by field as JSON has it."""

from __future__ import annotations

from datetime import UTC, datetime

from pypid.domain.reports import Report
from pypid.domain.rights import Right
from pypid.domain.tokens import Token


class TokenReport(Report, frozen=True, kw_only=True):
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


class MadeTokenReport(Report, frozen=True, kw_only=True):
    """A new token, with what nobody is told again."""

    token: str
    about: TokenReport


class TokensReport(Report, frozen=True, kw_only=True):
    """Tokens, the oldest first; with those that expired in the last thirty days."""

    tokens: tuple[TokenReport, ...]


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
