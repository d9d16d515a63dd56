"""Who asks, and whether he may: asked once, before anything is looked for."""

from __future__ import annotations

from pypid.domain.actor import Actor
from pypid.domain.errors import IndexNotFound, PermissionRefused
from pypid.domain.groups import groups_of
from pypid.domain.names import IndexName, NormalizedName
from pypid.domain.rights import ANONYMOUS, NOBODY, Identity, Right
from pypid.indexes.index import Index
from pypid.indexes.readable import ReadableIndex
from pypid.offload import Offload
from pypid.web.control import ControlSite
from pypid.web.request import Request


class Access:
    """
    Admits requests to indexes.

    The answer to who is not admitted is the same whether there is such an
    index, project or file or not: 401 to who has not signed in, 403 to who
    has. Never 404, after which installers look elsewhere.
    """

    def __init__(self, offload: Offload) -> None:
        """``offload``: where lists are shortened to what somebody may read."""
        self._offload = offload

    async def read(self, request: Request, index: IndexName | None, project: NormalizedName | None = None) -> Index:
        """
        Return the index to read ``project`` of, or lists where that is None.

        Raises `IndexNotFound`, `PermissionRefused`, and what
        `Authenticator.identify` does.
        """
        snapshot = request.snapshot
        name = index or snapshot.default_index
        rights = snapshot.rights_of(name)
        if rights.is_public(Right.READ) or (name not in snapshot.indexes and snapshot.is_open):
            return snapshot.index(name)
        request.is_private = True
        identity = NOBODY
        if not rights.allow(NOBODY, Right.READ, project) or request.header("Authorization") is not None:
            identity = await self.identify(request)
        self._check(request, identity, name, Right.READ, project)
        found = snapshot.index(name)
        if project is not None or rights.allow_all(identity, Right.READ):
            return found
        return ReadableIndex(
            found,
            lambda each: rights.allow(identity, Right.READ, each),
            scope=f"{identity.user} of {sorted(identity.groups)}",
            offload=self._offload,
        )

    async def act(
        self, request: Request, index: IndexName | None, *rights: Right, project: NormalizedName | None = None
    ) -> Actor:
        """
        Return who asks for something that needs one of ``rights`` to ``project``, or to any where that is None.

        Raises as `read` does.
        """
        name = index or request.snapshot.default_index
        granted = request.snapshot.rights_of(name)
        identity = NOBODY
        if request.header("Authorization") is not None or not any(
            granted.allow(NOBODY, right, project) for right in rights
        ):
            identity = await self.identify(request)
        right = next((right for right in rights if granted.allow(identity, right, project)), rights[0])
        self._check(request, identity, name, right, project)
        return Actor(identity.user or ANONYMOUS, request.client_address)

    async def act_on_all(self, request: Request, right: Right) -> Actor:
        """Return who asks for something that needs ``right`` to every index. Raises as `read` does."""
        identity = await self.identify(request)
        for name in sorted(request.snapshot.indexes):
            self._check(request, identity, name, right, None)
        return Actor(identity.user or ANONYMOUS, request.client_address)

    def check(self, request: Request, index: IndexName, right: Right, project: NormalizedName) -> None:
        """Raise `PermissionRefused` unless who was admitted to ``index`` has ``right`` to ``project``."""
        self._check(request, request.identity or NOBODY, index, right, project)

    async def visible(self, request: Request) -> frozenset[IndexName]:
        """
        Return the indexes that are no secret to who asks.

        Where there are secrets, who asks has to say who he is. Raises what
        `Authenticator.identify` does.
        """
        snapshot = request.snapshot
        if snapshot.is_open:
            return frozenset(snapshot.indexes)
        request.is_private = True
        identity = await self.identify(request)
        return frozenset(name for name in snapshot.indexes if snapshot.may_see(identity, name))

    async def identify(self, request: Request) -> Identity:
        """Return who asks, which is found out once for a request. Raises what `Authenticator.identify` does."""
        if request.identity is None:
            request.identity = await self._identify(request)
        return request.identity

    async def _identify(self, request: Request) -> Identity:
        if isinstance(request.site, ControlSite):
            return Identity(request.site.identify(request), is_operator=True)
        user = await request.snapshot.authenticator.identify(request.requestHeaders)
        return Identity(user, groups_of(user, request.snapshot.groups))

    def _check(
        self, request: Request, identity: Identity, index: IndexName, right: Right, project: NormalizedName | None
    ) -> None:
        snapshot = request.snapshot
        if index not in snapshot.indexes and all(snapshot.may_see(identity, each) for each in snapshot.indexes):
            raise IndexNotFound(f"there is no index {index}")
        if not snapshot.rights_of(index).allow(identity, right, project):
            what = index if project is None else f"{project} in {index}"
            raise PermissionRefused(f"The user {identity.user or ANONYMOUS!r} may not {_VERBS[right]} {what}")


_VERBS = {Right.READ: "read", Right.UPLOAD: "upload to", Right.DELETE: "delete from", Right.ADMIN: "administer"}
