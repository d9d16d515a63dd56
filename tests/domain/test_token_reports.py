"""E15: what a call for a token may say, and what is told of one."""

from __future__ import annotations

import json

import msgspec
import pytest

from pypid.domain.names import IndexName
from pypid.domain.rights import GrantProblem, Right
from pypid.domain.token_reports import DEFAULT_LIFETIME, TokenCall, TokenReport, report_of, wish_of
from pypid.domain.tokens import Token, Wish


def call(text: str) -> TokenCall:
    return msgspec.json.decode(text, type=TokenCall)


def test_wish() -> None:
    assert wish_of(call('{"rights": ["upload", "read", "upload"]}'), "alice") == Wish(
        user="alice", rights=frozenset({Right.UPLOAD, Right.READ}), lifetime=DEFAULT_LIFETIME
    )
    wanted = call(
        '{"rights": ["admin"], "index": "main", "projects": ["Acme_Pay.*", "acme-pay-*"], "lifetime": null, '
        '"description": "x"}'
    )
    assert wish_of(wanted, "bob") == Wish(
        user="bob",
        rights=frozenset({Right.ADMIN}),
        index=IndexName("main"),
        projects=("acme-pay-*",),
        description="x",
    )


@pytest.mark.parametrize(
    "text",
    [
        "{}", '{"rights": []}', '{"rights": ["write"]}', '{"rights": ["read"], "lifetime": 0}',
        '{"rights": ["read"], "lifetime": -1}', '{"rights": ["read"], "lifetime": 1e99}',
        '{"rights": ["read"], "projects": "a"}', '{"rights": ["read"], "user": 7}',
        json.dumps({"rights": ["read"], "description": "x" * 201}),
        json.dumps({"rights": ["read"], "projects": ["a"] * 101}),
    ],
)  # fmt: skip
def test_call_that_makes_no_sense(text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        call(text)


@pytest.mark.parametrize("pattern", ["", "a b", "!a", "a/b", "[a]"])
def test_pattern_that_is_none(pattern: str) -> None:
    """A space would make two patterns of one when it is kept."""
    with pytest.raises(GrantProblem):
        wish_of(TokenCall(rights=(Right.READ,), projects=(pattern,)), "alice")


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
