"""What a client shows to say who it is: a token, wherever clients can put one, or a user with a password."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass, field

from pypid.domain.errors import AuthenticationRequired, CredentialsUnclear
from pypid.domain.tokens import PREFIX, TOKEN_USER, is_token

MAX_AUTHORIZATION = 8190
"""Bytes of the header's value: what Apache takes. The longest passwords in use are tokens of 2 to 4 KB."""


@dataclass(frozen=True, slots=True)
class GivenToken:
    """A text that is offered as a token; it need not be written as one."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class GivenPassword:
    """A user's name and password, as they came."""

    user: str
    password: bytes = field(repr=False)


Given = GivenToken | GivenPassword


def read_credentials(values: Sequence[bytes]) -> Given | None:
    """
    Return what the values of the Authorization header lines show; None where there is no line.

    A token is known in any of the places that clients have for one: Bearer;
    the password, whatever the user is called (netrc and keyring demand some
    name); the user alone, as in ``https://TOKEN@host/``, with any password,
    since some clients cannot leave that out. Raises `AuthenticationRequired`
    for what cannot be read, `CredentialsUnclear` for more than one line and
    for one that is too long.
    """
    if len(values) > 1:
        raise CredentialsUnclear("There is more than one Authorization header")
    if not values:
        return None
    if len(values[0]) > MAX_AUTHORIZATION:
        raise CredentialsUnclear(f"The Authorization header is longer than {MAX_AUTHORIZATION} bytes")
    scheme, _, rest = values[0].partition(b" ")
    match scheme.lower():
        case b"basic":
            return _basic(rest.strip())
        case b"bearer":
            return _bearer(rest.strip())
    raise AuthenticationRequired("Only Basic and Bearer authentication are known here")


def _bearer(value: bytes) -> GivenToken:
    if not value or not value.isascii() or b" " in value:
        raise AuthenticationRequired("The credentials cannot be read: they are no token")
    return GivenToken(value.decode("ascii"))


def _basic(encoded: bytes) -> Given:
    try:
        user, colon, password = b64decode(encoded, validate=True).partition(b":")
        name = user.decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        raise AuthenticationRequired("The credentials cannot be read: they are not UTF-8 in base64") from None
    if not colon:
        raise AuthenticationRequired("The credentials cannot be read: there is no colon between user and password")
    if is_token(name):
        return GivenToken(name)
    secret = password.decode("latin-1")
    # A mistyped token is still none of a user's passwords, and not worth the time to check one.
    if is_token(secret) or (name == TOKEN_USER and secret.startswith(PREFIX)):
        return GivenToken(secret)
    return GivenPassword(name, password)
