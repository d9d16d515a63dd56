"""A hosted index laid over others: a name that it has is never looked for in them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from pypid.domain.errors import ProjectNotFound
from pypid.domain.files import ProjectPage
from pypid.domain.names import IndexName, NormalizedName
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

    async def project_list(self) -> list[NormalizedName]:
        names: set[NormalizedName] = set()
        for layer in self._layers:
            names.update(await layer.project_list())
        return sorted(names)

    async def hosted_projects(self) -> list[NormalizedName]:
        # Not those of the bases: what one of them has may be another's to answer.
        return await self._layers[0].hosted_projects()

    async def project_page(self, project: NormalizedName) -> ProjectPage:
        page = await self._first(project, lambda layer: layer.project_page(project))
        # The project may be uploaded here at any moment: no client may go on without asking.
        return replace(page, max_age=0)

    async def open_file(self, project: NormalizedName, filename: str, digest_prefix: str) -> FileBody:
        return await self._first(project, lambda layer: layer.open_file(project, filename, digest_prefix))

    async def open_core_metadata(self, project: NormalizedName, filename: str, digest_prefix: str) -> FileBody:
        return await self._first(project, lambda layer: layer.open_core_metadata(project, filename, digest_prefix))

    async def _first(self, project: NormalizedName, ask: Callable[[Index], Awaitable[T]]) -> T:
        """
        Return the answer of the first layer that has ``project``.

        Any other answer than "not here" ends the search: `UpstreamUnavailable`
        because the layer might have it, `FileNotFound` because it does.
        """
        for layer in self._layers:
            try:
                return await ask(layer)
            except ProjectNotFound:
                continue
        raise ProjectNotFound(f"{self.name} has no project {project}")
