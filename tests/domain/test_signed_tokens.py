"""P10: whose signature an identity token has."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from pypid.domain import signed_tokens
from pypid.domain.identity_tokens import Signatures, TokenRefused, Unverified
from tests.kit.issuer import EcKey, EdKey, Issuer, RsaKey, SigningKey, b64, signed

ISSUER = "https://issuer.test"
RSA, EC, ED = RsaKey(), EcKey(), EdKey()

signatures: Signatures = signed_tokens


def issuer(*keys: SigningKey) -> Issuer:
    return Issuer(ISSUER, keys or [RSA, EC, ED])


def verified(token: str, by: Issuer) -> object:
    """As the daemon does it."""
    given = signatures.look_at(token)
    return signatures.verify(token, signatures.read_keys(by.jwks)[given.key_id])


@pytest.mark.parametrize("key", [RSA, EC, ED], ids=lambda key: key.algorithm)
def test_each_algorithm(key: SigningKey) -> None:
    token = issuer().token(key=key, jti="1", sub="x")
    assert signatures.look_at(token) == Unverified(issuer=ISSUER, key_id=key.key_id)
    assert verified(token, issuer()) == issuer().claims("pypid", jti="1", sub="x")


@pytest.mark.parametrize("key", [RSA, EC, ED], ids=lambda key: key.algorithm)
def test_changed_claims(key: SigningKey) -> None:
    token, other = issuer().token(key=key), issuer().token(key=key, repository="evil/app")
    header, _, signature = token.split(".")
    with pytest.raises(TokenRefused, match="signature"):
        verified(f"{header}.{other.split('.')[1]}.{signature}", issuer())


def test_key_of_another() -> None:
    stranger = RsaKey()
    with pytest.raises(TokenRefused, match="signature"):
        verified(issuer(stranger).token(), issuer())


def test_nothing_is_signed() -> None:
    for algorithm in ("none", "None", ""):
        with pytest.raises(TokenRefused, match="algorithm"):
            signatures.look_at(signed({"alg": algorithm, "kid": "rsa"}, issuer().claims("pypid"), lambda _: b""))


@pytest.mark.parametrize(
    "algorithm", ["HS256", "HS384", "RS384", "RS512", "PS256", "ES384", "ES256K", "rs256", 7, None]
)
def test_other_algorithms(algorithm: object) -> None:
    """A public key is no secret: one who knows it could sign with it as with a password."""
    token = signed(
        {"alg": algorithm, "kid": "rsa"},
        issuer().claims("pypid"),
        lambda data: hmac.digest(RSA.public_pem, data, hashlib.sha256),
    )
    with pytest.raises(TokenRefused):
        verified(token, issuer())


def test_key_is_used_for_its_own_algorithm_alone() -> None:
    for said, key in (("RS256", EC), ("ES256", RSA), ("EdDSA", EC)):
        with pytest.raises(TokenRefused):
            verified(issuer().token(key=key, header={"alg": said}), issuer())


@pytest.mark.parametrize(
    "header", [{"crit": ["exp"]}, {"crit": []}, {"b64": False, "crit": ["b64"]}, {"kid": None}, {"kid": 7}, {"alg": []}]
)
def test_strange_headers(header: dict[str, object]) -> None:
    with pytest.raises(TokenRefused):
        verified(issuer().token(header=header), issuer())


def test_key_in_the_header_is_not_used() -> None:
    evil = RsaKey("rsa")
    token = issuer(evil).token(header={"jwk": evil.jwk, "jku": "https://evil.test/keys", "x5u": "https://evil.test/x"})
    with pytest.raises(TokenRefused, match="signature"):
        verified(token, issuer())


@pytest.mark.parametrize(
    "token", ["", ".", "..", "a.b.c", "a.b", "e30.e30.", f"{b64(b'[]')}.{b64(b'{}')}.", "\u00e9.\u00e9.\u00e9",
              f"{b64(b'{}')}.{b64(b'[]')}.", "x" * 20_000, f"{b64(b'[' * 10_000)}.{b64(b'[' * 1000)}.x"]
)  # fmt: skip
def test_no_token_at_all(token: str) -> None:
    with pytest.raises(TokenRefused):
        signatures.look_at(token)


def test_claims_that_are_no_object() -> None:
    header = {"alg": "RS256", "kid": "rsa"}
    strange: list[object] = [[], "x", 7, None]
    for claims in strange:
        with pytest.raises(TokenRefused):
            signatures.look_at(signed(header, claims, RSA.sign))


@given(st.text(max_size=200) | st.lists(st.binary(max_size=60).map(b64), max_size=4).map(".".join))
def test_any_text(text: str) -> None:
    with pytest.raises(TokenRefused):
        signatures.look_at(text)


def test_keys_that_are_not_used() -> None:
    """They are passed over, so that a new kind of key does not stop all the others."""
    weak, p384, private = RsaKey("weak", 1024), EcKey("p384", ec.SECP384R1), RsaKey("private")
    listed = [
        weak.jwk,
        p384.jwk,
        {**private.jwk, "d": "AQAB"},
        {**RSA.jwk, "use": "enc"},
        {**RSA.jwk, "alg": "RS512"},
        {**RSA.jwk, "kid": None},
        {"kty": "oct", "k": "c2VjcmV0", "kid": "oct"},
        {"kty": "RSA", "kid": "broken", "n": "!", "e": 7},
        {"kid": "nothing"},
        {**ED.jwk, "x": "AA"},
        EC.jwk,
    ]
    assert list(signatures.read_keys(json.dumps({"keys": listed}).encode())) == ["ec"]


@pytest.mark.parametrize("document", [b"", b"{}", b"[]", b'{"keys": []}', b'{"keys": [1]}', b'{"keys": {}}', b"\xff"])
def test_no_key_set(document: bytes) -> None:
    with pytest.raises(ValueError, match="JWKS"):
        signatures.read_keys(document)
