"""A disk that is full while a file is fetched (C06): files that nobody used for long make way for it."""

import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from twisted.internet.defer import Deferred

from pypid.domain.errors import StorageFull
from pypid.domain.eviction import Limits
from pypid.indexes.downloads import Downloads
from pypid.indexes.room import Room
from pypid.offload import inline
from pypid.storage.blobs import DirectoryBlobs
from pypid.storage.references import References
from pypid.storage.uses import Uses
from tests.indexes.test_downloads import BIG, DownloadTestCase

P = ParamSpec("P")
T = TypeVar("T")

DAY = 86400


class FullDiskTests(DownloadTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.now = time.time()
        self.blobs = DirectoryBlobs(self.data / "blobs", self.disk, Uses(lambda: self.now))
        references = References(self.database("hosted"), self.database("cache", self.drop))
        limits = Limits(cache_size=None, keep_free=0)
        room = Room(self.blobs, references, self.sidecars, limits=limits, offload=inline, now=lambda: self.now)
        self.downloads = Downloads(self.staging, self.blobs, self.clock, room)
        self.main = self.mirror()

    def drop(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Deferred[T]:
        """Do what drops a file to make room: the disk has space again."""
        self.disk.full.clear()
        return inline(function, *args, **kwargs)

    def new(self, size: int) -> None:
        """Let the disk be full a day later, and another file be wanted."""
        self.now += DAY
        self.disk.full = {"_write"}
        self.replace(size)
        self.clock.advance(3600)

    def test_c06_file_that_nobody_used_for_long_makes_way(self) -> None:
        self.successResultOf(self.download())
        self.new(BIG - 1000)
        self.assertEqual(self.successResultOf(self.download()), self.content)
        self.assertEqual((self.kept_blobs(), self.fetched()), ({self.demo.sha256}, 1))

    def test_c06_nothing_can_make_way(self) -> None:
        """The answer says so, and nothing is left behind."""
        self.new(BIG)
        self.failureResultOf(self.download(), StorageFull)
        self.assertEqual((self.kept_blobs(), self.connections), (set(), 0))
