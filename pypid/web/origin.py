"""Requests that the page of another site has its reader's browser send."""

from __future__ import annotations

from urllib.parse import urlsplit

from pypid.domain.errors import PermissionRefused
from pypid.web.request import Request


def check_origin(request: Request) -> None:
    """
    Raise `PermissionRefused` if it is one: the browser adds its reader's password by itself.

    All browsers say where a request with an effect comes from, in
    ``Sec-Fetch-Site`` or in ``Origin`` (Fetch Standard); other clients say
    neither.
    """
    site, origin = request.header("Sec-Fetch-Site"), request.header("Origin")
    # "none" is what a person typed.
    foreign = site not in {"same-origin", "none"} if site is not None else not _is_own(request, origin)
    if foreign:
        raise PermissionRefused(f"A web page of another site may not ask for this ({origin or site})")


def _is_own(request: Request, origin: str | None) -> bool:
    if origin is None:
        return True
    try:
        host = urlsplit(origin).netloc.lower()
    except ValueError:
        return False
    # Host and port alone: behind a proxy that is not known to be one the scheme is another one.
    return host == (request.site_host or "").lower()
