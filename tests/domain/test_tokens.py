"""E15: tokens, and what they are good for."""

from __future__ import annotations

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypid.domain.names import IndexName, NormalizedName
from pypid.domain.rights import Right
from pypid.domain.tokens import PREFIX, Token, digest_of, is_token, make_token

MAIN, OTHER = IndexName("main"), IndexName("root/pypi")
DEMO, ACME = NormalizedName("demo"), NormalizedName("acme-x")


def token(**values: object) -> Token:
    usual = {"id": "t1", "user": "alice", "rights": frozenset({Right.UPLOAD}), "created_at": 0.0}
    return Token(**usual | values)  # type: ignore[arg-type]


@given(st.binary(min_size=32, max_size=32))
def test_written_as_tokens_are(random: bytes) -> None:
    made = make_token(lambda size: random[:size])
    assert is_token(made)
    assert made.startswith(PREFIX)
    assert len(made) == 55


@given(st.binary(min_size=32, max_size=32), st.integers(0, 54), st.sampled_from("aZ09-"))
def test_mistyped_token_is_none(random: bytes, place: int, character: str) -> None:
    made = make_token(lambda size: random[:size])
    mistyped = made[:place] + character + made[place + 1 :]
    assert is_token(mistyped) == (mistyped == made)
    assert not is_token(made[:place])


@given(st.text())
def test_any_text(text: str) -> None:
    assert not is_token(text)
    assert not is_token(PREFIX + text)


def test_all_bits_count() -> None:
    """Two secrets that differ in any bit are two tokens."""
    made = {make_token(lambda size, bit=bit: (1 << bit).to_bytes(size)) for bit in range(256)}  # type: ignore[misc]
    assert len(made) == 256


def test_what_is_kept_is_not_the_token() -> None:
    made = make_token(secrets.token_bytes)
    assert made not in digest_of(made)
    assert len(digest_of(made)) == 64


@pytest.mark.parametrize(
    ("made", "index", "right", "project", "covered"),
    [
        (token(), MAIN, Right.UPLOAD, DEMO, True),
        (token(), MAIN, Right.READ, DEMO, True),
        (token(), MAIN, Right.DELETE, DEMO, False),
        (token(rights=frozenset({Right.READ})), MAIN, Right.UPLOAD, DEMO, False),
        (token(rights=frozenset({Right.ADMIN})), MAIN, Right.DELETE, DEMO, True),
        (token(index=MAIN), MAIN, Right.UPLOAD, DEMO, True),
        (token(index=MAIN), OTHER, Right.UPLOAD, DEMO, False),
        (token(projects=("acme-*",)), MAIN, Right.UPLOAD, ACME, True),
        (token(projects=("acme-*",)), MAIN, Right.UPLOAD, DEMO, False),
        (token(projects=("acme-*",)), MAIN, Right.READ, None, True),
        (token(rights=frozenset()), MAIN, Right.READ, DEMO, False),
    ],
)
def test_scope(made: Token, index: IndexName, right: Right, project: NormalizedName | None, covered: bool) -> None:  # noqa: FBT001
    assert made.covers(index, right, project) is covered


def test_expiry() -> None:
    assert token().is_valid(1e12)
    assert token(expires_at=10.0).is_valid(9.9)
    assert not token(expires_at=10.0).is_valid(10.0)
