"""What was read in files of directories, kept in cache.db: losing it costs reading them again."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from pypid.domain.headline import Headline
from pypid.domain.loose_files import LooseFile
from pypid.domain.sightings import FileState
from pypid.storage.database import Database

_KEEP = "INSERT OR REPLACE INTO loose_file VALUES (?, ?, ?, ?, ?, ?, ?)"
_BELOW = "SELECT * FROM loose_file WHERE path > ? AND path < ?"

Row = tuple[bytes, str, str, str, str | None, str | None, str | None]


class LooseMemory:
    """The files that were read, by path, whichever indexes have them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def below(self, roots: Sequence[str]) -> list[LooseFile]:
        """Return the files in ``roots`` as they were read last."""
        bounds = [(os.fsencode(f"{root.rstrip('/')}/"), os.fsencode(f"{root.rstrip('/')}0")) for root in roots]
        return await self._database.read(
            lambda connection: [_file(row) for bound in bounds for row in connection.execute(_BELOW, bound)]
        )

    async def keep(self, files: Iterable[LooseFile]) -> None:
        rows = [_row(file) for file in files]
        await self._database.write(lambda connection: connection.executemany(_KEEP, rows))

    async def forget(self, paths: Iterable[str]) -> None:
        rows = [(os.fsencode(path),) for path in paths]
        await self._database.write(
            lambda connection: connection.executemany("DELETE FROM loose_file WHERE path = ?", rows)
        )


def _row(file: LooseFile) -> Row:
    headline = file.headline
    state = " ".join(map(str, file.state))  # as text: numbers of inodes and of far times exceed SQLite's
    path = os.fsencode(file.path)
    return path, state, file.sha256, file.problem, file.core_metadata, headline.summary, headline.requires_python


def _file(row: Row) -> LooseFile:
    path, state, sha256, problem, core_metadata, summary, requires_python = row
    return LooseFile(
        path=os.fsdecode(path),
        state=FileState(*map(int, state.split())),
        sha256=sha256,
        problem=problem,
        core_metadata=core_metadata,
        headline=Headline(summary=summary, requires_python=requires_python),
    )
