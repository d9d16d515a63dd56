"""API tokens: kept in access.db by their digests, and looked up in memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from pypid.domain.names import IndexName
from pypid.domain.rights import Right
from pypid.domain.tokens import Token, digest_of, is_token
from pypid.storage.database import Database

KEPT_EXPIRED = 30 * 86400.0
"""Seconds for which an expired token is still listed: who wonders why a job fails looks within a month."""

_COLUMNS = "id, user_name, rights, index_name, projects, description, publishers, created_at, expires_at"


class UsedUp(Exception):
    """The identity token was exchanged before."""


class TooMany(Exception):
    """The user has as many tokens as one may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """What may be exchanged for one token only."""

    issuer: str
    id: str
    until: float
    """Seconds since 1970 after which nobody takes it any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptToken:
    """A token as it is listed."""

    token: Token
    last_used: float | None
    """Seconds since 1970, to the minute; None: never."""


class TokenStore:
    """
    The tokens of this server; this process is the only one that changes them.

    On the reactor's thread alone. `find` touches no disk, whatever is asked:
    every valid token is in memory, some 500 bytes each.
    """

    def __init__(self, database: Database, now: Callable[[], float]) -> None:
        """``now``: seconds since 1970. The database has the schema "access"."""
        self._database = database
        self._now = now
        self._tokens: dict[str, Token] = {}
        self._digests: dict[str, str] = {}
        self._used: dict[str, float] = {}

    async def load(self) -> None:
        """Read the tokens. To be done once, before the first `find`."""
        await self._database.read(self.read)

    def read(self, connection: sqlite3.Connection) -> None:
        """Be `load`, as the first change of a database that is being opened."""
        now = self._now()
        for digest, token in _with_digests(connection):
            if token.is_valid(now):
                self._remember(digest, token)

    def find(self, text: str) -> Token | None:
        """Return the valid token that is written so, and take note that it was used."""
        # Looked up by a digest: how long that takes says nothing about tokens that nobody has.
        token = self._tokens.get(digest_of(text)) if is_token(text) else None
        now = self._now()
        if token is None or not token.is_valid(now):
            return None
        self._used[token.id] = now
        return token

    async def add(self, text: str, token: Token, *, once: Once | None = None, most: int | None = None) -> None:
        """
        Keep ``token``, which is written ``text``; it works when this returns.

        ``most``: how many valid ones its user may have with it. Raises
        `UsedUp` where ``once`` was exchanged before, `TooMany`, and what
        `Database.write` does; then nothing is kept.
        """
        digest, now = digest_of(text), self._now()

        def change(connection: sqlite3.Connection) -> None:
            if once is not None:
                _use_up(connection, once)
            if most is not None and _count(connection, token.user, now) >= most:
                raise TooMany
            _insert(connection, digest, token)

        await self._database.write(change)
        self._remember(digest, token)

    async def revoke(self, token_id: str) -> bool:
        """
        Have the token work no more, and return whether there was one.

        It does not from the moment of the call, also where the disk is full
        and this raises: only a restart would bring it back then.
        """
        self._forget(token_id)
        return await self._database.write(lambda connection: _delete(connection, token_id))

    async def listed(self, user: str | None = None) -> list[KeptToken]:
        """Return the tokens, of one user or of all, the oldest first; those that expired lately as well."""
        kept = await self._database.read(lambda connection: _listed(connection, user))
        return [KeptToken(token=each.token, last_used=self._used.get(each.token.id, each.last_used)) for each in kept]

    async def tidy(self) -> None:
        """Write down which tokens were used, and drop what has expired. To be called every minute or so."""
        now = self._now()
        for token in [each for each in self._tokens.values() if not each.is_valid(now)]:
            self._forget(token.id)
        used, self._used = self._used, {}
        try:
            await self._database.write(lambda connection: _tidy(connection, used, now))
        except BaseException:
            self._used = used | self._used
            raise

    def _remember(self, digest: str, token: Token) -> None:
        self._tokens[digest] = token
        self._digests[token.id] = digest

    def _forget(self, token_id: str) -> None:
        digest = self._digests.pop(token_id, None)
        if digest is not None:
            del self._tokens[digest]


def _insert(connection: sqlite3.Connection, digest: str, token: Token) -> None:
    values = (
        token.id,
        token.user,
        " ".join(sorted(right.value for right in token.rights)),
        token.index,
        " ".join(token.projects),
        token.description,
        " ".join(token.publishers),
        token.created_at,
        token.expires_at,
    )
    connection.execute(
        f"INSERT INTO token (digest, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 (our own words)
        (digest, *values),
    )


def _use_up(connection: sqlite3.Connection, once: Once) -> None:
    row = (once.issuer, once.id, once.until)
    if not connection.execute("INSERT INTO used_up VALUES (?, ?, ?) ON CONFLICT DO NOTHING", row).rowcount:
        raise UsedUp


def _count(connection: sqlite3.Connection, user: str, now: float) -> int:
    question = "SELECT count(*) FROM token WHERE user_name = ? AND (expires_at IS NULL OR expires_at > ?)"
    (number,) = connection.execute(question, (user, now)).fetchone()
    return int(number)


def _delete(connection: sqlite3.Connection, token_id: str) -> bool:
    return connection.execute("DELETE FROM token WHERE id = ?", (token_id,)).rowcount > 0


def _tidy(connection: sqlite3.Connection, used: dict[str, float], now: float) -> None:
    rows = [(at, token_id) for token_id, at in used.items()]
    connection.executemany("UPDATE token SET last_used = ? WHERE id = ?", rows)
    connection.execute("DELETE FROM token WHERE expires_at < ?", (now - KEPT_EXPIRED,))
    connection.execute("DELETE FROM used_up WHERE until < ?", (now,))


def _with_digests(connection: sqlite3.Connection) -> list[tuple[str, Token]]:
    rows = connection.execute(f"SELECT {_COLUMNS}, digest FROM token")  # noqa: S608 (our own words)
    return [(row[-1], _token(row[:-1])) for row in rows]


def _listed(connection: sqlite3.Connection, user: str | None) -> list[KeptToken]:
    rows = connection.execute(
        f"SELECT {_COLUMNS}, last_used FROM token WHERE user_name = coalesce(?, user_name) "  # noqa: S608 (our own words)
        "ORDER BY created_at, id",
        (user,),
    )
    return [KeptToken(token=_token(row[:-1]), last_used=row[-1]) for row in rows]


def _token(row: tuple[str, str, str, str | None, str, str, str, float, float | None]) -> Token:
    token_id, user, rights, index, projects, description, publishers, created_at, expires_at = row
    return Token(
        id=token_id,
        user=user,
        rights=frozenset(Right(word) for word in rights.split()),
        index=None if index is None else IndexName(index),
        projects=tuple(projects.split()),
        description=description,
        publishers=tuple(publishers.split()),
        created_at=created_at,
        expires_at=expires_at,
    )
