"""Whether pypid answers, for whoever watches it."""

from __future__ import annotations

from pypid.domain.rights import NOBODY
from pypid.web.errors import plain
from pypid.web.request import Request


def tell_health(request: Request) -> bytes:
    """Answer that all is well; which mirrors are offline does not change that."""
    snapshot = request.snapshot
    # What others may not know of is not told to who has not said who he is.
    offline = sorted(snapshot.offline & snapshot.visible_to(NOBODY))
    return plain(request, f"ok\noffline: {', '.join(offline)}\n" if offline else "ok\n")
