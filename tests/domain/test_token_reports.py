"""E15: what is told of a token."""

from __future__ import annotations

from pypid.domain.rights import Right
from pypid.domain.token_reports import TokenReport, report_of
from pypid.domain.tokens import Token


def test_report() -> None:
    token = Token(
        id="1", user="alice", rights=frozenset({Right.UPLOAD, Right.READ}), created_at=0.9, expires_at=86400.0
    )
    assert report_of(token, 60.0) == TokenReport(
        id="1",
        user="alice",
        rights=("read", "upload"),
        index=None,
        projects=(),
        description="",
        created_at="1970-01-01T00:00:00Z",
        expires_at="1970-01-02T00:00:00Z",
        last_used="1970-01-01T00:01:00Z",
    )
