"""A spool, and the test's hand on both ends of it."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

from pypid.domain.errors import UpstreamUnavailable
from pypid.offload import Offload, inline
from pypid.storage.spool import HOLD_BACK, WHOLE, Spool
from pypid.storage.staging import StagedFile, Staging
from tests.storage.case import StorageCase, open_descriptors

BIG = WHOLE + HOLD_BACK
"""Bytes of a file whose beginning is released before its end has come."""

OUTAGE = Failure(UpstreamUnavailable("upstream stopped half-way"))


class SpoolCase(StorageCase):
    def setUp(self) -> None:
        super().setUp()
        self.before = open_descriptors()
        self.spool = Spool()
        self.addCleanup(self.close)

    def close(self) -> None:
        if self.spool._staged is not None:
            self.spool._staged.close()

    def begin(self, size: int | None, offload: Offload = inline) -> StagedFile:
        staging = Staging(self.directory / "staging", inline)
        staging.prepare()
        staged = self.result(staging.create())
        staged._offload = offload
        self.spool.begin(staged)
        self.spool.announce(size)
        return staged

    def write(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.successResultOf(self.spool.write(piece))

    def reading(self, offset: int) -> Deferred[bytes]:
        return Deferred.fromCoroutine(self.spool.read(offset))

    def read_all(self) -> bytes:
        """Return what a reader has that takes everything up to the end."""
        content = b""
        while piece := self.successResultOf(self.reading(len(content))):
            content += piece
        return content

    def released(self) -> int:
        """Return how many bytes a reader can have now."""
        offset = 0
        while True:
            reading = self.reading(offset)
            if not reading.called:
                reading.cancel()
                self.failureResultOf(reading, CancelledError)
                return offset
            offset += len(self.successResultOf(reading))

    def assert_closed_now(self) -> None:
        self.assertEqual(open_descriptors(), self.before)
        self.assertEqual(self.files(), [])
