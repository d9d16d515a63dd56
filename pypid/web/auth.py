"""Who is asking: Basic credentials, checked off the reactor."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Mapping

import bcrypt
from twisted.logger import Logger
from twisted.web.http_headers import Headers

from pypid.domain.errors import AuthenticationRequired, PermissionRefused
from pypid.domain.htpasswd import Htpasswd, password_problem
from pypid.offload import Offload

NOBODY = b"$2b$%02d$" + b"." * 53
"""A bcrypt hash, of the cost given, that no password has."""


class Authenticator:
    """
    Checks passwords against the users of an htpasswd file.

    ``offload`` should have threads of its own: one check takes 0.3 s of a
    processor at cost 12, and a storm of them must not stop DNS and disk.
    """

    _log = Logger()

    def __init__(self, users: Htpasswd | None, offload: Offload) -> None:
        """``users``: None when there is no user file at all."""
        self._users: Mapping[str, bytes] = {} if users is None else users.hashes
        self.has_users = users is not None
        self._offload = offload
        # Checked for users that do not exist, at the cost of those that do: else time tells which do.
        self._nobody = NOBODY % max(4, users.max_cost if users is not None else 0)

    async def identify(self, headers: Headers) -> str:
        """
        Return the name of the user whose credentials ``headers`` hold.

        Raises `PermissionRefused` while there are no users, and
        `AuthenticationRequired` when the credentials are missing or wrong.
        """
        if not self.has_users:
            raise PermissionRefused(
                "Uploads are refused, since there are no users yet: "
                "make one with 'pypid user add NAME' and send pypid a SIGHUP"
            )
        user, password = _credentials(headers)
        hashed = self._users.get(user)
        if await self._offload(_matches, password, hashed or self._nobody) and hashed is not None:
            return user
        self._log.warn("wrong credentials were given for {user}", user=user)
        raise AuthenticationRequired("Invalid user name or password")


def _credentials(headers: Headers) -> tuple[str, bytes]:
    values = headers.getRawHeaders(b"Authorization") or []
    if len(values) != 1:
        raise AuthenticationRequired("A user name and a password are needed")
    scheme, _, encoded = values[0].partition(b" ")
    try:
        user, colon, password = b64decode(encoded.strip(), validate=True).partition(b":")
        name = user.decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        raise AuthenticationRequired("The credentials cannot be read: they are not UTF-8 in base64") from None
    if scheme.lower() != b"basic" or not colon:
        raise AuthenticationRequired("Only Basic authentication is known here")
    return name, password


def _matches(password: bytes, hashed: bytes) -> bool:
    return password_problem(password) is None and bcrypt.checkpw(password, hashed)
