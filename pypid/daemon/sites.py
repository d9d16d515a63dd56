"""What answers at the ports, and at the control socket."""

from __future__ import annotations

from typing import Any

from twisted.web.resource import IResource

from pypid.config import ServerConfig
from pypid.daemon.descriptors import connections_for, raise_limit
from pypid.daemon.lasting import Lasting
from pypid.web.access import Access
from pypid.web.api.curators import Curators
from pypid.web.api.routes import ApiRoutes
from pypid.web.control import ControlRoutes, ControlSite
from pypid.web.legacy import LegacyJson
from pypid.web.removal import Removals
from pypid.web.routes import Routes
from pypid.web.simple import SimplePages
from pypid.web.site import PypidSite
from pypid.web.snapshot import Current
from pypid.web.unencrypted import EncryptedOnly
from pypid.web.upload import Uploads
from pypid.web.xmlrpc import XmlRpc


def build_sites(
    reactor: Any, server: ServerConfig, lasting: Lasting, current: Current
) -> tuple[PypidSite, ControlSite]:
    """Return the site for everybody, and that of the control socket."""
    access = Access(lasting.lists, lasting.tokens)
    api = _api(reactor, lasting, access)
    pages = SimplePages(memory=server.rendered_pages, render=lasting.pages, render_list=lasting.lists, clock=reactor)
    routes = Routes(
        pages,
        LegacyJson(lasting.pages),
        XmlRpc(lasting.lists),
        Uploads(lasting.publisher, Removals(lasting.curator, access), access),
        reactor,
        access=access,
        counts=lasting.counts,
        api=api,
    )
    return (
        PypidSite(
            EncryptedOnly(routes.app.resource()),
            current,
            reactor=reactor,
            header_timeout=server.header_timeout,
            idle_timeout=server.idle_timeout,
            max_connections=connections_for(raise_limit()),
        ),
        ControlSite(
            ControlRoutes(api).app.resource(),
            current,
            reactor=reactor,
            header_timeout=server.header_timeout,
            idle_timeout=server.idle_timeout,
        ),
    )


def _api(reactor: Any, lasting: Lasting, access: Access) -> IResource:
    routes = ApiRoutes(
        Curators(lasting.curator, lasting.overlay_curator),
        lasting.reporter,
        lasting.counts,
        lasting.retainer,
        reactor,
        access=access,
        tokens=lasting.tokens,
    )
    return routes.app.resource()
