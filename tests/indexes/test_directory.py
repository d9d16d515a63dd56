"""A directory as an index: what is put there is offered when it is whole, and nothing is guessed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from packaging.version import Version
from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs

from pypid.domain.errors import FileNotFound, ProjectNotFound, UpstreamUnavailable
from pypid.domain.files import DistributionFile, ProjectPage
from pypid.domain.names import IndexName, NormalizedName
from pypid.domain.search import Query
from pypid.indexes.directory import DirectoryIndex
from pypid.indexes.index import FileBody, Index
from pypid.indexes.layered import LayeredIndex
from pypid.indexes.looks import PATIENCE, Looks
from pypid.storage.loose_memory import LooseMemory
from tests.indexes.stores import DEMO, Disk, StoresTestCase
from tests.indexes.test_publishing import publish
from tests.kit.dists import Dist, sdist, wheel
from tests.upstream.network import start

LOCAL = IndexName("local")
OTHER = NormalizedName("other")


class DirectoryTestCase(StoresTestCase):
    def setUp(self) -> None:
        super().setUp()
        temporary = TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.root = Path(temporary.name) / "packages"
        self.root.mkdir()
        self.memory = LooseMemory(self.database("cache", self.cache_writer))
        self.looker = Disk()
        self.files = self.started(self.root)

    def started(self, *roots: Path) -> DirectoryIndex:
        """Return the index as it is after a start."""
        looks = Looks(LOCAL, roots, memory=self.memory, offload=self.looker, now=self.clock.seconds, clock=self.clock)
        return DirectoryIndex(looks, self.disk)

    def put(self, dist: Dist, below: str = "", *, root: Path | None = None) -> Path:
        path = (root or self.root) / below / dist.filename
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(dist.content)
        return path

    def look(self, times: int = 1) -> None:
        for _ in range(times):
            self.clock.advance(10)
            self.successResultOf(self.files.looks.look())

    def page(self, project: NormalizedName = DEMO, index: Index | None = None) -> Deferred[ProjectPage]:
        return start((index or self.files).project_page(project))

    def listed(self, project: NormalizedName = DEMO) -> list[DistributionFile]:
        return list(self.successResultOf(self.page(project)).files)

    def names(self, project: NormalizedName = DEMO) -> list[str]:
        return [file.filename for file in self.listed(project)]

    def opened(self, dist: Dist) -> Deferred[FileBody]:
        return start(self.files.open_file(dist.project, dist.filename, dist.sha256[:16]))


class DirectoryTests(DirectoryTestCase):
    def test_file_is_offered_when_two_looks_find_it_the_same(self) -> None:
        demo = wheel("demo", requires_python=">=3.9")
        self.put(demo, "team/a")
        self.look()
        self.assertEqual(self.names(), [], "its name is ours already")
        self.look()
        (file,) = self.listed()
        self.assertEqual((file.sha256, file.requires_python), (demo.sha256, ">=3.9"))
        self.assertEqual((file.core_metadata, file.size, file.yanked), (demo.metadata_sha256, len(demo.content), None))
        body = self.successResultOf(self.opened(demo))
        self.assertEqual(self.successResultOf(self.read_all(body)), demo.content)
        beside = start(self.files.open_core_metadata(DEMO, demo.filename, demo.sha256[:16]))
        self.assertEqual(self.successResultOf(self.read_all(self.successResultOf(beside))), demo.metadata)

    def test_file_that_grows_is_not_offered_until_it_is_whole(self) -> None:
        demo = wheel("demo", size=100_000)
        for part in range(0, len(demo.content), 20_000):
            (self.root / demo.filename).write_bytes(demo.content[: part + 20_000])
            self.look()
            self.assertEqual(self.names(), [])
        self.look(2)
        self.assertEqual(self.names(), [demo.filename])

    def test_copy_that_has_stopped_is_not_offered_and_keeps_its_name_to_itself(self) -> None:
        """B64: a base that has the project is not asked."""
        demo = wheel("demo")
        (self.root / demo.filename).write_bytes(demo.content[:-10])
        self.index.add(wheel("demo", "9.0"))
        self.look(3)
        layered = LayeredIndex(IndexName("main"), [self.hosted_index(), self.files, self.mirror()])
        self.assertEqual(self.successResultOf(self.page(index=layered)).files, ())
        self.assertEqual(self.index.requests, [])
        self.put(demo)
        self.look(2)
        self.assertEqual(self.names(), [demo.filename])

    def test_link_is_not_followed_and_its_name_is_ours_all_the_same(self) -> None:
        """Who had its files linked together by pypiserver is told, and gets nobody else's in their place."""
        demo, elsewhere = wheel("demo"), self.root.parent / "elsewhere.whl"
        elsewhere.write_bytes(demo.content)
        self.addCleanup(elsewhere.unlink)
        (self.root / demo.filename).symlink_to(elsewhere)
        with capturedLogs() as logged:
            self.look(3)
        self.assertEqual(self.names(), [])
        self.assertEqual(sum("is not offered" in str(event.get("text")) for event in logged), 1)

    def test_file_of_before_is_offered_at_the_first_look(self) -> None:
        demo = self.put(wheel("demo"))
        self.clock.advance(demo.stat().st_ctime + 100 - self.clock.seconds())
        self.look()
        self.assertEqual(self.names(), [demo.name])

    def test_other_bytes_get_another_url_and_the_old_one_has_none(self) -> None:
        old, new = wheel("demo", summary="Old"), wheel("demo", summary="New")
        self.put(old)
        self.look(2)
        before = self.successResultOf(self.page()).revision
        self.put(new)
        self.failureResultOf(self.opened(old), UpstreamUnavailable)
        self.look()
        self.assertEqual(self.names(), [])
        self.look()
        self.assertEqual([file.sha256 for file in self.listed()], [new.sha256])
        self.assertNotEqual(self.successResultOf(self.page()).revision, before)
        self.failureResultOf(self.opened(old), FileNotFound)

    def test_file_that_is_removed_is_gone_and_its_project_with_the_last(self) -> None:
        first, second = self.put(wheel("demo", "1.0")), self.put(wheel("demo", "2.0"))
        self.put(wheel("other"))
        self.look(2)
        first.unlink()
        self.look()
        self.assertEqual(self.names(), [second.name])
        second.unlink()
        self.look()
        self.failureResultOf(self.page(), ProjectNotFound)
        self.assertEqual(list(self.successResultOf(start(self.files.project_list()))), ["other"])

    def test_first_directory_wins(self) -> None:
        ours, theirs = wheel("demo", summary="Ours"), wheel("demo", summary="Theirs")
        second = self.root.parent / "second"
        self.files = self.started(self.root, second)
        self.put(theirs, root=second)
        self.put(wheel("demo", "2.0"), root=second)
        self.put(ours, "z/z")
        self.look(2)
        self.assertEqual([file.sha256 for file in self.listed()], [ours.sha256, wheel("demo", "2.0").sha256])

    def test_spellings_are_one_project(self) -> None:
        for number, name in enumerate(("Demo.Pkg", "demo_pkg", "DEMO-PKG")):
            self.put(sdist(name, f"{number}.0"), name)
        self.look(2)
        self.assertEqual(len(self.listed(NormalizedName("demo-pkg"))), 3)

    def test_part_of_a_file_is_that_of_the_right_bytes(self) -> None:
        demo = wheel("demo", size=100_000)
        path = self.put(demo)
        self.look(2)
        self.files = self.started(self.root)  # which has not read the file
        self.look()
        body = self.successResultOf(self.opened(demo))
        self.assertFalse(body.verified)
        got = self.successResultOf(start(body.read(50_000, 100)))
        self.assertEqual((got, body.verified), (demo.content[50_000:50_100], True))
        with path.open("r+b") as file:
            file.write(b"other")
        self.failureResultOf(start(body.read(60_000, 100)), UpstreamUnavailable)
        body.close()

    def test_reader_of_a_part_who_leaves_spoils_it_for_nobody(self) -> None:
        demo = wheel("demo", size=100_000)
        self.put(demo)
        self.look(2)
        self.files = self.started(self.root)
        self.look()
        first, second = (self.successResultOf(self.opened(demo)) for _ in range(2))
        self.disk.held = "compare_file"
        leaving, staying = start(first.read(500, 10)), start(second.read(500, 10))
        leaving.cancel()
        self.failureResultOf(leaving)
        first.close()
        self.disk.release()
        self.assertEqual(self.successResultOf(staying), demo.content[500:510])
        second.close()

    def test_legacy_json_and_search_know_what_wheels_say(self) -> None:
        self.put(wheel("demo", "1.0", summary="First"))
        described = wheel("demo", "2.0", summary="Second")
        self.put(described)
        self.look(2)
        facts = self.successResultOf(start(self.files.release_facts(DEMO, Version("2.0"), latest=True)))
        self.assertEqual(facts.metadata, described.metadata)
        self.assertEqual(
            self.successResultOf(start(self.files.release_facts(DEMO, Version("3"), latest=False))).metadata, b""
        )
        (hit,) = self.successResultOf(start(self.files.search(Query(summaries=["second"]))))
        self.assertEqual((hit.project, hit.version), ("demo", "2.0"))
        self.assertEqual([page.name for page in self.successResultOf(start(self.files.hosted_pages()))], ["demo"])
        self.assertEqual(self.successResultOf(start(self.files.hosted_changes())), [])
        provenance = start(self.files.provenance(DEMO, described.filename, described.sha256[:16]))
        self.failureResultOf(provenance, FileNotFound)
        nothing = start(self.files.open_core_metadata(DEMO, described.filename, "0" * 16))
        self.failureResultOf(nothing, FileNotFound)

    def test_uploads_of_an_index_above_come_first(self) -> None:
        ours = wheel("demo", "1.0")
        self.successResultOf(publish(self.publisher(), ours))
        self.put(wheel("demo", "2.0"))
        self.put(wheel("other"))
        self.look(2)
        layered = LayeredIndex(IndexName("main"), [self.hosted_index(), self.files])
        self.assertEqual(
            [file.filename for file in self.successResultOf(self.page(index=layered)).files], [ours.filename]
        )
        self.assertEqual(len(self.successResultOf(self.page(OTHER, layered)).files), 1)


class UncertainDirectoryTests(DirectoryTestCase):
    def test_directory_that_cannot_be_read_is_never_not_found(self) -> None:
        """E40: not for projects that it had, nor for others; the next base is not asked."""
        self.put(wheel("demo"))
        self.look(2)
        self.index.add(wheel("other"))
        layered = LayeredIndex(IndexName("main"), [self.hosted_index(), self.files, self.mirror()])
        away = self.root.rename(self.root.parent / "away")
        self.look()
        for project in (DEMO, OTHER):
            self.failureResultOf(self.page(project), UpstreamUnavailable)
            self.failureResultOf(self.page(project, layered), UpstreamUnavailable)
        self.assertEqual(self.index.requests, [])
        self.assertEqual(list(self.successResultOf(start(self.files.project_list()))), ["demo"])
        away.rename(self.root)
        self.look()
        self.assertEqual(len(self.names()), 1)
        self.failureResultOf(self.page(OTHER), ProjectNotFound)

    def test_directory_that_was_full_and_has_nothing_at_all_is_not_mounted(self) -> None:
        """Also over a restart; a file of any name says that it is meant."""
        self.put(wheel("demo"))
        self.look(2)
        shutil.rmtree(self.root)
        self.root.mkdir()
        for _ in range(2):
            self.look()
            self.failureResultOf(self.page(), UpstreamUnavailable)
            self.files = self.started(self.root)
        (self.root / ".meant").touch()
        self.look()
        self.failureResultOf(self.page(), ProjectNotFound)

    def test_new_directory_may_be_empty(self) -> None:
        self.look()
        self.failureResultOf(self.page(), ProjectNotFound)
        self.assertEqual(list(self.successResultOf(start(self.files.project_list()))), [])

    def test_who_asks_before_the_first_look_waits_for_it(self) -> None:
        asking, leaving = self.page(), self.page()
        self.assertNoResult(asking)
        leaving.cancel()
        self.failureResultOf(leaving)
        self.successResultOf(self.files.looks.look())
        self.failureResultOf(asking, ProjectNotFound)

    def test_who_waits_for_long_is_told_to_come_again(self) -> None:
        asking, listing = self.page(), start(self.files.project_list())
        self.clock.advance(PATIENCE)
        self.failureResultOf(asking, UpstreamUnavailable)
        self.assertEqual(self.successResultOf(listing).parts, (b"",))

    def test_first_look_tells_what_it_knows_before_it_has_read_the_rest(self) -> None:
        """A first start may read for minutes: projects that are not there, or were read before, need not wait."""
        self.put(wheel("demo"))
        self.look(2)
        path = self.put(wheel("other"))
        self.files = self.started(self.root)
        self.clock.advance(path.stat().st_ctime + 100 - self.clock.seconds())
        self.looker.held = "read_file"
        looking = self.files.looks.look()
        self.assertEqual(len(self.names()), 1)
        self.failureResultOf(self.page(OTHER), UpstreamUnavailable)
        self.failureResultOf(self.page(NormalizedName("third")), ProjectNotFound)
        self.looker.release()
        self.successResultOf(looking)
        self.assertEqual(len(self.names(OTHER)), 1)

    def test_file_that_cannot_be_read_is_left_out_and_its_project_is_ours(self) -> None:
        self.put(wheel("demo"))
        self.looker.full = {"read_file"}
        self.look(3)
        self.assertEqual(self.names(), [])
        self.looker.full = set()
        self.look()
        self.assertEqual(len(self.names()), 1)


class RestartTests(DirectoryTestCase):
    def test_no_file_is_read_again_that_has_not_changed(self) -> None:
        for number in range(20):
            self.put(wheel(f"demo-{number}"))
        broken = self.root / "broken-1.0.zip"
        broken.write_bytes(b"no archive")
        self.look(2)
        self.files = self.started(self.root)
        self.looker.held = "read_file"
        self.look()
        self.assertEqual(self.looker.waiting, 0)
        self.assertEqual(len(list(self.successResultOf(start(self.files.project_list())))), 21)
        self.put(wheel("demo-7", summary="Changed"))
        self.look()
        self.clock.advance(10)
        looking = self.files.looks.look()
        self.assertEqual(self.looker.waiting, 1, "that which has changed")
        self.looker.release()
        self.successResultOf(looking)

    def test_memory_that_cannot_be_written_costs_only_reading_again(self) -> None:
        self.put(wheel("demo"))
        self.cache_writer.full = {"run", "_write"}
        self.look(2)
        self.assertEqual(len(self.names()), 1)
        self.cache_writer.full = set()
        self.files = self.started(self.root)
        self.look(2)
        self.assertEqual(len(self.names()), 1)

    def test_stop_waits_for_the_file_that_is_being_read_and_begins_no_other(self) -> None:
        for name in ("demo", "other", "third"):
            self.put(wheel(name))
        self.look()
        self.clock.advance(10)
        self.looker.held = "read_file"
        looking = self.files.looks.look()
        stopping = self.files.looks.stop()
        self.assertNoResult(stopping)
        self.looker.step()
        self.successResultOf(stopping)
        self.successResultOf(looking)
        self.assertEqual(self.looker.waiting, 0)
        self.successResultOf(self.files.looks.look())

    def test_damaged_file_is_not_offered_any_more_until_somebody_writes_it(self) -> None:
        """A disk that has changed bytes by itself: no time has moved."""
        demo = wheel("demo")
        path = self.put(demo)
        self.look(2)
        status = path.stat()
        catalogue = self.successResultOf(start(self.files.looks.catalogue()))
        damaged = catalogue.find(DEMO, demo.filename, demo.sha256[:16])
        assert damaged is not None
        self.files.looks.distrust(damaged)
        self.look()
        self.assertEqual(self.names(), [])
        self.files = self.started(self.root)
        self.look()
        self.assertEqual(self.names(), [], "after a restart, too")
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
        self.look(2)
        self.assertEqual(self.names(), [demo.filename])
