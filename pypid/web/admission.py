"""How many connections there may be, of one address and in all."""

from __future__ import annotations

from collections import Counter

from twisted.logger import Logger


class Admission:
    """
    Counts connections, by the address that they come from.

    What is too much is said once in the log, and again when it had become less.
    """

    _log = Logger()

    def __init__(self, most: int | None) -> None:
        """``most``: connections in all; None where only what the machine can do is the limit."""
        self._most = most
        self._all = 0
        self._of: Counter[str] = Counter()
        self._told: set[str | None] = set()

    def enter(self, address: str | None, limit: int) -> bool:
        """
        Return whether there may be one more, and count it if so.

        ``address``: None where many clients have the same one, so that ``limit`` is not for them.
        """
        if self._most is not None and self._all >= self._most:
            self._tell(None, "there are {most} connections, as many as there are file descriptors for", most=self._most)
            return False
        if address is not None and self._of[address] >= limit:
            text = "{address} has {limit} connections, and gets no more of them ([server] connections_per_address)"
            self._tell(address, text, address=address, limit=limit)
            return False
        self._all += 1
        if address is not None:
            self._of[address] += 1
        return True

    def leave(self, address: str | None) -> None:
        """Be told that a connection which was counted has ended."""
        self._all -= 1
        self._told.discard(None)
        if address is not None:
            self._told.discard(address)
            self._of[address] -= 1
            if not self._of[address]:
                del self._of[address]

    def _tell(self, whom: str | None, text: str, **fields: object) -> None:
        if whom not in self._told:
            self._told.add(whom)
            self._log.warn(text, **fields)
