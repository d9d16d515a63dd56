"""Which records name which blobs, and when each blob was last read: the SQL of both databases about that."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from sqlite3 import Connection

from pypid.storage.database import Database


def hosted_blobs(connection: Connection) -> set[str]:
    """Return the sha256 of all that was uploaded, by hosted.db."""
    return _column(
        connection,
        "SELECT sha256 FROM file UNION ALL SELECT core_metadata FROM file WHERE core_metadata IS NOT NULL "
        "UNION ALL SELECT signature FROM file WHERE signature IS NOT NULL "
        "UNION ALL SELECT provenance FROM file WHERE provenance IS NOT NULL",
    )


def cached_blobs(connection: Connection) -> set[str]:
    """Return the sha256 of all that was fetched, or found in what was, by cache.db."""
    return _column(
        connection,
        "SELECT sha256 FROM file UNION ALL SELECT core_metadata FROM found_metadata WHERE core_metadata IS NOT NULL",
    )


def last_uses(connection: Connection) -> dict[str, float]:
    """Return when each blob was last read, by cache.db."""
    return dict(connection.execute("SELECT sha256, used_at FROM last_use"))


def _column(connection: Connection, statement: str) -> set[str]:
    return {value for (value,) in connection.execute(statement)}


class References:
    """The same of databases that are in use, with what a sweep writes."""

    def __init__(self, hosted: Database, cache: Database) -> None:
        self._hosted = hosted
        self._cache = cache

    async def hosted(self) -> set[str]:
        return await self._hosted.read(hosted_blobs)

    async def cached(self) -> set[str]:
        return await self._cache.read(cached_blobs)

    async def last_uses(self) -> dict[str, float]:
        return await self._cache.read(last_uses)

    async def note_uses(self, uses: Mapping[str, float]) -> None:
        """Record ``uses``, later ones than were known."""
        statement = "INSERT OR REPLACE INTO last_use VALUES (?, ?)"
        await self._cache.write(lambda connection: connection.executemany(statement, uses.items()))

    async def forget(self, blobs: Collection[str]) -> None:
        """
        Record that nothing fetched is kept any more in ``blobs``, nor when they were used.

        What was found in a wheel stays true without the blob.
        """
        rows = [(sha256,) for sha256 in blobs]

        def forget(connection: Connection) -> None:
            connection.executemany("DELETE FROM file WHERE sha256 = ?", rows)
            connection.executemany("DELETE FROM last_use WHERE sha256 = ?", rows)

        await self._cache.write(forget)
