"""P10: what must be true of an identity token beside its signature."""

from __future__ import annotations

import json
import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypid.domain.identity_tokens import LEEWAY, MAX_LIFETIME, TokenRefused, check_claims

ISSUER = "https://issuer.test"
NOW = 1_800_000_000.0


def claims(**changed: object) -> dict[str, object]:
    good = {"iss": ISSUER, "aud": "pypid", "iat": NOW, "nbf": NOW, "exp": NOW + 300, "jti": "1"}
    return {name: value for name, value in {**good, **changed}.items() if value is not None}


def refusal(given: dict[str, object], now: float = NOW) -> str:
    with pytest.raises(TokenRefused) as refused:
        check_claims(given, issuer=ISSUER, audience="pypid", now=now)
    assert refused.value.code == "invalid-token"
    return str(refused.value)


@pytest.mark.parametrize(
    "changed",
    [{}, {"aud": ["pypid"]}, {"nbf": None}, {"exp": int(NOW) + 300}, {"exp": NOW + MAX_LIFETIME}, {"iat": NOW + 29}],
)
def test_accepted(changed: dict[str, object]) -> None:
    token = check_claims(claims(**changed), issuer=ISSUER, audience="pypid", now=NOW)
    assert (token.issuer, token.id, token.claims) == (ISSUER, "1", claims(**changed))


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"iss": f"{ISSUER}/"}, "issuer"),
        ({"iss": None}, "issuer"),
        ({"aud": None}, "audience"),
        ({"aud": "pypi"}, "audience"),
        ({"aud": []}, "audience"),
        # Who is the other one? He may have sent it here.
        ({"aud": ["pypid", "other"]}, "audience"),
        ({"aud": {"pypid": 1}}, "audience"),
        ({"exp": None}, "exp"),
        ({"exp": "1900000000"}, "exp"),
        ({"exp": True}, "exp"),
        ({"exp": math.nan}, "exp"),
        ({"exp": math.inf}, "exp"),
        ({"exp": 10**400}, "exp"),
        ({"exp": -(10**400)}, "exp"),
        ({"exp": NOW - LEEWAY}, "expired"),
        ({"iat": None}, "iat"),
        ({"iat": NOW + 31, "nbf": None}, "not valid yet"),
        ({"nbf": NOW + 31}, "not valid yet"),
        ({"exp": NOW + MAX_LIFETIME + 1}, "expire within"),
        ({"iat": NOW - 10, "nbf": NOW - 10, "exp": NOW - 11}, "expire within"),
        ({"jti": None}, "jti"),
        ({"jti": ""}, "jti"),
        ({"jti": 7}, "jti"),
        ({"jti": "x" * 256}, "jti"),
    ],
)
def test_refused(changed: dict[str, object], why: str) -> None:
    assert why in refusal(claims(**changed))


@given(st.floats(-1000, 1000))
def test_time_of_its_life(later: float) -> None:
    """It is good from its beginning to its end, by a clock that may be off by the leeway."""
    if -LEEWAY <= later < 300 + LEEWAY:
        check_claims(claims(), issuer=ISSUER, audience="pypid", now=NOW + later)
    else:
        refusal(claims(), now=NOW + later)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(["iss", "aud", "iat", "nbf", "exp", "jti"]), _json))
def test_any_claims(changed: dict[str, object]) -> None:
    """Whatever JSON an issuer signs is accepted or refused, and nothing else."""
    read = json.loads(json.dumps(claims() | changed))
    with suppress(TokenRefused):
        check_claims(read, issuer=ISSUER, audience="pypid", now=NOW)
