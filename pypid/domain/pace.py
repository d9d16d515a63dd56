"""Whether a body comes fast enough to be waited for."""

from __future__ import annotations

SILENCE = 30.0
"""Seconds in which something must come. Half of nginx's client_body_timeout: an upload that stops is begun anew."""

GRACE = 10.0
"""Seconds that every body may take; Apache's mod_reqtimeout gives 20."""

LEAST_RATE = 1024
"""Bytes that buy a body one second more: twice what mod_reqtimeout asks for, and less than any modem sends."""


def patience(waited: float, received: int) -> float:
    """
    Return how many seconds more to wait for the next bytes of a body; 0 or less: it is too slow.

    ``waited``: seconds for which its sender has been waited for so far, without
    those in which the sender waited for us. ``received``: bytes.
    """
    return min(SILENCE, GRACE + received / LEAST_RATE - waited)
