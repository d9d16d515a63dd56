"""What counts as a download, and for which index."""

from __future__ import annotations

from datetime import date

from pypid.domain.names import IndexName, NormalizedName
from pypid.indexes.layered import LayeredIndex
from tests.indexes.stores import MIRROR
from tests.kit.dists import Dist, wheel
from tests.kit.faults import FlipByte
from tests.upstream.network import start
from tests.web.world import MAIN, OWN, TWO, Peer, WebTestCase

TODAY = date(1970, 1, 1)


def target_of(dist: Dist, index: str = "") -> str:
    prefix = f"/{index}" if index else ""
    return f"{prefix}/files/{dist.project}/{dist.sha256[:16]}/{dist.filename}"


class CountingCase(WebTestCase):
    def counted(self, dist: Dist, index: IndexName) -> int:
        """Return the downloads of today."""
        files = self.successResultOf(start(self.counts.of_project(index, NormalizedName(dist.project))))
        return files[dist.filename].days[TODAY] if dist.filename in files else 0


class DownloadTests(CountingCase):
    def setUp(self) -> None:
        super().setUp()
        self.demo = self.publish(wheel("demo", size=2**19))
        self.size = len(self.demo.content)
        self.target = target_of(self.demo)
        self.etag = f'"sha256:{self.demo.sha256}"'

    def ranged(self, wanted: str, **headers: str) -> int:
        """Ask for a part; return how many downloads that made."""
        before = self.counted(self.demo, MAIN)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        self.assertEqual(self.get(self.target, {"Range": wanted, **given}).status, 206)
        return self.counted(self.demo, MAIN) - before

    def test_each_whole_file_is_one(self) -> None:
        for expected in range(1, 4):
            self.assertEqual(self.get(self.target).body, self.demo.content)
            self.assertEqual(self.counted(self.demo, MAIN), expected)

    def test_who_does_not_get_the_file_downloads_nothing(self) -> None:
        self.assertEqual(self.ask("HEAD", self.target).status, 200)
        self.assertEqual(self.get(self.target, {"If-None-Match": self.etag}).status, 304)
        self.assertEqual(self.get(self.target, {"Range": f"bytes={self.size}-"}).status, 416)
        self.assertEqual(self.get(f"{self.target}.metadata").status, 200)
        self.assertEqual(self.get(f"{self.target}.x").status, 404)
        self.assertEqual(self.counted(self.demo, MAIN), 0)

    def test_the_end_that_completes_a_file_is_one_and_its_parts_are_none(self) -> None:
        """pip resumes with If-Range, curl without; uv and pip look at the end of a wheel, for its core metadata."""
        end = self.size - 1
        for wanted, expected in (
            ("bytes=0-99999", 0),
            ("bytes=100000-", 1),
            ("bytes=0-", 1),
            (f"bytes=0-{end}", 1),
            ("bytes=-1000", 0),
            (f"bytes={end - 1000}-{end}", 0),
            ("bytes=5-9", 0),
        ):
            self.assertEqual(self.ranged(wanted), expected, wanted)
        self.assertEqual(self.ranged(f"bytes={end - 1000}-{end}", If_Range=self.etag), 1)
        self.assertEqual(self.ranged("bytes=5-9", If_Range=self.etag), 0)

    def test_who_breaks_off_and_resumes_downloads_once(self) -> None:
        peer: Peer = self.connect()
        peer.read_slowly()
        peer.ask("GET", self.target)
        peer.leave()
        self.assertLess(len(peer.received), self.size)
        self.assertEqual(self.counted(self.demo, MAIN), 0)
        self.assertEqual(self.ranged("bytes=65536-", If_Range=self.etag), 1)


class IndexTests(CountingCase):
    """A file is counted where it is: that is the index whose retention asks."""

    def test_by_way_of_an_index_that_has_it_for_a_base(self) -> None:
        demo = self.publish(wheel("demo"), "/own/")
        above = LayeredIndex(TWO, [self.hosted_index(TWO), self.current.value.indexes[OWN]])
        object.__setattr__(self.current.value, "indexes", {**self.current.value.indexes, TWO: above})
        self.assertEqual(self.get(target_of(demo, "root/dev")).status, 200)
        self.assertEqual(self.get(target_of(demo, "own")).status, 200)
        self.assertEqual((self.counted(demo, OWN), self.counted(demo, TWO)), (2, 0))

    def test_a_mirrored_file_cold_and_kept(self) -> None:
        other = self.index.add(wheel("other", size=2**19))
        for expected in (1, 2, 3):
            self.assertEqual(self.get(target_of(other)).status, 200)
            self.assertEqual((self.counted(other, MIRROR), self.counted(other, MAIN)), (expected, 0))

    def test_parts_of_a_cold_file(self) -> None:
        other = self.index.add(wheel("other", size=2**19))
        self.assertEqual(self.get(target_of(other), {"Range": "bytes=-1000"}).status, 206)
        self.assertEqual(self.counted(other, MIRROR), 0)

    def test_a_file_whose_digest_is_wrong_is_no_download(self) -> None:
        other = self.index.add(wheel("other", size=2**19))
        self.index.script(self.index.file_path(other), FlipByte(-1), times=2)
        peer = self.connect()
        peer.ask("GET", target_of(other))
        self.flush()
        self.assertEqual(self.counted(other, MIRROR), 0)
