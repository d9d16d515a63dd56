"""Whom to tell about a change: the curator of uploads, or that of what is laid over other indexes."""

from __future__ import annotations

from pypid.domain.actor import Actor
from pypid.domain.errors import NotForThisIndex
from pypid.domain.files import ProjectStatus
from pypid.domain.names import IndexName, NormalizedName
from pypid.domain.reports import ChangeReport
from pypid.domain.subject import Subject
from pypid.indexes.curating import Curator
from pypid.indexes.overlaying import OverlayCurator
from pypid.web.snapshot import Snapshot


class Curators:
    """
    The same verbs for every index, as far as they make sense there.

    All raise `IndexNotFound` and `NotForThisIndex`, and what the curators do.
    """

    def __init__(self, hosted: Curator, overlay: OverlayCurator) -> None:
        self._hosted = hosted
        self._overlay = overlay

    async def yank(
        self, snapshot: Snapshot, index: IndexName, subject: Subject, reason: str, actor: Actor
    ) -> ChangeReport:
        if takes_uploads(snapshot, index):
            return _changed(await self._hosted.yank(index, subject, reason, actor))
        return ChangeReport(changed=await self._overlay.yank(index, subject, reason, actor))

    async def unyank(self, snapshot: Snapshot, index: IndexName, subject: Subject, actor: Actor) -> ChangeReport:
        if takes_uploads(snapshot, index):
            return _changed(await self._hosted.unyank(index, subject, actor))
        return ChangeReport(changed=await self._overlay.unyank(index, subject, actor))

    async def block(
        self, snapshot: Snapshot, index: IndexName, subject: Subject, reason: str, actor: Actor
    ) -> ChangeReport:
        _check_overlaid(snapshot, index)
        return ChangeReport(changed=await self._overlay.block(index, subject, reason, actor))

    async def unblock(self, snapshot: Snapshot, index: IndexName, subject: Subject, actor: Actor) -> ChangeReport:
        _check_overlaid(snapshot, index)
        return ChangeReport(changed=await self._overlay.unblock(index, subject, actor))

    async def set_status(
        self,
        snapshot: Snapshot,
        index: IndexName,
        project: NormalizedName,
        status: ProjectStatus | None,
        actor: Actor,
    ) -> ChangeReport:
        curator = self._hosted if takes_uploads(snapshot, index) else self._overlay
        return ChangeReport(changed=await curator.set_status(index, project, status, actor))

    async def delete(
        self, snapshot: Snapshot, index: IndexName, subject: Subject, reason: str, actor: Actor
    ) -> ChangeReport:
        check_uploads(snapshot, index)
        return _changed(await self._hosted.delete(index, subject, actor, reason or None))

    async def release_name(self, snapshot: Snapshot, index: IndexName, project: NormalizedName, actor: Actor) -> None:
        check_uploads(snapshot, index)
        await self._hosted.release_name(index, project, actor)


def takes_uploads(snapshot: Snapshot, index: IndexName) -> bool:
    """Return whether it does, else it shows what is elsewhere. Raises `IndexNotFound`."""
    return snapshot.index(index).name in snapshot.hosted


def check_uploads(snapshot: Snapshot, index: IndexName) -> None:
    """Raise `IndexNotFound` or `NotForThisIndex` unless it takes uploads."""
    if takes_uploads(snapshot, index):
        return
    if index in snapshot.directories:
        raise NotForThisIndex(f"{index} shows what is in its directory on the server: delete it there, or block it")
    raise NotForThisIndex(f"{index} mirrors another index: nothing of it is deleted here, it can be blocked")


def _check_overlaid(snapshot: Snapshot, index: IndexName) -> None:
    if takes_uploads(snapshot, index):
        raise NotForThisIndex(f"{index} takes uploads: what it has is yanked, deleted or quarantined, never blocked")


def _changed(files: list[str]) -> ChangeReport:
    return ChangeReport(changed=bool(files), files=tuple(files))
