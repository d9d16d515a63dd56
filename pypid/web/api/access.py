"""Who calls the management API."""

from __future__ import annotations

from pypid.domain.actor import Actor
from pypid.web.control import ControlSite
from pypid.web.request import Request


async def actor_of(request: Request) -> Actor:
    """
    Return who is asking: whoever may upload and, over the control socket, who may connect to it.

    Raises what `Authenticator.identify` and `ControlSite.identify` do.
    """
    if isinstance(request.site, ControlSite):
        user = request.site.identify(request)
    else:
        user = await request.snapshot.authenticator.identify(request.requestHeaders)
    return Actor(user, request.client_address)
