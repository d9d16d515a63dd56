"""The site of the control socket: who connects is who the kernel says."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Mapping
from typing import Any

from klein import Klein
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure
from twisted.web.resource import IResource

from pypid.domain.errors import PackageIndexError, PermissionRefused
from pypid.web.errors import fail, refuse
from pypid.web.health import tell_health
from pypid.web.request import Request
from pypid.web.site import PypidSite
from pypid.web.snapshot import Current

_CREDENTIALS = struct.Struct("3i")
"""``struct ucred``: process, user, group (unix(7))."""


def peer_uid(transport: Any) -> int:
    """Return who had connected a socket of this machine, as its user id."""
    given = transport.getHandle().getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, uid, _ = _CREDENTIALS.unpack(given)
    return int(uid)


class ControlSite(PypidSite):
    """A site for users of this machine, who need no password."""

    def __init__(
        self,
        resource: IResource,
        current: Current,
        *,
        reactor: IReactorTime,
        header_timeout: float,
        idle_timeout: float,
        uid_of: Callable[[Any], int] = peer_uid,
    ) -> None:
        """``uid_of``: says who has connected a transport."""
        super().__init__(resource, current, reactor=reactor, header_timeout=header_timeout, idle_timeout=idle_timeout)
        self.users: Mapping[int, str] = {}
        """Those who may do everything: names by user id."""
        self._uid_of = uid_of

    def identify(self, request: Request) -> str:
        """Return the name of who asks, as the audit log has it. Raises `PermissionRefused`."""
        uid = self._uid_of(request.channel.transport)
        name = self.users.get(uid)
        if name is None:
            known = " or ".join(self.users.values())
            raise PermissionRefused(f"Only {known} may do this here, and you are the user {uid}")
        return f"local:{name}"


class ControlRoutes:
    """The URLs of the control socket: nothing of what clients of an index ask for."""

    app = Klein()

    def __init__(self, api: IResource) -> None:
        self._api = api

    @app.route("/-/health", methods=["GET"])
    def health(self, request: Request) -> bytes:
        return tell_health(request)

    @app.route("/-/api/", branch=True, strict_slashes=False)
    def api(self, request: Request) -> IResource:  # noqa: ARG002 (Klein's signature)
        return self._api

    # Klein's annotations know IRequest only.
    @app.handle_errors(PackageIndexError)  # type: ignore[arg-type]
    def _refuse(self, request: Request, failure: Failure) -> bytes:
        return refuse(request, failure)

    @app.handle_errors(Exception)  # type: ignore[arg-type]
    def _fail(self, request: Request, failure: Failure) -> Any:
        return fail(request, failure)
