"""Why pypid does not start, or does not go on."""

from __future__ import annotations

import os
from typing import NoReturn

from twisted.logger import Logger

_log = Logger()


class StartFailed(Exception):
    """
    The reason, in one line for people, and the ``code`` to exit with.

    The codes are those of sysexits.h: EX_CONFIG and EX_DATAERR stay until
    somebody acts, EX_TEMPFAIL and EX_OSERR may be gone at the next try.
    """

    def __init__(self, reason: str, code: int) -> None:
        super().__init__(reason)
        self.code = code


def end_at_once(error: BaseException) -> NoReturn:
    """
    End the process with EX_IOERR, as a power cut would: the disk has failed to keep what was written to hosted.db.

    What it has is what the next start finds there. Nothing may be put right,
    or told to a client, by a process that believes otherwise.
    """
    _log.critical("hosted.db could not be written to the disk: {why}; pypid ends here, start it again", why=error)
    os._exit(os.EX_IOERR)
