"""Files whose upstream does not say their sha256: served, never believed more than what came first (A41, A18)."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from pypid.domain.errors import DigestMismatch, FileNotFound
from pypid.domain.files import DistributionFile, ProjectPage
from pypid.domain.names import IndexName
from pypid.indexes.index import FileBody
from tests.indexes.stores import DEMO, MIRROR, StoresTestCase
from tests.kit.dists import wheel
from tests.kit.pages import PageStyle
from tests.kit.upstream import FlipByte, NoLength
from tests.upstream.network import start

OTHER = IndexName("other")
BIG = 3 * 2**20


class UnverifiedTestCase(StoresTestCase):
    style = PageStyle(json=False, hashes=False)

    def setUp(self) -> None:
        super().setUp()
        self.demo = self.index.add(wheel("demo", size=BIG))
        self.main = self.mirror()

    def file(self) -> DistributionFile:
        page: ProjectPage = self.successResultOf(start(self.main.project_page(DEMO)))
        (file,) = page.files
        return file

    def open(self, name: IndexName = MIRROR, prefix: str | None = None) -> FileBody:
        index = self.main if name == MIRROR else self.mirror(name)
        opening = index.open_file(DEMO, self.demo.filename, prefix or self.file().digest_prefix)
        return self.successResultOf(start(opening))

    def download(self, name: IndexName = MIRROR, prefix: str | None = None) -> Deferred[bytes]:
        return self.read_all(self.open(name, prefix))

    def fetched(self) -> int:
        return self.index.count("GET", self.index.file_path(self.demo))


class LearningTests(UnverifiedTestCase):
    def test_a41_it_is_served_and_kept_and_its_sha256_is_told_from_then_on(self) -> None:
        before = self.file()
        self.assertEqual((before.sha256, before.verified), (None, False))
        self.assertEqual(self.successResultOf(self.download()), self.demo.content)
        self.assertEqual(self.kept_blobs(), {self.demo.sha256})
        after = self.file()
        self.assertEqual((after.sha256, after.verified), (self.demo.sha256, False))
        self.assertEqual(after.digest_prefix, before.digest_prefix, "its URL stays")
        self.assertEqual(self.successResultOf(self.download()), self.demo.content)
        self.assertEqual(self.fetched(), 1)

    def test_what_was_learned_outlives_a_restart_and_the_listing(self) -> None:
        prefix = self.file().digest_prefix
        self.successResultOf(self.download())
        self.main = self.mirror()
        self.assertEqual(self.file().sha256, self.demo.sha256)
        self.index.remove_project("demo")
        self.main = self.mirror()
        self.assertEqual(self.successResultOf(self.download(prefix=prefix)), self.demo.content)

    def test_its_sha256_is_known_only_when_all_has_come(self) -> None:
        body = self.open()
        self.successResultOf(start(body.read(0)))
        self.addCleanup(body.close)
        self.assertEqual((body.sha256, body.verified), (self.demo.sha256, True))
        held = self.index.hold_body("/packages/*")
        self.demo = self.index.add(wheel("demo", "2.0", size=BIG))
        page = self.successResultOf(start(self.mirror(OTHER).project_page(DEMO)))
        two = self.successResultOf(
            start(self.mirror(OTHER).open_file(DEMO, self.demo.filename, page.files[1].digest_prefix))
        )
        reading = start(two.read(0))
        held.send(self.demo.content[:1000])
        self.flush()
        self.assertEqual(self.successResultOf(reading), self.demo.content[:1000])
        self.assertEqual((two.sha256, two.verified), (None, False))
        held.send(self.demo.content[1000:])
        held.finish()
        self.flush()
        self.assertEqual(self.successResultOf(self.read_all(two)), self.demo.content)

    def test_many_readers_are_one_transfer(self) -> None:
        held = self.index.hold_body("/packages/*")
        reads = [self.download() for _ in range(5)]
        held.send(self.demo.content)
        held.finish()
        self.flush()
        self.assertEqual([self.successResultOf(read) for read in reads], [self.demo.content] * 5)
        self.assertEqual(self.fetched(), 1)

    def test_a_length_is_enough_to_know_that_all_has_come(self) -> None:
        """A18: and where nobody says one, nothing is kept and no client gets the end."""
        self.index.script("/packages/*", NoLength(), times=None)
        self.failureResultOf(self.download(), DigestMismatch)
        self.assertEqual(self.kept_blobs(), set())
        self.assertIsNone(self.file().sha256)


class NeverSharedTests(UnverifiedTestCase):
    def test_a41_other_index_fetches_its_own(self) -> None:
        self.successResultOf(self.download())
        self.successResultOf(self.download(OTHER))
        self.assertEqual(self.fetched(), 2)

    def test_a41_other_index_joins_no_transfer_under_way(self) -> None:
        first = self.index.hold_body("/packages/*")
        second = self.index.hold_body("/packages/*")
        reads = [self.download(), self.download(OTHER)]
        for held in (first, second):
            held.send(self.demo.content)
            held.finish()
        self.flush()
        self.assertEqual([self.successResultOf(read) for read in reads], [self.demo.content] * 2)
        self.assertEqual(self.fetched(), 2)

    def test_other_upstream_of_the_same_index_has_files_of_its_own(self) -> None:
        """After the configuration has changed: what was learned of the old one's file says nothing of this one."""
        self.successResultOf(self.download())
        self.main = self.mirror(mirroring=self.mirroring(upstream="http://other.test/simple/"))
        self.assertIsNone(self.file().sha256)
        self.assertEqual(self.successResultOf(self.download()), self.demo.content)
        self.assertEqual(self.fetched(), 2)


class OtherBytesTests(UnverifiedTestCase):
    def forget_bytes(self) -> None:
        """Lose the blob, as an eviction does."""
        for path in (self.data / "blobs").glob("*/*"):
            path.unlink()

    def test_first_bytes_go_on_being_served(self) -> None:
        self.successResultOf(self.download())
        self.index.script("/packages/*", FlipByte(100), times=None)
        self.assertEqual(self.successResultOf(self.download()), self.demo.content)

    def test_what_was_told_first_stays_whoever_gets_other_bytes(self) -> None:
        """Who asked before anything was known may get them: nobody was told otherwise then."""
        early = self.open()
        self.successResultOf(self.download())
        self.index.script("/packages/*", FlipByte(100))
        self.assertNotEqual(self.successResultOf(self.read_all(early)), self.demo.content)
        self.assertEqual(self.file().sha256, self.demo.sha256)
        self.assertEqual(self.successResultOf(self.download()), self.demo.content)

    def test_other_bytes_are_refused_when_the_first_are_gone(self) -> None:
        """The page has told everybody what they are: no client may complete with others."""
        prefix = self.file().digest_prefix
        self.successResultOf(self.download())
        self.forget_bytes()
        self.main = self.mirror()
        self.index.script("/packages/*", FlipByte(100), times=None)
        why = self.failureResultOf(self.download(prefix=prefix), DigestMismatch).value
        self.assertIn(self.demo.sha256, str(why))
        self.index.heal()
        self.clock.advance(60)
        self.assertEqual(self.successResultOf(self.download(prefix=prefix)), self.demo.content)


class OtherDigestTests(UnverifiedTestCase):
    style = PageStyle(algorithm="md5", sizes=False)

    def test_a41_md5_is_checked(self) -> None:
        self.index.script("/packages/*", FlipByte(100), times=None)
        why = self.failureResultOf(self.download(), DigestMismatch).value
        self.assertIn("md5", str(why))
        self.assertEqual(self.kept_blobs(), set())

    def test_a41_right_md5_is_served_without_a_length_and_not_believed(self) -> None:
        self.index.script("/packages/*", NoLength())
        self.assertEqual(self.successResultOf(self.download()), self.demo.content)
        self.assertEqual((self.file().sha256, self.file().verified), (self.demo.sha256, False))

    def test_other_md5_is_another_file(self) -> None:
        prefix = self.file().digest_prefix
        self.successResultOf(self.download())
        old = self.demo.content
        self.demo = self.index.add(wheel("demo", size=BIG + 1))
        self.clock.advance(10_000)
        self.assertNotEqual(self.file().digest_prefix, prefix)
        self.assertEqual(self.successResultOf(self.download()), self.demo.content)
        self.assertEqual(self.successResultOf(self.download(prefix=prefix)), old, "what lock files name")
        self.failureResultOf(start(self.main.open_file(DEMO, self.demo.filename, "0" * 16)), FileNotFound)


class MetadataTests(UnverifiedTestCase):
    def test_metadata_is_read_in_the_wheel(self) -> None:
        file = self.file()
        self.assertEqual(file.core_metadata, self.demo.metadata_sha256, "upstream's claim")
        opening = start(self.main.open_core_metadata(DEMO, file.filename, file.digest_prefix))
        self.assertEqual(self.successResultOf(self.read_all(self.successResultOf(opening))), self.demo.metadata)

    def test_metadata_that_upstream_has_not_is_read_in_the_wheel(self) -> None:
        self.demo = self.index.add(wheel("demo", size=BIG), core_metadata=False)
        file = self.file()
        self.assertEqual(file.core_metadata, "")
        opening = start(self.main.open_core_metadata(DEMO, file.filename, file.digest_prefix))
        self.assertEqual(self.successResultOf(self.read_all(self.successResultOf(opening))), self.demo.metadata)
        self.assertEqual(self.file().core_metadata, self.demo.metadata_sha256)
        self.assertEqual(self.fetched_whole(), 0)
        self.successResultOf(self.download())
        self.assertEqual(self.file().core_metadata, self.demo.metadata_sha256)

    def fetched_whole(self) -> int:
        seen = [seen for seen in self.index.requests if seen.path == self.index.file_path(self.demo)]
        return sum(each.method == "GET" and "range" not in each.headers for each in seen)
