"""Identity tokens (OpenID Connect): what must be true of one beside its signature."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pypid.domain.claim_rules import Claims

LEEWAY = 30.0
"""Seconds by which the clocks of two machines may differ: those of CI services are kept right, ours mostly."""

MAX_LIFETIME = 86400.0
"""Seconds from issue to expiry. GitHub's live 5 min, GitLab's as long as the job may take, which is seldom a day."""

MAX_TOKEN = 16 * 1024
"""Characters of a token: GitHub's and GitLab's have one to two thousand, and nobody's fits a longer header."""

MAX_ID = 255
"""Characters of ``jti``, which is kept until the token expires: most are UUIDs."""


class TokenRefused(Exception):
    """No upload token is made; ``code`` is what PyPI calls the reason, the message says it in a sentence."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Unverified:
    """What a token says of itself, before anybody has looked whether it is true."""

    issuer: str
    key_id: str


Key = Any
"""Whatever `Signatures` makes of a public key."""


class Signatures(Protocol):
    """The part for which a library is needed: `pypid.domain.signed_tokens`, which is an extra."""

    def look_at(self, token: str) -> Unverified:
        """Return whose key is needed. Raises `TokenRefused`."""
        ...

    def read_keys(self, document: bytes) -> Mapping[str, Key]:
        """Return the usable keys of a JWKS by their ids. Raises `ValueError` if it is none."""
        ...

    def verify(self, token: str, key: Key) -> Claims:
        """Return the claims. Raises `TokenRefused` unless ``key`` has signed them."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityToken:
    """One that is true, now and here."""

    issuer: str
    id: str
    """Which no other token of the issuer has."""
    expires_at: float
    """Seconds since 1970; with `LEEWAY` it is taken for that much longer."""
    claims: Claims


def check_claims(claims: Claims, *, issuer: str, audience: str, now: float) -> IdentityToken:
    """
    Return the token with these claims, whose signature is right.

    ``now``: seconds since 1970. Raises `TokenRefused`.
    """
    if claims.get("iss") != issuer:
        raise _refused(f"its issuer is not {issuer}")
    given = claims.get("aud")
    # One that is good elsewhere too could have been used there, by whom it was shown to.
    if given not in (audience, [audience]):
        raise _refused(f"its audience is not {audience!r} alone")
    issued_at, expires_at = _time(claims, "iat"), _time(claims, "exp")
    begins_at = _time(claims, "nbf") if "nbf" in claims else issued_at
    if now >= expires_at + LEEWAY:
        raise _refused("it has expired")
    if max(issued_at, begins_at) > now + LEEWAY:
        raise _refused("it is not valid yet: the clock of one of both sides is wrong")
    if not 0 < expires_at - issued_at <= MAX_LIFETIME:
        raise _refused(f"it is not made to expire within {MAX_LIFETIME:.0f} s")
    number = claims.get("jti")
    if not isinstance(number, str) or not 0 < len(number) <= MAX_ID:
        raise _refused("it has no id (jti), so that it could be used again and again")
    return IdentityToken(issuer=issuer, id=number, expires_at=expires_at, claims=claims)


def _time(claims: Claims, name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _refused(f"{name}: this is no number of seconds")
    # Of infinity, NaN and integers that no float can hold this is not true either.
    if not abs(value) < 2**53:
        raise _refused(f"{name}: this is no time")
    return value


def _refused(why: str) -> TokenRefused:
    return TokenRefused("invalid-token", f"the identity token is not accepted: {why}")
