"""B31, E15: what clients send as credentials, and what is made of it."""

from __future__ import annotations

from base64 import b64encode
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypid.domain.bearer import Given, GivenPassword, GivenToken, read_credentials
from pypid.domain.errors import AuthenticationRequired, CredentialsUnclear
from pypid.domain.tokens import make_token

TOKEN = make_token(lambda size: bytes(range(size)))
OTHER = make_token(bytes)
MISTYPED = TOKEN[:-1] + ("a" if TOKEN[-1] != "a" else "b")


def basic(user: str, password: str) -> bytes:
    return b"Basic " + b64encode(f"{user}:{password}".encode())


@pytest.mark.parametrize(
    ("value", "given"),
    [
        # twine, uv publish and poetry with a token; ~/.pypirc
        (basic("__token__", TOKEN), GivenToken(TOKEN)),
        # pip with https://TOKEN@host/, uv with a user alone
        (basic(TOKEN, ""), GivenToken(TOKEN)),
        # who cannot leave the password out
        (basic(TOKEN, "x-oauth-basic"), GivenToken(TOKEN)),
        # netrc, keyring: some name must be there
        (basic("alice", TOKEN), GivenToken(TOKEN)),
        (basic("", TOKEN), GivenToken(TOKEN)),
        # both: the one that needs no password
        (basic(TOKEN, OTHER), GivenToken(TOKEN)),
        (b"Bearer " + TOKEN.encode(), GivenToken(TOKEN)),
        (b"bearer  " + TOKEN.encode() + b" ", GivenToken(TOKEN)),
        (b"Bearer abc", GivenToken("abc")),
        # a token that was cut off is nobody's password
        (basic("__token__", MISTYPED), GivenToken(MISTYPED)),
        (basic("alice", MISTYPED), GivenPassword("alice", MISTYPED.encode())),
        (basic(MISTYPED, ""), GivenPassword(MISTYPED, b"")),
        # somebody's htpasswd file has a user of that name, as for a copy of PyPI's settings
        (basic("__token__", "secret"), GivenPassword("__token__", b"secret")),
        (basic("alice", "secret"), GivenPassword("alice", b"secret")),
        (basic("alice", "a:b:"), GivenPassword("alice", b"a:b:")),
        (basic("\u00e9", "\u00e9"), GivenPassword("\u00e9", "\u00e9".encode())),
        (b"BASIC " + b64encode(b"alice:\xff\x00"), GivenPassword("alice", b"\xff\x00")),
    ],
)
def test_read(value: bytes, given: Given) -> None:
    assert read_credentials([value]) == given


def test_nothing() -> None:
    assert read_credentials([]) is None


@pytest.mark.parametrize(
    "value",
    [
        b"", b"Basic", b"Basic ", b"Basic !!!", b"Basic YWxpY2U", b"Basic YWxpY2U=", b"Bearer", b"Bearer ",
        b"Bearer a b", b"Bearer \xff", b"Digest x", TOKEN.encode(), b"Basic \xff\xff", b"Basic " + b64encode(b"\xff:x"),
        b"Basic" + b64encode(b"a:b"), b"Basic " + b64encode(b"a:b") + b" x", b"token " + TOKEN.encode(),
    ],
)  # fmt: skip
def test_unreadable_is_as_none(value: bytes) -> None:
    """The answer is a challenge, as for a wrong password."""
    with pytest.raises(AuthenticationRequired):
        read_credentials([value])


@pytest.mark.parametrize("values", [[b"Basic a", b"Basic a"], [b"", b""], [b"Bearer " + b"x" * 8190]])
def test_too_many_or_too_long(values: list[bytes]) -> None:
    with pytest.raises(CredentialsUnclear):
        read_credentials(values)


@given(st.binary(max_size=80) | st.builds(lambda text: b"Basic " + b64encode(text), st.binary(max_size=60)))
def test_any_bytes(value: bytes) -> None:
    with suppress(AuthenticationRequired):
        read_credentials([value])


def test_secrets_are_not_shown() -> None:
    for value in (basic("alice", "secret"), b"Bearer secret"):
        assert "secret" not in repr(read_credentials([value]))
