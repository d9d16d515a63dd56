"""What a team decides about projects that it does not host: yanked here, blocked here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from twisted.logger import Logger

from pypid.domain.actor import Actor
from pypid.domain.files import ProjectStatus
from pypid.domain.names import IndexName, NormalizedName
from pypid.domain.overlay import Kind, Rule
from pypid.domain.subject import Subject
from pypid.storage.hosted_changes import Deed
from pypid.storage.hosted_file import iso
from pypid.storage.overlays import Overlays


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlayCurator:
    """
    Lays rules over indexes that take no uploads, at the word of an actor.

    Whether upstream has the subject does not matter: it may have it tomorrow.
    Each method returns whether anything is different now; each change is in
    the audit log, and durable when it returns.
    """

    _log: ClassVar = Logger()

    overlays: Overlays
    now: Callable[[], float]
    """Seconds since 1970."""

    async def yank(self, index: IndexName, subject: Subject, reason: str, actor: Actor) -> bool:
        """Show the files of ``subject`` as yanked (PEP 592); ``reason``: ``""`` for none."""
        return await self._make(index, Rule(subject=subject, kind=Kind.YANK, reason=reason), actor)

    async def unyank(self, index: IndexName, subject: Subject, actor: Actor) -> bool:
        """Take yanking back; what upstream has yanked stays so."""
        return await self._unmake(index, subject, Kind.YANK, actor)

    async def block(self, index: IndexName, subject: Subject, reason: str, actor: Actor) -> bool:
        """Show the files of ``subject`` no more, and give them to nobody, from the next request on."""
        return await self._make(index, Rule(subject=subject, kind=Kind.BLOCK, reason=reason), actor)

    async def unblock(self, index: IndexName, subject: Subject, actor: Actor) -> bool:
        """Take blocking back."""
        return await self._unmake(index, subject, Kind.BLOCK, actor)

    async def set_status(
        self, index: IndexName, project: NormalizedName, status: ProjectStatus | None, actor: Actor
    ) -> bool:
        """Say ``status`` of the project (PEP 792) whatever upstream says; None: what upstream says."""
        subject = Subject(project=project)
        if status is None:
            return await self._unmake(index, subject, Kind.STATUS, actor)
        rule = Rule(subject=subject, kind=Kind.STATUS, status=status.status, reason=status.reason or "")
        return await self._make(index, rule, actor)

    async def _make(self, index: IndexName, rule: Rule, actor: Actor) -> bool:
        changed = await self.overlays.make(self._deed(index, actor), rule)
        if changed:
            self._tell(f"{rule.kind.value} was laid over", index, rule.subject, actor)
        return changed

    async def _unmake(self, index: IndexName, subject: Subject, kind: Kind, actor: Actor) -> bool:
        changed = await self.overlays.unmake(self._deed(index, actor), subject, kind)
        if changed:
            self._tell(f"{kind.value} was taken from", index, subject, actor)
        return changed

    def _deed(self, index: IndexName, actor: Actor) -> Deed:
        return Deed(index=index, actor=actor, at=iso(self.now()))

    def _tell(self, done: str, index: IndexName, subject: Subject, actor: Actor) -> None:
        self._log.info(
            "{done} {subject} of {index} by {user}", done=done, subject=str(subject), index=index, user=actor.user
        )
