"""Why pypid does not start."""

from __future__ import annotations

BAD_DATA = 65
"""sysexits.h EX_DATAERR: what is on the disk cannot be used."""

OS_ERROR = 71
"""EX_OSERR: the system refused, for example a port."""

CANNOT_CREATE = 73
"""EX_CANTCREAT: the data directory cannot be made or written."""

TEMPORARY = 75
"""EX_TEMPFAIL: another pypid has the data directory; a service manager may try again."""

BAD_CONFIG = 78
"""EX_CONFIG: nothing will change until somebody edits the configuration."""


class StartFailed(Exception):
    """The reason, in one line for people, and the ``code`` to exit with."""

    def __init__(self, reason: str, code: int) -> None:
        super().__init__(reason)
        self.code = code
