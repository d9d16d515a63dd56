"""Whether pypid answers, for whoever watches it."""

from __future__ import annotations

from pypid.web.errors import plain
from pypid.web.request import Request


def tell_health(request: Request) -> bytes:
    """Answer that all is well; which mirrors are offline does not change that."""
    offline = sorted(request.snapshot.offline)
    return plain(request, f"ok\noffline: {', '.join(offline)}\n" if offline else "ok\n")
