"""A file that arrives on a full disk: something else may make way for it."""

from __future__ import annotations

import errno
import os
from unittest.mock import patch

from twisted.internet.defer import Deferred

from pypid.storage.spool import Spool
from tests.storage.arriving import BIG, SpoolCase


class RoomTests(SpoolCase):
    def write_to_full_disk(self, *, made: bool, size: int | None = BIG) -> tuple[Deferred[None], list[int]]:
        """Return the write, and how many bytes room was to be made for; ``made``: it was."""
        whole, full, asked = os.pwrite, [True], list[int]()

        def write(number: int, data: bytes, offset: int) -> int:
            if full:
                raise OSError(errno.ENOSPC, "full")
            return whole(number, data, offset)

        async def make_room(why: OSError, bytes_wanted: int) -> bool:
            self.assertEqual(why.errno, errno.ENOSPC)
            asked.append(bytes_wanted)
            full[:] = [] if made else full
            return made

        self.spool = Spool(make_room)
        self.spool.enter()
        self.begin(size)
        with patch("os.pwrite", write):
            return Deferred.fromCoroutine(self.spool.write(b"wheel")), asked

    def test_made(self) -> None:
        """Room is made for all that has to come, once."""
        writing, asked = self.write_to_full_disk(made=True)
        self.successResultOf(writing)
        self.write(b"s")
        self.assertEqual(self.successResultOf(self.reading(0)), b"wheels")
        self.assertEqual(asked, [BIG])

    def test_size_unknown(self) -> None:
        writing, asked = self.write_to_full_disk(made=True, size=None)
        self.successResultOf(writing)
        self.assertEqual(asked, [5])

    def test_not_made(self) -> None:
        writing, asked = self.write_to_full_disk(made=False)
        self.failureResultOf(writing, OSError)
        self.assertEqual((asked, self.released()), ([BIG], 0))
