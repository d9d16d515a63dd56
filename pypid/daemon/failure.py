"""Why pypid does not start."""

from __future__ import annotations


class StartFailed(Exception):
    """
    The reason, in one line for people, and the ``code`` to exit with.

    The codes are those of sysexits.h: EX_CONFIG and EX_DATAERR stay until
    somebody acts, EX_TEMPFAIL and EX_OSERR may be gone at the next try.
    """

    def __init__(self, reason: str, code: int) -> None:
        super().__init__(reason)
        self.code = code
