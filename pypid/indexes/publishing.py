"""Publishing: an uploaded file becomes part of a hosted index, for good, before it is acknowledged."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from twisted.internet.defer import Deferred, DeferredList
from twisted.logger import Logger

from pypid.domain.actor import Actor
from pypid.domain.errors import InspectionFailed, StorageFull, UploadRefused
from pypid.domain.filenames import FileKind
from pypid.domain.names import IndexName, NormalizedName
from pypid.domain.upload_rules import UploadRules
from pypid.domain.uploads import DIGEST_LENGTHS, Form, Upload
from pypid.domain.validation.distribution import Question, Verdict
from pypid.domain.validation.findings import Level
from pypid.flight import shield
from pypid.indexes.room import NO_SPACE, Room
from pypid.indexes.shadowing import Shadows
from pypid.indexes.stored import keep
from pypid.indexes.vouching import NOTHING, Beside, Vouchers, Vouching
from pypid.storage.blobs import BlobStore
from pypid.storage.hosted import HostedRecords
from pypid.storage.hosted_file import HostedFile, iso
from pypid.storage.staging import FLUSH, StagedFile, Staging


class Inspect(Protocol):
    """Look into the file at a path. Fails with `InspectionFailed` or `OSError`."""

    def __call__(self, path: Path, question: Question, /) -> Deferred[Verdict]: ...


@dataclass(frozen=True, slots=True)
class Published:
    """What came of an upload that was accepted."""

    new: bool
    """False: the very file was there already."""
    warnings: tuple[str, ...] = ()
    """What could be better about it, a sentence each."""


class Publisher:
    """
    Publishes files.

    The order makes each step safe to be the last before a power cut: the
    bytes, then the sidecar, then the row that shows them.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        staging: Staging,
        blobs: BlobStore,
        records: HostedRecords,
        inspect: Inspect,
        now: Callable[[], float],
        room: Room | None = None,
        vouching: Vouching | None = None,
        shadows: Shadows | None = None,
    ) -> None:
        """
        Take what publishing needs.

        ``inspect``: says whether a file may be published; ``now``: seconds
        since 1970; ``room``: what is mirrored makes way; ``vouching``: reads
        what comes beside a file, verifying nothing where there is none;
        ``shadows``: None where no name is in use.
        """
        self._room = room
        self._vouching = vouching or Vouching()
        self._shadows = shadows
        self._staging = staging
        self._blobs = blobs
        self._records = records
        self._inspect = inspect
        self._now = now
        self._under_way: set[Deferred[Published]] = set()

    async def stage(self, *, reserve: int) -> StagedFile:
        """Return a file to receive an upload in, with ``reserve`` bytes of disk set aside. Raises `OSError`."""
        try:
            return await self._staging.create(*DIGEST_LENGTHS, reserve=reserve, flush=FLUSH)
        except OSError as e:
            if e.errno not in NO_SPACE or self._room is None or not await self._room.make(reserve):
                raise
        return await self._staging.create(*DIGEST_LENGTHS, reserve=reserve, flush=FLUSH)

    def publish(
        self,
        index: IndexName,
        upload: Upload,
        form: Form,
        staged: StagedFile,
        actor: Actor,
        *,
        rules: UploadRules,
        beside: Beside = NOTHING,
    ) -> Deferred[Published]:
        """
        Publish ``staged`` with what is ``beside`` it, if it passes by ``rules``, and close it.

        Fires when the file is published and durable. Fails with
        `UploadRefused`, `FileExists`, `FileDeleted`, `ProjectClosed`,
        `InspectionFailed` or `StorageFull`. Cancelling lets the caller go; what
        was begun is finished.
        """
        call = Deferred.fromCoroutine(self._publish(index, upload, form, staged, actor, rules=rules, beside=beside))
        self._under_way.add(call)
        waiter = shield(call)
        call.addBoth(self._ended, call)
        return waiter

    def _ended(self, outcome: object, call: Deferred[Published]) -> object:
        self._under_way.discard(call)
        return outcome  # None, but for a failure that nobody waits for any more: Twisted logs it

    def stop(self) -> Deferred[object]:
        """Fire when nothing is being published any more."""
        return DeferredList(list(self._under_way)).addCallback(lambda _: None)

    async def _publish(
        self,
        index: IndexName,
        upload: Upload,
        form: Form,
        staged: StagedFile,
        actor: Actor,
        *,
        rules: UploadRules,
        beside: Beside,
    ) -> Published:
        try:
            upload.check_digests(staged.digests())
            # Asked for again with the row: what can be refused now leaves no blob behind.
            key = (index, upload.project, upload.filename, staged.sha256)
            published = await self._records.is_published(*key, volatile=rules.volatile)
            if published and await self._blobs.has(staged.sha256):
                return Published(new=False)
            notes = await self._shadows.check(index, upload.project, rules) if self._shadows else ()
            # What was accepted once is not refused by rules that are stricter now: the store needs its bytes back.
            vouchers = Vouchers() if published else await self._vouchers(beside, upload, staged, rules)
            verdict = await self._judge(upload, staged, Level.LENIENT if published else rules.level, vouchers.problems)
            file = self._describe(index, upload, staged, actor, verdict=verdict, vouchers=vouchers)
            small = (_core_metadata(upload, verdict), vouchers.signature, vouchers.provenance)
            new = await self._store(file, form, actor, staged, [each for each in small if each], rules=rules)
        except OSError as e:
            self._log.error("{filename} could not be stored: {why}", filename=upload.filename, why=e)
            raise StorageFull(f"{upload.filename} cannot be stored: {e.strerror or e}") from e
        finally:
            staged.close()
        if new:
            self._log.info(
                "{user} published {filename} in {index}", user=actor.user, filename=upload.filename, index=index
            )
        return Published(new, (*notes, *verdict.warnings))

    async def _vouchers(self, beside: Beside, upload: Upload, staged: StagedFile, rules: UploadRules) -> Vouchers:
        try:
            return await self._vouching.read(beside, upload.filename, staged.sha256, rules)
        except InspectionFailed as e:
            self._log.error("the attestations of {filename}: {why}", filename=upload.filename, why=e.why)
            raise

    async def _judge(self, upload: Upload, staged: StagedFile, level: Level, problems: tuple[str, ...]) -> Verdict:
        """
        Return what the file says of itself.

        Raises `UploadRefused` with all that speaks against it, after the ``problems`` of what is beside it.
        """
        question = Question(filename=upload.filename, level=level, claims=upload.claims)
        try:
            await staged.cut()
            verdict = await self._inspect(staged.path, question)
        except InspectionFailed as e:
            self._log.error("{filename} could not be looked into: {why}", filename=upload.filename, why=e.why)
            raise
        if problems or verdict.problems:
            raise UploadRefused([*problems, *verdict.problems])
        for warning in verdict.warnings:
            self._log.warn("{filename}: {warning}", filename=upload.filename, warning=warning)
        return verdict

    async def filenames(self, index: IndexName, project: NormalizedName) -> tuple[str, ...]:
        """Return the names of the project's files that were uploaded to ``index``."""
        page = await self._records.page(index, project)
        return () if page is None else tuple(file.filename for file in page.files)

    async def problems(self, question: Question, staged: StagedFile) -> tuple[str, ...]:
        """
        Return what speaks against ``staged``, which is not to be published for other reasons; the caller closes it.

        Nothing, where that cannot be found out. Raises `OSError`.
        """
        await staged.cut()
        try:
            return (await self._inspect(staged.path, question)).problems
        except InspectionFailed as e:
            self._log.error("{filename} could not be looked into: {why}", filename=question.filename, why=e.why)
            return ()

    async def _store(
        self,
        file: HostedFile,
        form: Form,
        actor: Actor,
        staged: StagedFile,
        small: Sequence[bytes],
        *,
        rules: UploadRules,
    ) -> bool:
        """Keep all that ``file`` names, ``small`` being what is in memory, and record it; say whether it is new."""
        # Held before they are there: a sweep must not take what no record names yet.
        holds = [await self._blobs.hold(sha256) for sha256 in file.blobs]
        try:
            for content in small:
                await keep(content, self._staging, self._blobs)
            await self._blobs.add(staged)
            # If the store has lost the bytes of a published file, they are back by now.
            return await self._records.publish(file, form, actor, volatile=rules.volatile)
        finally:
            for hold in holds:
                hold.release()

    def _describe(
        self,
        index: IndexName,
        upload: Upload,
        staged: StagedFile,
        actor: Actor,
        *,
        verdict: Verdict,
        vouchers: Vouchers,
    ) -> HostedFile:
        """
        ``verdict``: has what the file says of itself, which counts before what the form says.

        That of an sdist may leave Requires-Python to its build.
        """
        digests, headline = staged.digests(), verdict.headline
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
            core_metadata=_sha256(_core_metadata(upload, verdict)),
            signature=_sha256(vouchers.signature),
            provenance=_sha256(vouchers.provenance),
            uploaded_at=iso(self._now()),
            uploaded_by=actor.user,
        )


def _core_metadata(upload: Upload, verdict: Verdict) -> bytes | None:
    """Return the METADATA that is offered beside a wheel."""
    return verdict.metadata if upload.kind is FileKind.WHEEL else None


def _sha256(content: bytes | None) -> str | None:
    return None if content is None else hashlib.sha256(content).hexdigest()
