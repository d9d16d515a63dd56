"""Checking passwords: off the reactor, once for all who send the same, and not again for a while."""

from __future__ import annotations

import hmac
import math
import secrets

from cachetools import LRUCache, TTLCache
from twisted.internet.interfaces import IReactorTime

from pypid.domain.errors import TooManyGuesses
from pypid.domain.htpasswd import Htpasswd
from pypid.domain.throttle import Place, Throttle
from pypid.flight import SingleFlight
from pypid.offload import Offload
from pypid.web.turns import Turns

RIGHT_FOR = 600.0
"""Seconds for which right credentials are remembered. A changed or removed line forgets them at once."""

WRONG_FOR = 5.0
"""Seconds for which wrong ones are: a client that repeats itself costs nothing, a guess is never repeated."""

REMEMBERED = 10_000
"""Entries of each kind, of 200 bytes or so: more users than one index has at work within ten minutes."""


class PasswordChecks:
    """
    Lasts as long as the process, whatever users come and go.

    No password is kept, nor anything that could be tried without this
    process's key: credentials are known by an HMAC of user, password and the
    stored hash, so that what was true of another hash is never found again.

    ``offload`` should have threads of its own: one check takes 0.3 s of a
    processor at cost 12, and a storm of them must not stop DNS and disk.
    """

    def __init__(self, offload: Offload, clock: IReactorTime) -> None:
        self._offload = offload
        self._key = secrets.token_bytes(32)
        self._right: TTLCache[bytes, bool] = TTLCache(REMEMBERED, RIGHT_FOR, timer=clock.seconds)
        self._wrong: TTLCache[bytes, bool] = TTLCache(REMEMBERED, WRONG_FOR, timer=clock.seconds)
        self._proven: LRUCache[bytes, bool] = LRUCache(REMEMBERED)
        self._flights: SingleFlight[bytes, bool] = SingleFlight()
        self._turns = Turns()
        self._throttle = Throttle()
        self._now = clock.seconds

    async def is_right(self, users: Htpasswd, user: str, password: bytes, place: Place) -> bool:
        """
        Say whether ``user`` has this password; ``place`` is where it comes from.

        Raises `TooManySignIns` and, after many wrong ones for that user from there, `TooManyGuesses`.
        """
        credentials = self._digest(user, password, users.hashes.get(user, b""))
        if credentials in self._right:
            return True
        # Who asks for what is being checked already learns nothing more than the first.
        if credentials not in self._flights:
            self._guess(credentials, user, place)
        if credentials in self._wrong:
            return False
        return await self._flights.join(credentials, lambda: self._check(credentials, users, user, password, place))

    def _guess(self, credentials: bytes, user: str, place: Place) -> None:
        """Count a guess before it is made: many at once are no better than one after the other."""
        wait = self._throttle.wait(place, user, self._now())
        # What was right before is checked again after a time, and kept out by nobody's wrong passwords.
        if wait > 0 and credentials not in self._proven:
            raise TooManyGuesses(
                f"Too many wrong passwords for this user from {place}; wait {math.ceil(wait)} s", math.ceil(wait)
            )
        self._throttle.wrong(place, user, self._now())

    async def _check(self, credentials: bytes, users: Htpasswd, user: str, password: bytes, place: Place) -> bool:
        is_right = None
        try:
            is_right = await self._turns.take(place, lambda: self._offload(users.is_right, user, password))
        finally:
            if is_right is not False:
                self._throttle.take_back(place, user, self._now())
        if is_right:
            self._right[credentials] = self._proven[credentials] = True
        else:
            self._wrong[credentials] = True
        return is_right

    def _digest(self, user: str, password: bytes, stored: bytes) -> bytes:
        name = user.encode()
        # With the lengths, so that no two triples have the same text.
        text = b"%d %d %b%b%b" % (len(name), len(stored), name, stored, password)
        return hmac.digest(self._key, text, "sha256")
