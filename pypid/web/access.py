"""Who asks, and whether he may: asked once, before anything is looked for."""

from __future__ import annotations

from pypid.domain.actor import Actor
from pypid.domain.bearer import GivenToken, read_credentials
from pypid.domain.errors import AuthenticationRequired, IndexNotFound, PermissionRefused
from pypid.domain.groups import groups_of
from pypid.domain.names import IndexName, NormalizedName
from pypid.domain.rights import ANONYMOUS, NOBODY, Identity, Right
from pypid.indexes.index import Index
from pypid.indexes.readable import ReadableIndex
from pypid.indexes.tokens import Tokens
from pypid.offload import Offload
from pypid.web.control import ControlSite
from pypid.web.request import Request
from pypid.web.snapshot import Snapshot


class Access:
    """
    Admits requests to indexes.

    The answer to who is not admitted is the same whether there is such an
    index, project or file or not: 401 to who has not signed in, 403 to who
    has. Never 404, after which installers look elsewhere.
    """

    def __init__(self, offload: Offload, tokens: Tokens) -> None:
        """``offload``: where lists are shortened to what somebody may read."""
        self._offload = offload
        self._tokens = tokens

    async def read(self, request: Request, index: IndexName | None, project: NormalizedName | None = None) -> Index:
        """
        Return the index to read ``project`` of, or lists where that is None.

        Raises `IndexNotFound`, `PermissionRefused`, and what
        `Authenticator.identify` does.
        """
        snapshot = request.snapshot
        name = index or snapshot.default_index
        if snapshot.rights_of(name).is_public(Right.READ) or (name not in snapshot.indexes and snapshot.is_open):
            return snapshot.index(name)
        request.is_private = True
        identity = await self._as_far_as_said(request)
        if not snapshot.permissions(identity, name).allow(Right.READ, project):
            identity = await self.identify(request)
        self._check(request, identity, name, Right.READ, project)
        found = snapshot.index(name)
        permissions = snapshot.permissions(identity, name)
        if project is not None or permissions.allow_all(Right.READ):
            return found
        return ReadableIndex(
            found,
            lambda each: permissions.allow(Right.READ, each),
            scope=permissions.scope(Right.READ),
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
        identity = await self._as_far_as_said(request)
        permissions = request.snapshot.permissions(identity, name)
        if not any(permissions.allow(right, project) for right in rights):
            identity = await self.identify(request)
            permissions = request.snapshot.permissions(identity, name)
        right = next((right for right in rights if permissions.allow(right, project)), rights[0])
        self._check(request, identity, name, right, project)
        return Actor(identity.user or ANONYMOUS, request.client_address)

    async def administer_all(self, request: Request) -> None:
        """
        Return if who asks administers every index.

        Raises `PermissionRefused`, which names none that he may not know of,
        and what `Authenticator.identify` does.
        """
        identity = await self.identify(request)
        snapshot = request.snapshot
        if not all(snapshot.permissions(identity, name).allow_all(Right.ADMIN) for name in snapshot.indexes):
            raise PermissionRefused(f"The user {identity.user!r} does not administer every index")

    def check(self, request: Request, index: IndexName, right: Right, project: NormalizedName) -> None:
        """Raise `PermissionRefused` unless who was admitted to ``index`` has ``right`` to ``project``."""
        self._check(request, request.identity or NOBODY, index, right, project)

    def check_whole(self, request: Request, index: IndexName, right: Right) -> None:
        """Raise `PermissionRefused` unless who was admitted to ``index`` has ``right`` to all of its projects."""
        identity = request.identity or NOBODY
        if not request.snapshot.permissions(identity, index).allow_all(right):
            raise PermissionRefused(f"The user {identity.user!r} may not {_MAY_NOT[right]} all of {index}")

    async def visible(self, request: Request) -> frozenset[IndexName]:
        """
        Return the indexes that are no secret to who asks: without good credentials, to everybody.

        Raises what `Authenticator.identify` does, but for wrong ones, which public pages do not mind either.
        """
        if request.snapshot.is_open:
            return request.snapshot.visible_to(NOBODY)
        request.is_private = True
        try:
            identity = await self._as_far_as_said(request)
        except AuthenticationRequired:
            identity = NOBODY
        return request.snapshot.visible_to(identity)

    async def identify(self, request: Request) -> Identity:
        """Return who asks, which is found out once for a request. Raises what `Authenticator.identify` does."""
        if request.no_identity is not None:
            raise request.no_identity
        if request.identity is None:
            try:
                request.identity = await self._identify(request)
            except AuthenticationRequired as e:
                request.no_identity = e
                raise
        return request.identity

    async def _as_far_as_said(self, request: Request) -> Identity:
        """Return who asks; `NOBODY` if he does not say. Raises what `Authenticator.identify` does."""
        if request.header("Authorization") is None and not isinstance(request.site, ControlSite):
            return NOBODY
        return await self.identify(request)

    async def _identify(self, request: Request) -> Identity:
        if isinstance(request.site, ControlSite):
            return Identity(request.site.identify(request), is_operator=True)
        snapshot = request.snapshot
        given = read_credentials(request.requestHeaders.getRawHeaders(b"Authorization") or [])
        if isinstance(given, GivenToken):
            return self._holder(given, snapshot)
        user = await snapshot.authenticator.identify(given, request.client_address)
        return Identity(user, groups_of(user, snapshot.groups))

    def _holder(self, given: GivenToken, snapshot: Snapshot) -> Identity:
        """Return who holds the token. Raises `AuthenticationRequired`, as for a token of a user who is gone."""
        token = self._tokens.find(given.text)
        users = snapshot.authenticator.users
        if token is None or not (token.publishers or (users is not None and token.user in users.hashes)):
            raise AuthenticationRequired("Invalid token: it may be revoked or expired, or not all of it was given")
        return Identity(token.user, groups_of(token.user, snapshot.groups), token=token)

    def _check(
        self, request: Request, identity: Identity, index: IndexName, right: Right, project: NormalizedName | None
    ) -> None:
        snapshot = request.snapshot
        if index not in snapshot.indexes and snapshot.visible_to(identity) == snapshot.indexes.keys():
            raise IndexNotFound(f"there is no index {index}")
        permissions = snapshot.permissions(identity, index)
        if permissions.allow(right, project):
            return
        what = index if project is None else f"{project} in {index}"
        # What it would take depends on the kind of the index, which is told to nobody who may not read it.
        may_not = _MAY_NOT[right if permissions.allow(Right.READ, project) else Right.READ]
        raise PermissionRefused(f"The user {identity.user or ANONYMOUS!r} may not {may_not} {what}")


_MAY_NOT = {Right.READ: "use", Right.UPLOAD: "upload to", Right.DELETE: "delete from", Right.ADMIN: "administer"}
