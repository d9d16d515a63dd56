"""A switch that the command turns, and the daemon obeys when it starts or reloads."""

from __future__ import annotations

from pathlib import Path


class OfflineSwitch:
    """Says that no upstream is to be asked: the file ``<data>/offline``, so that it stays over restarts."""

    def __init__(self, data: Path) -> None:
        self._path = data / "offline"

    def is_on(self) -> bool:
        """Return whether it is on. Raises OSError where that cannot be known."""
        try:
            self._path.stat()
        except FileNotFoundError:
            return False
        return True

    def turn(self, *, on: bool) -> bool:
        """Turn it, and return whether it was the other way. Raises OSError."""
        changed = self.is_on() != on
        if on:
            self._path.touch(mode=0o644)
        else:
            self._path.unlink(missing_ok=True)
        return changed
