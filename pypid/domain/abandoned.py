"""Whether a file goes on being fetched that nobody waits for any more."""

from __future__ import annotations

FINISHED_IF_LEFT = 256 * 1024 * 1024
"""Bytes to come up to which it does: whoever wanted the file mostly asks again, and most wheels are smaller."""

FINISHED_IF_SHARE = 0.25
"""The share of a larger file that must have come for the same: what is thrown away is then more than a beginning."""


def is_worth_finishing(came: int, size: int | None) -> bool:
    """Judge a file of ``size`` bytes, of which ``came`` are here. Where its end is not known it is not worth it."""
    return size is not None and (size - came <= FINISHED_IF_LEFT or came >= FINISHED_IF_SHARE * size)
