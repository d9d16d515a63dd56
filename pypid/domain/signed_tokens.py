"""
The signatures of identity tokens, by PyJWT: a `pypid.domain.identity_tokens.Signatures`.

Needs the extra ``pypid[oidc]``: nobody else imports this module at its start.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jwt
import msgspec

from pypid.domain.claim_rules import Claims
from pypid.domain.identity_tokens import MAX_TOKEN, TokenRefused, Unverified
from pypid.domain.names import shorten

ALGORITHMS: Mapping[str, tuple[str, str | None]] = {
    "RS256": ("RSA", None),
    "ES256": ("EC", "P-256"),
    "EdDSA": ("OKP", "Ed25519"),
}
"""
Those that are accepted, each with the kind of key and the curve that it needs.

No secret that two sides share, and nothing unsigned; GitHub and GitLab have RS256.
"""

MIN_RSA = 2048
"""Bits. NIST SP 800-131A forbids less since 2014."""

MAX_KEYS = 100
"""Keys of one issuer that are looked at: those in use have two to ten."""


_SIGNATURE_ONLY: Any = {f"verify_{name}": False for name in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")}
"""What the claims must be is said in `check_claims`, by a clock that is given."""


class _KeySet(msgspec.Struct):
    keys: list[dict[str, Any]]


def look_at(token: str) -> Unverified:
    """Return whose key is needed. Raises `TokenRefused`."""
    if len(token) > MAX_TOKEN:
        raise TokenRefused("invalid-payload", f"the identity token is longer than {MAX_TOKEN} characters")
    try:
        parts = jwt.decode_complete(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, RecursionError) as e:
        raise TokenRefused("invalid-payload", "malformed JWT") from e
    header, issuer = parts["header"], parts["payload"].get("iss")
    algorithm, key_id = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise _refused(f"its algorithm is {shorten(str(algorithm))}, not one of {', '.join(ALGORITHMS)}")
    # What a header declares critical must be understood, and nothing of that is.
    if "crit" in header or "b64" in header:
        raise _refused("it demands an extension of JWS")
    if not isinstance(issuer, str) or not isinstance(key_id, str):
        raise _refused("it does not say who has signed it, or with which key (iss, kid)")
    return Unverified(issuer=issuer, key_id=key_id)


def read_keys(document: bytes) -> Mapping[str, jwt.PyJWK]:
    """Return the usable keys of a JWKS by their ids. Raises `ValueError` if it is none, or has none."""
    try:
        listed = msgspec.json.decode(document, type=_KeySet).keys
    except (msgspec.MsgspecError, RecursionError) as e:
        raise ValueError(f"this is no JWKS: {e}") from e
    keys: dict[str, jwt.PyJWK] = {}
    for given in listed[:MAX_KEYS]:
        key_id, key = given.get("kid"), _key(given)
        if key is not None and isinstance(key_id, str):
            keys.setdefault(key_id, key)
    if not keys:
        raise ValueError("this JWKS has no key with an id for " + ", ".join(ALGORITHMS))
    return keys


def verify(token: str, key: jwt.PyJWK) -> Claims:
    """Return the claims. Raises `TokenRefused` unless ``key`` has signed them."""
    try:
        # Of the key's own algorithm: the header of the token is no reason to use a key for another one.
        claims: Claims = jwt.decode(token, key, algorithms=[key.algorithm_name], options=_SIGNATURE_ONLY)
    except (jwt.PyJWTError, ValueError, RecursionError) as e:
        raise _refused("its signature is not that of its issuer") from e
    return claims


def _key(given: Mapping[str, Any]) -> jwt.PyJWK | None:
    """Return the key if it is one for signatures that are accepted here."""
    algorithm = next((name for name, kind in ALGORITHMS.items() if kind == (given.get("kty"), given.get("crv"))), None)
    if algorithm is None or given.get("alg", algorithm) != algorithm or given.get("use", "sig") != "sig":
        return None
    if "d" in given:
        return None  # a private key, published by mistake: by now anybody signs with it
    try:
        key = jwt.PyJWK(dict(given), algorithm)
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    if algorithm == "RS256" and getattr(key.key, "key_size", 0) < MIN_RSA:
        return None
    return key


def _refused(why: str) -> TokenRefused:
    return TokenRefused("invalid-token", f"the identity token is not accepted: {why}")
