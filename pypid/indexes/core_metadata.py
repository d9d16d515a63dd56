"""The METADATA beside a mirror's files: as upstream claims, else as it is in the wheel."""

from __future__ import annotations

from dataclasses import replace

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from pypid.domain.core_metadata import FoundMetadata
from pypid.domain.errors import FileNotFound, StorageFull, UpstreamBroken, UpstreamUnavailable
from pypid.domain.filenames import FileKind, parse_filename
from pypid.domain.files import DistributionFile
from pypid.domain.names import IndexName, NormalizedName
from pypid.flight import SingleFlight
from pypid.indexes.fetched import FetchedFiles
from pypid.indexes.index import FileBody
from pypid.indexes.pages import MirroredPages
from pypid.indexes.source import Source
from pypid.indexes.stored import StoredFile, keep
from pypid.indexes.wheels import Wheels
from pypid.storage.blobs import BlobStore
from pypid.storage.cached import CachedRecords
from pypid.storage.staging import Staging


class CoreMetadata:
    """
    The METADATA of one mirror's files.

    Upstream's own ``.metadata`` is what counts while it has the digest that
    its page claims. Where there is none, or it is wrong or cannot be had, the
    wheel is read. What is found is kept for good and told by the page from
    then on; what was read from parts of a wheel is read again when it is here.

    So an upstream that sends something else than it claims, or a 404, stops
    nobody where the claim was right. Where it was wrong (A46), who was told it
    gets what is in the wheel all the same. pip (23.3 and 26) and uv (0.13) then
    stop for the digest, as they do after every other answer, at once or, after
    a 502 or 503, some tries later; asked again they succeed, since the page has
    changed and what they may have kept is right. Clients that do not compare
    go on. The 404 for a wheel without METADATA stops all three as well; the
    next time the page sends nobody there, and they say what ails the wheel.
    """

    _log = Logger()

    def __init__(
        self,
        index: IndexName,
        pages: MirroredPages,
        files: FetchedFiles,
        wheels: Wheels,
        *,
        records: CachedRecords,
        staging: Staging,
        blobs: BlobStore,
    ) -> None:
        self._index = index
        self._pages = pages
        self._files = files
        self._wheels = wheels
        self._records = records
        self._staging = staging
        self._blobs = blobs
        self._flights: SingleFlight[tuple[NormalizedName, str, str], FoundMetadata] = SingleFlight()

    async def open(self, project: NormalizedName, file: DistributionFile, source: Source) -> FileBody:
        """
        Return the METADATA of ``file``, as the project's page has it now.

        Raises `FileNotFound` where there is none, `UpstreamUnavailable` where
        that cannot be known; only the wheel itself can show that it has none.
        """
        told = file.core_metadata
        if told is None:
            raise FileNotFound(f"{file.filename} has no core metadata beside it")
        found = await self._records.found_metadata(self._index, project, file.filename, file.identity)
        if found is not None and told in {"", found.claim, found.core_metadata}:
            if await self._is_outdated(found, file):
                found = await self._found(project, file, source, found.claim)
        else:
            claimed = await self._claimed(project, file, source) if told else None
            if claimed is not None:
                return claimed
            found = await self._found(project, file, source, told or None)
        if found.core_metadata != told:
            self._pages.correct(project, found)
        if found.core_metadata is None:
            raise FileNotFound(f"{file.filename} has no core metadata in it")
        blob = await self._blobs.open(found.core_metadata)
        return StoredFile(self._index, found.core_metadata, blob, verified=found.verified)

    async def _is_outdated(self, found: FoundMetadata, file: DistributionFile) -> bool:
        if found.core_metadata is not None and not await self._blobs.has(found.core_metadata):
            return True
        return not found.verified and file.sha256 is not None and await self._blobs.has(file.sha256)

    async def _claimed(self, project: NormalizedName, file: DistributionFile, source: Source) -> FileBody | None:
        """Return upstream's own, all of it; None if that is not what upstream claims, or not there."""
        assert file.core_metadata is not None
        beside = f"{file.filename}.metadata"
        body = await self._files.kept(project, beside, file.core_metadata)
        if body is not None:
            return body
        metadata = replace(source, url=f"{source.url}.metadata", sha256=file.core_metadata, size=None, identity="")
        body = await self._files.open(project, beside, metadata)
        try:
            await _read_through(body)
        except UpstreamUnavailable as e:
            body.close()
            here = await self._blobs.has(source.sha256) if source.sha256 else False
            if parse_filename(file.filename).kind is not FileKind.WHEEL or not (isinstance(e, UpstreamBroken) or here):
                raise
            self._log.warn("{url}.metadata is not used, but what is in the wheel: {why}", url=source.url, why=e)
            return None
        except BaseException:
            body.close()
            raise
        return body

    def _found(
        self, project: NormalizedName, file: DistributionFile, wheel: Source, claim: str | None
    ) -> Deferred[FoundMetadata]:
        key = (project, file.filename, file.identity)
        return self._flights.join(key, lambda: self._find(project, file, wheel, claim))

    async def _find(
        self, project: NormalizedName, file: DistributionFile, wheel: Source, claim: str | None
    ) -> FoundMetadata:
        """Read the METADATA in ``wheel``, keep it, and write down what was found."""
        filename = file.filename
        content, verified = await self._wheels.read(project, filename, wheel)
        try:
            found = FoundMetadata(
                filename=filename,
                identity=file.identity,
                claim=claim,
                core_metadata=None if content is None else await keep(content, self._staging, self._blobs),
                verified=verified,
            )
        except OSError as e:
            raise StorageFull(f"the core metadata of {filename} cannot be stored: {e.strerror or e}") from e
        try:
            await self._records.keep_found_metadata(self._index, project, found)
        except OSError as e:
            # The blob is there: a full disk costs no client the METADATA, and the next one records it.
            self._log.error("the core metadata of {filename} could not be recorded: {why}", filename=filename, why=e)
        return found


async def _read_through(body: FileBody) -> None:
    offset = 0
    while data := await body.read(offset):
        offset += len(data)
