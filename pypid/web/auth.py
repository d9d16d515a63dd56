"""Who is asking: users and their passwords."""

from __future__ import annotations

from twisted.logger import Logger

from pypid.domain.bearer import GivenPassword
from pypid.domain.errors import AuthenticationRequired, PermissionRefused
from pypid.domain.htpasswd import Htpasswd
from pypid.domain.password_hashes import bcrypt_problem, password_problem
from pypid.domain.spellings import spellings
from pypid.domain.throttle import place_of
from pypid.web.password_checks import PasswordChecks


class Authenticator:
    """Knows the users of an htpasswd file."""

    _log = Logger()

    def __init__(self, users: Htpasswd | None, checks: PasswordChecks) -> None:
        """``users``: None when there is no user file at all."""
        self.users = users
        self._checks = checks

    async def identify(self, given: GivenPassword | None, address: str) -> str:
        """
        Return the name of the user whose password is ``given``; ``address`` is where it comes from.

        Raises `PermissionRefused` while there are no users,
        `AuthenticationRequired` when it is missing or wrong, and
        `TooManySignIns` or `TooManyGuesses` when nobody knows yet.
        """
        if self.users is None:
            raise PermissionRefused(
                "Nobody can sign in, since there are no users yet: "
                "make one with 'pypid user add NAME' and send pypid a SIGHUP"
            )
        if given is None:
            raise AuthenticationRequired("A user name and a password, or a token, are needed")
        user, password = given.user, given.password
        place = place_of(address)
        for name, secret in spellings(user, password):
            if password_problem(secret) is None and await self._checks.is_right(self.users, name, secret, place):
                return name
        problem = bcrypt_problem(password)
        self._log.warn(
            "wrong credentials were given for {user}{why}", user=user, why="" if problem is None else f": {problem}"
        )
        raise AuthenticationRequired("Invalid user name or password")
