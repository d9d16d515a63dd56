"""Uploads to a name that people here have from a mirror: from then on all of them would get ours."""

from __future__ import annotations

from pypid.domain.errors import UploadRefused
from pypid.domain.names import IndexName, NormalizedName
from pypid.domain.upload_rules import Shadowing, UploadRules
from pypid.storage.cached import CachedRecords
from pypid.storage.hosted import HostedRecords


class Shadows:
    """Knows which names are in use."""

    def __init__(self, hosted: HostedRecords, cached: CachedRecords) -> None:
        self._hosted = hosted
        self._cached = cached

    async def check(self, index: IndexName, project: NormalizedName, rules: UploadRules) -> tuple[str, ...]:
        """
        Return what is to be said of an upload to ``project``. Raises `UploadRefused` where ``rules`` say so.

        Only pages that are here already count: to ask upstream would tell it
        the names of a team's own projects.
        """
        if rules.shadowing is Shadowing.ALLOW or await self._hosted.page(index, project) is not None:
            return ()
        for mirror in rules.mirrors:
            if await self._cached.page(mirror, project) is not None:
                said = f"{project} is in use here as a project of {mirror}, whose place an upload takes for everybody"
                if rules.shadowing is Shadowing.REFUSE:
                    raise UploadRefused([f'{said}; shadowing = "allow" of {index} permits that.'])
                return (f"{said}.",)
        return ()
