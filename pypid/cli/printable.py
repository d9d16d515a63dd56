"""Text of strangers, on a terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return ``text`` in one line, without what a terminal would take for a command."""
    return "".join(character if character.isprintable() else " " for character in text)
