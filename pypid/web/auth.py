"""Who is asking: Basic credentials."""

from __future__ import annotations

import binascii
from base64 import b64decode

from twisted.logger import Logger
from twisted.web.http_headers import Headers

from pypid.domain.errors import AuthenticationRequired, CredentialsUnclear, PermissionRefused
from pypid.domain.htpasswd import Htpasswd
from pypid.domain.password_hashes import bcrypt_problem, password_problem
from pypid.domain.spellings import spellings
from pypid.domain.throttle import place_of
from pypid.web.password_checks import PasswordChecks

MAX_AUTHORIZATION = 8190
"""Bytes of the header's value: what Apache takes. The longest passwords in use are tokens of 2 to 4 KB."""


class Authenticator:
    """Knows the users of an htpasswd file."""

    _log = Logger()

    def __init__(self, users: Htpasswd | None, checks: PasswordChecks) -> None:
        """``users``: None when there is no user file at all."""
        self.users = users
        self._checks = checks

    async def identify(self, headers: Headers, address: str) -> str:
        """
        Return the name of the user whose credentials ``headers`` hold; ``address`` is where they come from.

        Raises `PermissionRefused` while there are no users,
        `AuthenticationRequired` when the credentials are missing or wrong,
        `CredentialsUnclear`, and `TooManySignIns` or `TooManyGuesses` when nobody knows yet.
        """
        if self.users is None:
            raise PermissionRefused(
                "Nobody can sign in, since there are no users yet: "
                "make one with 'pypid user add NAME' and send pypid a SIGHUP"
            )
        user, password = _credentials(headers)
        place = place_of(address)
        for name, secret in spellings(user, password):
            if password_problem(secret) is None and await self._checks.is_right(self.users, name, secret, place):
                return name
        problem = bcrypt_problem(password)
        self._log.warn(
            "wrong credentials were given for {user}{why}", user=user, why="" if problem is None else f": {problem}"
        )
        raise AuthenticationRequired("Invalid user name or password")


def _credentials(headers: Headers) -> tuple[str, bytes]:
    values = headers.getRawHeaders(b"Authorization") or []
    if len(values) > 1:
        raise CredentialsUnclear("There is more than one Authorization header")
    if not values:
        raise AuthenticationRequired("A user name and a password are needed")
    if len(values[0]) > MAX_AUTHORIZATION:
        raise CredentialsUnclear(f"The Authorization header is longer than {MAX_AUTHORIZATION} bytes")
    scheme, _, encoded = values[0].partition(b" ")
    if scheme.lower() != b"basic":
        raise AuthenticationRequired("Only Basic authentication is known here: a user name and a password")
    try:
        user, colon, password = b64decode(encoded.strip(), validate=True).partition(b":")
        name = user.decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        raise AuthenticationRequired("The credentials cannot be read: they are not UTF-8 in base64") from None
    if not colon:
        raise AuthenticationRequired("The credentials cannot be read: there is no colon in them")
    return name, password
