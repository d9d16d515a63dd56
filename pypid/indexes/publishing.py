"""Publishing: an uploaded file becomes part of a hosted index, for good, before it is acknowledged."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from twisted.internet.defer import Deferred, DeferredList, DeferredLock
from twisted.logger import Logger

from pypid.domain.errors import FileExists, InspectionFailed, StorageFull, UploadRefused
from pypid.domain.filenames import FileKind, parse_filename
from pypid.domain.headline import Headline
from pypid.domain.names import IndexName
from pypid.domain.uploads import DIGEST_LENGTHS, Form, Upload
from pypid.domain.validation.distribution import Question, Verdict
from pypid.domain.validation.findings import Level
from pypid.flight import shield
from pypid.indexes.room import NO_SPACE, Room
from pypid.indexes.stored import keep
from pypid.storage.blobs import BlobStore
from pypid.storage.hosted import HostedFile, HostedRecords
from pypid.storage.sidecars import Sidecars
from pypid.storage.staging import StagedFile, Staging


class Inspect(Protocol):
    """Look into the file at a path. Fails with `InspectionFailed` or `OSError`."""

    def __call__(self, path: Path, question: Question, /) -> Deferred[Verdict]: ...


class Publisher:
    """
    Publishes files, one after the other where they could collide.

    The order makes each step safe to be the last before a power cut: the
    bytes, then the sidecar, then the row that shows them.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        staging: Staging,
        blobs: BlobStore,
        sidecars: Sidecars,
        records: HostedRecords,
        inspect: Inspect,
        now: Callable[[], float],
        room: Room | None = None,
    ) -> None:
        """
        Take what publishing needs.

        ``inspect``: says whether a file may be published; ``now``: seconds
        since 1970; ``room``: what is mirrored makes way.
        """
        self._room = room
        self._staging = staging
        self._blobs = blobs
        self._sidecars = sidecars
        self._records = records
        self._inspect = inspect
        self._now = now
        self._lock = DeferredLock()
        self._under_way: set[Deferred[bool]] = set()

    async def stage(self, *, reserve: int) -> StagedFile:
        """Return a file to receive an upload in, with ``reserve`` bytes of disk set aside. Raises `OSError`."""
        try:
            return await self._staging.create(*DIGEST_LENGTHS, reserve=reserve)
        except OSError as e:
            if e.errno not in NO_SPACE or self._room is None or not await self._room.make(reserve):
                raise
        return await self._staging.create(*DIGEST_LENGTHS, reserve=reserve)

    def publish(
        self, index: IndexName, upload: Upload, form: Form, staged: StagedFile, user: str, *, level: Level
    ) -> Deferred[bool]:
        """
        Publish ``staged``, if it passes at ``level``, and close it.

        Fires with True when the file is published and durable, with False
        when it already was, with the same bytes. Fails with `UploadRefused`,
        `FileExists`, `InspectionFailed` or `StorageFull`. Cancelling lets the
        caller go; what was begun is finished.
        """
        call = Deferred.fromCoroutine(self._publish(index, upload, form, staged, user, level=level))
        self._under_way.add(call)
        waiter = shield(call)
        call.addBoth(self._ended, call)
        return waiter

    def _ended(self, outcome: object, call: Deferred[bool]) -> object:
        self._under_way.discard(call)
        return outcome  # None, but for a failure that nobody waits for any more: Twisted logs it

    def stop(self) -> Deferred[object]:
        """Fire when nothing is being published any more."""
        return DeferredList(list(self._under_way)).addCallback(lambda _: None)

    async def _publish(
        self, index: IndexName, upload: Upload, form: Form, staged: StagedFile, user: str, *, level: Level
    ) -> bool:
        try:
            upload.check_digests(staged.digests())
            published = await self._is_published(index, upload.filename, staged.sha256)
            if published and await self._blobs.has(staged.sha256):
                return False
            await self._check_only_sdist(index, upload.filename)
            # What was accepted once is not refused by rules that are stricter now: the store needs its bytes back.
            verdict = await self._judge(upload, staged, Level.LENIENT if published else level)
            core_metadata = await self._keep_core_metadata(upload, verdict)
            holds = [await self._blobs.hold(sha256) for sha256 in (staged.sha256, core_metadata) if sha256]
            try:
                await self._blobs.add(staged)
                headline = verdict.headline
                file = self._describe(index, upload, staged, user, core_metadata=core_metadata, headline=headline)
                # If the store has lost the bytes of a published file, they are back by now.
                published = await self._lock.run(lambda: Deferred.fromCoroutine(self._record(file, form)))
            finally:
                for hold in holds:
                    hold.release()
        except OSError as e:
            self._log.error("{filename} could not be stored: {why}", filename=upload.filename, why=e)
            raise StorageFull(f"{upload.filename} cannot be stored: {e.strerror or e}") from e
        finally:
            staged.close()
        if published:
            self._log.info("{user} published {filename} in {index}", user=user, filename=upload.filename, index=index)
        return published

    async def _record(self, file: HostedFile, form: Form) -> bool:
        # Asked again: another upload of that name may have been first, and its sidecar must stay.
        if await self._is_published(file.index_name, file.filename, file.sha256):
            return False
        await self._check_only_sdist(file.index_name, file.filename)
        await self._sidecars.write(file, form)
        return await self._records.publish(file)

    async def _is_published(self, index: IndexName, filename: str, sha256: str) -> bool:
        """Say whether the very file is there. Raises `FileExists` if another of its name is."""
        present = await self._records.file(index, filename)
        if present is not None and present.sha256 != sha256:
            raise FileExists(filename, present.sha256)
        return present is not None

    async def _check_only_sdist(self, index: IndexName, filename: str) -> None:
        """Raise `UploadRefused` if the release of an sdist has another: which one is installed depends on who asks."""
        own = parse_filename(filename)
        page = None if own.kind is FileKind.WHEEL else await self._records.page(index, own.project)
        others = () if page is None else (file.filename for file in page.files if file.filename != filename)
        if any(parse_filename(other) == own for other in others):
            raise UploadRefused(["Only one sdist may be uploaded per release."])

    async def _judge(self, upload: Upload, staged: StagedFile, level: Level) -> Verdict:
        """Return what the file says of itself. Raises `UploadRefused` with all that speaks against it."""
        question = Question(filename=upload.filename, level=level, claims=upload.claims)
        try:
            await staged.cut()
            verdict = await self._inspect(staged.path, question)
        except InspectionFailed as e:
            self._log.error("{filename} could not be looked into: {why}", filename=upload.filename, why=e.why)
            raise
        if verdict.problems:
            raise UploadRefused(verdict.problems)
        for warning in verdict.warnings:
            self._log.warn("{filename}: {warning}", filename=upload.filename, warning=warning)
        return verdict

    async def _keep_core_metadata(self, upload: Upload, verdict: Verdict) -> str | None:
        """Put a wheel's METADATA into the blob store, and return its sha256."""
        if upload.kind is not FileKind.WHEEL or verdict.metadata is None:
            return None
        return await keep(verdict.metadata, self._staging, self._blobs)

    def _describe(
        self,
        index: IndexName,
        upload: Upload,
        staged: StagedFile,
        user: str,
        *,
        core_metadata: str | None,
        headline: Headline,
    ) -> HostedFile:
        """
        ``headline``: what the file says of itself, which counts before what the form says.

        That of an sdist may leave Requires-Python to its build.
        """
        digests = staged.digests()
        told = upload.requires_python if upload.kind is FileKind.SDIST else None
        return HostedFile(
            index_name=index,
            filename=upload.filename,
            project=upload.project,
            version=str(upload.version),
            filetype=upload.kind.value,
            size=staged.size,
            sha256=digests["sha256"],
            blake2_256=digests["blake2_256"],
            md5=digests["md5"],
            requires_python=headline.requires_python or told,
            summary=headline.summary or upload.summary,
            core_metadata=core_metadata,
            yanked=None,
            uploaded_at=datetime.fromtimestamp(self._now(), UTC).isoformat(timespec="microseconds"),
            uploaded_by=user,
        )
