"""Checking passwords: off the reactor, once for all who send the same, and not again for a while."""

from __future__ import annotations

import hmac
import secrets
from typing import Any

from cachetools import TTLCache
from twisted.internet.interfaces import IReactorTime

from pypid.domain.errors import TooManySignIns
from pypid.domain.htpasswd import Htpasswd
from pypid.flight import SingleFlight, shield
from pypid.offload import Offload

RIGHT_FOR = 600.0
"""Seconds for which right credentials are remembered. A changed or removed line forgets them at once."""

WRONG_FOR = 5.0
"""Seconds for which wrong ones are: a client that repeats itself costs nothing, a guess is never repeated."""

REMEMBERED = 10_000
"""Entries of each kind, of 200 bytes or so: more users than one index has at work within ten minutes."""

MAX_CHECKS = 64
"""Checks under way or waiting: at 0.3 s each on one thread, the last waits 20 s, as long as pip and twine do."""


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
        self._flights: SingleFlight[bytes, bool] = SingleFlight()
        self._running = 0

    async def is_right(self, users: Htpasswd, user: str, password: bytes) -> bool:
        """Say whether ``user`` has this password. Raises `TooManySignIns`."""
        credentials = self._digest(user, password, users.hashes.get(user, b""))
        if credentials in self._right:
            return True
        if credentials in self._wrong:
            return False
        return await self._flights.join(credentials, lambda: self._check(credentials, users, user, password))

    async def _check(self, credentials: bytes, users: Htpasswd, user: str, password: bytes) -> bool:
        if self._running >= MAX_CHECKS:
            raise TooManySignIns("Too many passwords are being checked; try again soon")
        self._running += 1
        # Shielded: a thread goes on although who asked has gone, and counts for as long.
        is_right: bool = await shield(self._offload(users.is_right, user, password).addBoth(self._ended))
        (self._right if is_right else self._wrong)[credentials] = True
        return is_right

    def _ended(self, outcome: Any) -> Any:
        self._running -= 1
        return outcome

    def _digest(self, user: str, password: bytes, stored: bytes) -> bytes:
        name = user.encode()
        # With the lengths, so that no two triples have the same text.
        text = b"%d %d %b%b%b" % (len(name), len(stored), name, stored, password)
        return hmac.digest(self._key, text, "sha256")
