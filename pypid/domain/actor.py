"""Who does something to what is published, and from where."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """One user, or a part of pypid that acts by itself."""

    user: str
    """The name that was signed in with; ``retention`` and the like have no `address`."""
    address: str | None = None
    """The client's address as text, or what stands for it; None: nobody asked, pypid acts by itself."""
