"""A site that has trusted publishing where the daemon has it, and nothing else."""

from __future__ import annotations

from klein import Klein
from twisted.web.resource import IResource

from pypid.indexes.trusted_publishing import TrustedPublishing
from pypid.web.oidc import OidcRoutes
from pypid.web.request import Request


class OidcSite:
    """The part of the URL map that is tested."""

    app = Klein()

    def __init__(self, publishing: TrustedPublishing | None) -> None:
        self.publishing = publishing
        self._oidc = OidcRoutes(lambda _: self.publishing).app.resource()

    @app.route("/_/oidc/", branch=True)
    def oidc(self, request: Request) -> IResource:  # noqa: ARG002 (Klein's signature)
        return self._oidc
