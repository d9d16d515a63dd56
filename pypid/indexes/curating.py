"""What happens to releases after they are published: yanking, deleting, project statuses."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from twisted.logger import Logger

from pypid.domain.actor import Actor
from pypid.domain.files import ProjectStatus
from pypid.domain.names import IndexName, NormalizedName
from pypid.domain.subject import Subject
from pypid.storage.hosted import HostedRecords
from pypid.storage.hosted_changes import Deed
from pypid.storage.hosted_file import iso


@dataclass(frozen=True, slots=True, kw_only=True)
class Curator:
    """
    Changes what is published in hosted indexes, at the word of an actor.

    Each change is in the audit log, and durable when it returns; cancelling
    lets the caller go, and the change is made.
    """

    records: HostedRecords
    now: Callable[[], float]
    """Seconds since 1970."""

    async def yank(self, index: IndexName, subject: Subject, reason: str, actor: Actor) -> list[str]:
        """
        Yank the files of ``subject`` (PEP 592), and return the names of those that changed.

        ``reason``: ``""`` for none. Raises `ProjectNotFound`, `FileNotFound`.
        """
        changed = await self.records.yank(self._deed(index, actor), subject, reason)
        self._tell("yanked", index, subject, actor, changed)
        return changed

    async def unyank(self, index: IndexName, subject: Subject, actor: Actor) -> list[str]:
        """Take yanking back. Returns and raises as `yank` does."""
        changed = await self.records.yank(self._deed(index, actor), subject, None)
        self._tell("un-yanked", index, subject, actor, changed)
        return changed

    async def delete(
        self,
        index: IndexName,
        subject: Subject,
        actor: Actor,
        reason: str | None = None,
        expected: Collection[str] | None = None,
    ) -> list[str]:
        """
        Take the files of ``subject`` away, and return their names.

        No other bytes come back under them, unless the index is volatile; the
        project keeps its name, so that nobody is asked for it elsewhere.
        Nothing is done if ``expected`` is given and the filenames are others.
        Raises `ProjectNotFound`, `FileNotFound`.
        """
        deleted = await self.records.delete(self._deed(index, actor), subject, reason, expected)
        names = [file.filename for file in deleted]
        self._tell("deleted", index, subject, actor, names)
        return names

    async def set_status(
        self, index: IndexName, project: NormalizedName, status: ProjectStatus | None, actor: Actor
    ) -> bool:
        """
        Say ``status`` of the project (PEP 792), None being active; return whether it is a new one.

        Raises `ProjectNotFound`.
        """
        changed = await self.records.set_status(self._deed(index, actor), project, status)
        if changed:
            said = "active" if status is None else status.status.value
            self._log.info(
                "{user} made {project} of {index} {status}",
                user=actor.user,
                project=project,
                index=index,
                status=said,
            )
        return changed

    async def release_name(self, index: IndexName, project: NormalizedName, actor: Actor) -> None:
        """
        Give the name of a project without files away: the bases of ``index`` are asked for it again.

        Raises `ProjectNotFound`, `NameStillUsed`.
        """
        await self.records.release_name(self._deed(index, actor), project)
        self._log.warn(
            "{user} released the name {project} of {index}: others may publish under it from now on",
            user=actor.user,
            project=project,
            index=index,
        )

    def _deed(self, index: IndexName, actor: Actor) -> Deed:
        return Deed(index=index, actor=actor, at=iso(self.now()))

    def _tell(self, done: str, index: IndexName, subject: Subject, actor: Actor, files: list[str]) -> None:
        if files:
            self._log.info(
                "{user} {done} {files} in {index}",
                user=actor.user,
                done=done,
                subject=str(subject),
                index=index,
                files=", ".join(files),
            )

    _log = Logger()
