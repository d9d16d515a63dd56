"""The project lists of a database, read again only when they may have changed."""

from __future__ import annotations

from pypid.domain.names import IndexName
from pypid.domain.project_list import ProjectList, listed
from pypid.storage.database import Database


class ProjectLists:
    """
    Lists kept in memory, since `ProjectList` is compact and an index's is asked for as a whole.

    This process is the only writer, so a list is right until `changed` says
    otherwise; one that was being read meanwhile is not kept.
    """

    def __init__(self, database: Database, statement: str) -> None:
        """``statement`` selects the names of one index's projects, sorted."""
        self._database = database
        self._statement = statement
        self._lists: dict[IndexName, ProjectList] = {}
        self._changes = 0

    async def get(self, index: IndexName) -> ProjectList:
        kept = self._lists.get(index)
        if kept is not None:
            return kept
        changes = self._changes
        found = await self._database.read(
            lambda connection: listed(name for (name,) in connection.execute(self._statement, (index,)))
        )
        if changes == self._changes:
            self._lists[index] = found
        return found

    def changed(self, index: IndexName) -> None:
        """Forget the list of ``index``."""
        self._changes += 1
        self._lists.pop(index, None)
