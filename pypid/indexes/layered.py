"""A hosted index laid over others: a name that it has is never looked for in them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from packaging.version import Version

from pypid.domain.changes import Change
from pypid.domain.errors import ProjectNotFound
from pypid.domain.files import ProjectPage
from pypid.domain.names import IndexName, NormalizedName
from pypid.domain.project_list import ProjectList, united
from pypid.domain.release_facts import ReleaseFacts
from pypid.domain.search import Hit, Query
from pypid.indexes.held import Told
from pypid.indexes.index import FileBody, Index

T = TypeVar("T")


class LayeredIndex:
    """
    An `Index` whose projects come each from one layer, the first that has it.

    Pages are never merged: a stranger's higher version of a project that is
    hosted here can neither be listed nor fetched, and the bases are not even
    asked for it (dependency confusion).
    """

    def __init__(self, name: IndexName, layers: Sequence[Index]) -> None:
        """``layers``: the index's own uploads first, then its bases, in the order they are tried."""
        self.name = name
        self._layers = tuple(layers)

    async def project_list(self) -> ProjectList:
        return united([await layer.project_list() for layer in self._layers])

    # Not those of the bases: what one of them has may be another's to answer.

    @property
    def hosted_revision(self) -> str:
        return self._layers[0].hosted_revision

    async def hosted_pages(self) -> list[ProjectPage]:
        return await self._layers[0].hosted_pages()

    async def hosted_changes(self) -> list[Change]:
        return await self._layers[0].hosted_changes()

    async def project_page(self, project: NormalizedName, *, newest: bool = False) -> ProjectPage:
        page = await self._first(project, lambda layer: layer.project_page(project, newest=newest))
        # The project may be uploaded here at any moment: no client may go on without asking.
        return replace(page, max_age=0)

    async def open_file(self, project: NormalizedName, filename: str, digest_prefix: str) -> FileBody:
        return await self._first(project, lambda layer: layer.open_file(project, filename, digest_prefix))

    async def open_core_metadata(self, project: NormalizedName, filename: str, digest_prefix: str) -> FileBody:
        return await self._first(project, lambda layer: layer.open_core_metadata(project, filename, digest_prefix))

    async def provenance(self, project: NormalizedName, filename: str, digest_prefix: str) -> Told[bytes]:
        return await self._first(project, lambda layer: layer.provenance(project, filename, digest_prefix))

    async def signature(self, project: NormalizedName, filename: str, digest_prefix: str) -> bytes:
        return await self._first(project, lambda layer: layer.signature(project, filename, digest_prefix))

    async def release_facts(self, project: NormalizedName, version: Version, *, latest: bool) -> ReleaseFacts:
        return await self._first(project, lambda layer: layer.release_facts(project, version, latest=latest))

    async def search(self, query: Query) -> list[Hit]:
        found: list[Hit] = []
        for position, layer in enumerate(self._layers):
            hits = await layer.search(query)
            hidden = await self._hidden(hits, self._layers[:position])
            found += [hit for hit in hits if hit.project not in hidden]
        return query.best(found)

    async def _hidden(self, hits: Sequence[Hit], before: Sequence[Index]) -> set[NormalizedName]:
        """Return which of ``hits`` a layer ``before`` has too, where what they look for may not be said of them."""
        if not hits or not before:
            return set()
        exact = Query(names=[hit.project for hit in hits])
        hidden = {hit.project for layer in before for hit in await layer.search(exact)}
        # Whose files are all deleted, or in quarantine, is found by no search, and is ours all the same.
        return hidden | set(await before[0].project_list())

    async def _first(self, project: NormalizedName, ask: Callable[[Index], Awaitable[T]]) -> T:
        """
        Return the answer of the first layer that has ``project``.

        Any other answer than "not here" ends the search: `UpstreamUnavailable`
        because the layer might have it, `FileNotFound` because it does.
        """
        reason, cache_status = "", None
        for layer in self._layers:
            try:
                return await ask(layer)
            except ProjectNotFound as e:
                reason, cache_status = reason or e.reason, e.cache_status or cache_status
        raise ProjectNotFound(f"{self.name} has no project {project}", reason=reason, cache_status=cache_status)
