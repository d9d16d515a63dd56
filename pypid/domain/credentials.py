"""What an upstream is told of who asks (RFC 7617, RFC 6750)."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field

from pypid.domain.reach import Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """Credentials for one server."""

    origin: Origin
    """Nobody else is sent them (A33)."""
    value: str = field(repr=False)
    """Of the Authorization header."""


class UnusableCredentials(ValueError):
    """They contradict each other, or cannot be sent; the message has nothing of them in it."""


def authorization(origin: Origin, *, user: str, password: str, token: str) -> Authorization | None:
    """Return what is to be sent to ``origin``; "" stands for what is not given. Raises `UnusableCredentials`."""
    if token and (user or password):
        raise UnusableCredentials("there is a token beside a user or a password: one of them is too many")
    if password and not user:
        raise UnusableCredentials("there is a password without a user")
    if token:
        if not token.isascii() or " " in token:
            raise UnusableCredentials("the token has characters that no token has")
        return Authorization(origin=origin, value=f"Bearer {token}")
    if not user:
        return None
    if ":" in user:
        raise UnusableCredentials("a user's name cannot have a colon")
    return Authorization(origin=origin, value=f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}")
