"""What an upstream is sent, and what is refused before anything is sent."""

from __future__ import annotations

from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypid.domain.credentials import UnusableCredentials, authorization
from tests.domain.strategies import patient

ORIGIN = ("https", "index.test", 443)


@patient
@given(st.text(min_size=1).filter(lambda user: ":" not in user), st.text())
def test_basic_is_user_and_password_in_utf8(user: str, password: str) -> None:
    made = authorization(ORIGIN, user=user, password=password, token="")
    assert made is not None
    scheme, _, said = made.value.partition(" ")
    assert (scheme, b64decode(said).decode()) == ("Basic", f"{user}:{password}")


def test_bearer() -> None:
    made = authorization(ORIGIN, user="", password="", token="t0k3n")
    assert made is not None
    assert (made.origin, made.value) == (ORIGIN, "Bearer t0k3n")


def test_none() -> None:
    assert authorization(ORIGIN, user="", password="", token="") is None


def test_e47_what_is_secret_is_not_shown() -> None:
    assert "t0k3n" not in repr(authorization(ORIGIN, user="", password="", token="t0k3n"))


@pytest.mark.parametrize(
    ("user", "password", "token"),
    [("u", "", "t0k3n"), ("", "s3cret", ""), ("", "s3cret", "t0k3n"), ("u:v", "s3cret", ""), ("", "", "t0 k3n")],
)
def test_contradictions_are_refused_without_showing_them(user: str, password: str, token: str) -> None:
    with pytest.raises(UnusableCredentials) as refused:
        authorization(ORIGIN, user=user, password=password, token=token)
    assert not {"s3cret", "t0k3n", "t0 k3n"} & set(str(refused.value).split())
