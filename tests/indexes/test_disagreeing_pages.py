"""Two indexes whose pages do not say the same of one file (F17): neither spoils what the other's clients get."""

import json
from itertools import product

from twisted.internet.defer import Deferred

from pypid.domain.errors import UpstreamBroken, UpstreamUnavailable
from pypid.domain.names import IndexName
from pypid.indexes.index import FileBody
from pypid.indexes.mirror import MirrorIndex
from tests.indexes.stores import DEMO
from tests.indexes.test_broken_downloads import BrokenTestCase
from tests.indexes.test_downloads import BIG
from tests.kit.upstream import Barrier, Chunked, Fault, FlipByte, HeldBody, Hold, Rst, Status
from tests.upstream.network import ROOT, start

ELSEWHERE = "/elsewhere/demo.whl"


class DisagreeingTestCase(BrokenTestCase):
    def index_that_says(self, *, size: int | None = None, path: str | None = None) -> MirrorIndex:
        """Return another index, whose page says something else of the file; it is there at either path."""
        said = {
            "filename": self.demo.filename,
            "url": ROOT + (path or self.path),
            "hashes": {"sha256": self.demo.sha256},
            "size": size or len(self.content),
        }
        page = json.dumps({"meta": {"api-version": "1.0"}, "name": "demo", "files": [said]}).encode()
        headers = {"Content-Type": "application/vnd.pypi.simple.v1+json"}
        self.index.script("/other/demo/", Status(200, headers, page), times=None)
        return self.mirror(mirroring=self.mirroring(IndexName("other"), upstream=f"{ROOT}/other/"))

    def open_in(self, index: MirrorIndex) -> FileBody:
        return self.successResultOf(start(index.open_file(DEMO, self.demo.filename, self.demo.sha256[:16])))

    def download_from(self, *indexes: MirrorIndex) -> list[Deferred[bytes]]:
        """Begin downloads before upstream has answered the first of them."""
        bodies = [self.open_in(index) for index in indexes]
        return [self.read_all(body) for body in bodies]


class SizeTests(DisagreeingTestCase):
    def test_f17_wrong_size_fails_only_those_who_were_told_it(self) -> None:
        """Whoever comes first, whether upstream says the size or not, and whether the file is withheld or not."""
        for size, off, framing, first in product((300_000, BIG), (-1, 1, -200_000), (Fault(), Chunked()), (0, 1)):
            with self.subTest(size=size, off=off, framing=framing, first=first):
                self.forget()
                self.replace(size)
                self.clock.advance(3600)
                barrier = Barrier()
                self.index.script(self.path, framing | Hold(barrier))
                wrong = self.index_that_says(size=len(self.content) + off)
                readers = self.download_from(*((wrong, self.main) if first else (self.main, wrong)))
                self.flush()
                barrier.release()
                self.flush()
                self.assertEqual(self.successResultOf(readers[first]), self.content)
                self.failureResultOf(readers[1 - first], UpstreamBroken)
                self.assertEqual((self.fetched(), self.kept_blobs()), (1, {self.demo.sha256}))
                self.index.heal()

    def test_f17_wrong_size_is_noticed_in_the_middle(self) -> None:
        """Bytes have passed on by then: what the page says is believed until another one differs."""
        held = HeldBody()
        self.index.script(self.path, Chunked() | held)
        wrong = self.open_in(self.index_that_says(size=BIG // 2))
        told = self.read_all(wrong)
        self.flush()
        held.send(self.content[: BIG // 4])
        self.flush()
        right = self.download()
        held.send(self.content[BIG // 4 :])
        held.finish()
        self.flush()
        self.failureResultOf(told, UpstreamBroken)
        self.assertEqual(self.successResultOf(right), self.content)
        self.assertEqual(self.fetched(), 1)

    def test_f17_wrong_size_of_a_file_that_came_for_another_index_meanwhile(self) -> None:
        late = self.open_in(self.index_that_says(size=10))
        self.successResultOf(self.download())
        self.failureResultOf(self.read_all(late), UpstreamBroken)


class PlaceTests(DisagreeingTestCase):
    def elsewhere(self, fault: Fault) -> MirrorIndex:
        """Return an index whose page says that the file is where ``fault`` answers."""
        self.index.script(ELSEWHERE, fault, times=None)
        return self.index_that_says(path=ELSEWHERE)

    def test_f17_other_place_is_tried_where_the_first_fails(self) -> None:
        for fault in (Status(404), Status(503), Status(200, {}, self.content[1:]), Rst(at=0)):
            self.forget()
            barrier = Barrier()
            broken = self.elsewhere(fault | Hold(barrier))
            readers = self.download_from(broken, self.main, broken)
            self.flush()
            barrier.release()
            self.flush()
            self.assertEqual([self.successResultOf(reader) for reader in readers], [self.content] * 3)
            self.assertEqual(self.fetched(), 1)
            self.index.heal()

    def test_f17_other_place_is_no_help_to_who_has_bytes_of_the_first(self) -> None:
        held = HeldBody()
        broken = self.elsewhere(Status(200, {}, self.content) | held)
        early = self.read_all(self.open_in(broken))
        self.flush()
        held.send(self.content[:1000])
        self.flush()
        readers = [early, self.download()]
        held.abort()
        self.flush()
        self.fail_all(readers, UpstreamUnavailable)
        self.assertEqual(self.fetched(), 0)
        self.check_next()

    def test_f17_second_place_that_cannot_be_asked_is_asked_once(self) -> None:
        """What the first has sent of the file is not continued there."""
        self.replace(300_000)
        barrier = Barrier()
        broken = self.elsewhere(Status(200, {"ETag": '"1"'}, self.content) | Rst(at=1000) | Hold(barrier))
        self.index.script(self.path, Status(503))
        readers = self.download_from(broken, self.main)
        self.flush()
        barrier.release()
        self.flush()
        self.fail_all(readers, UpstreamUnavailable)
        self.assertEqual((self.index.count("GET", ELSEWHERE), self.fetched()), (2, 1))

    def test_f17_wrong_bytes_in_one_place_are_held_against_no_other(self) -> None:
        broken = self.elsewhere(Status(200, {}, self.content) | FlipByte(0))
        for _ in range(3):
            self.failureResultOf(self.download_from(broken)[0], UpstreamBroken)
        self.assertEqual(self.index.count("GET", ELSEWHERE), 2)
        self.check_next()
