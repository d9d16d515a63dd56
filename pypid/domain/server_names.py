"""Which of several certificates a client is shown, by the name that it asks for (SNI)."""

from __future__ import annotations

from collections.abc import Sequence


def certificate_for(name: str | None, served: Sequence[Sequence[str]]) -> int:
    """
    Return the number of the certificate for ``name``; ``served`` has the names in each, in lower case.

    One that has the very name beats one with a wildcard for it, and of equal
    ones the first is taken. So it is, too, for a name that none is for, and
    for None: who asks for an address sends no name (RFC 6066, section 3).
    """
    if name is not None:
        asked = name.lower().rstrip(".")
        _, dot, parent = asked.partition(".")
        for wanted in (asked, f"*.{parent}" if dot and parent else None):
            for number, names in enumerate(served):
                if wanted in names:
                    return number
    return 0
