"""Uploads that meet each other, a full disk, or a caller who leaves."""

import hashlib
from dataclasses import replace

from twisted.internet.defer import CancelledError

from pypid.domain.errors import FileExists, StorageFull, UploadRefused
from pypid.failpoints import Failpoint, arm
from pypid.indexes.hosted import HostedIndex
from pypid.offload import inline
from pypid.storage.blobs import DirectoryBlobs
from tests.indexes.stores import DEMO
from tests.indexes.test_publishing import MAIN, PublishTestCase
from tests.kit.dists import sdist, wheel
from tests.upstream.network import start


class ConcurrentTests(PublishTestCase):
    def test_b48_of_two_files_of_one_name_one_wins_in_every_respect(self) -> None:
        """Both have passed the first look by the time either writes its sidecar."""
        for number, (disk, moment) in enumerate(
            ((self.disk, "_sync"), (self.disk, "_link"), (self.hosted_writer, "_write"))
        ):
            with self.subTest(moment):
                name = f"demo-{number}"
                disk.held = moment
                one, two = sdist(name), sdist(name, summary="Other")
                first, second = self.publish(one), self.publish(two)
                disk.release()
                self.assertTrue(self.successResultOf(first))
                self.assertIn(one.sha256, str(self.failureResultOf(second, FileExists).value))
                row = self.successResultOf(start(self.hosted.file(self.main.name, one.filename)))
                assert row is not None
                (sidecar,) = (path for path in self.kept_sidecars() if one.filename in path.name)
                self.assertEqual(row.sha256, one.sha256)
                self.assertIn(one.sha256, sidecar.read_text())

    def test_of_two_source_distributions_of_a_release_one_wins(self) -> None:
        self.disk.held = "_sync"
        one, two = sdist("my-pkg"), replace(sdist("my-pkg", summary="Other"), filename="my-pkg-1.0.tar.gz")
        first, second = self.publish(one), self.publish(two)
        self.disk.release()
        self.assertTrue(self.successResultOf(first))
        self.failureResultOf(second, UploadRefused)
        self.assertEqual(len(self.kept_sidecars()), 1)

    def test_b48_same_file_twice_at_once_is_published_once(self) -> None:
        for number, (disk, moment) in enumerate(((self.disk, "_sync"), (self.hosted_writer, "_write")), 1):
            disk.held = moment
            demo = wheel("demo", f"{number}.0")
            first, second = self.publish(demo), self.publish(demo)
            disk.release()
            self.assertEqual(sorted([self.successResultOf(first), self.successResultOf(second)]), [False, True])
            self.assertEqual(len(self.files()), number)
            self.assertEqual(len(self.audit.after(0, 100)), number)

    def test_different_files_at_once(self) -> None:
        self.disk.held = "_sync"
        waiting = [self.publish(wheel("demo", f"{number}.0")) for number in range(10)]
        self.disk.release()
        self.assertTrue(all(self.successResultOf(done) for done in waiting))
        self.assertEqual(len(self.files()), 10)

    def test_f19_a_hundred_uploads_that_wait_are_one_transaction(self) -> None:
        self.hosted_writer.held = "_write"
        waiting = [self.publish(wheel("demo", f"{number}.0")) for number in range(100)]
        self.hosted_writer.release()
        self.assertTrue(all(self.successResultOf(done) for done in waiting))
        self.assertEqual(len(self.files()), 100)
        events = self.audit.after(0, 1000)
        self.assertEqual([event.serial for event in events], list(range(1, 101)))
        self.assertEqual({event.group for event in events}, {1})

    def test_f07_whatever_is_listed_at_any_moment_can_be_fetched(self) -> None:
        """And what was acknowledged is in the very next listing."""
        reader = HostedIndex(MAIN, self.hosted, DirectoryBlobs(self.blobs.root, inline))
        listed: list[int] = []
        for number in range(1, 4):
            self.hosted_writer.held = "*"
            publishing = self.publish_held(wheel("demo", f"{number}.0"), "*")
            while self.disk.waiting or self.hosted_writer.waiting:
                listed.append(self.fetch_all(reader))
                (self.disk if self.disk.waiting else self.hosted_writer).step()
            self.assertTrue(self.successResultOf(publishing))
            self.assertEqual(self.fetch_all(reader), number)
            self.disk.release()
        self.assertEqual(listed, sorted(listed))
        self.assertGreater(len(listed), 20)

    def fetch_all(self, index: HostedIndex) -> int:
        """Fetch all that is listed, and return how many that are."""
        files = self.files()
        for file in files:
            opened = self.successResultOf(start(index.open_file(DEMO, file.filename, file.digest_prefix)))
            content = self.successResultOf(self.read_all(opened))
            self.assertEqual(hashlib.sha256(content).hexdigest(), file.sha256)
        return len(files)


class LeavingTests(PublishTestCase):
    def test_what_was_begun_is_finished_when_the_caller_leaves(self) -> None:
        moments = [(self.disk, "_sync"), (self.disk, "_link"), (self.hosted_writer, "_write"), (self.disk, "_create")]
        for number, (disk, moment) in enumerate(moments, 1):
            waiting = self.publish_held(wheel("demo", f"{number}.0"), moment, disk)
            waiting.cancel()
            self.failureResultOf(waiting, CancelledError)
            self.assertEqual(len(self.files()), number - 1)
            stopped = self.uploads.stop()
            self.assertNoResult(stopped)
            disk.release()
            self.successResultOf(stopped)
            self.assertEqual((len(self.files()), self.staged()), (number, []), moment)

    def test_stop_with_nothing_under_way(self) -> None:
        self.successResultOf(self.uploads.stop())


class FullDiskTests(PublishTestCase):
    def test_full_disk_refuses_the_upload_and_leaves_no_part_of_it(self) -> None:
        demo = sdist("demo")
        for moment in ("_sync", "_link"):
            self.refuse(moment)
            self.failureResultOf(self.publish(demo), StorageFull)
            self.assertEqual((self.files(), self.kept_sidecars(), self.kept_blobs()), ([], [], set()), moment)
            self.assertEqual(self.staged(), [])
        self.disk.full = set()
        self.assertTrue(self.successResultOf(self.publish(demo)))

    def test_no_sidecar_no_row(self) -> None:
        demo = sdist("demo")
        for point in (point for point in Failpoint if point.startswith(("sidecar.", "audit.", "db.before"))):
            arm(f"{point}=raise:ENOSPC")
            self.addCleanup(arm, "")
            self.assertIn("No space left", str(self.failureResultOf(self.publish(demo), StorageFull).value), point)
            self.assertEqual((self.files(), self.kept_sidecars(), self.staged()), ([], [], []), point)
            self.assertEqual(self.audit.after(0, 10), [], point)
        arm("")
        self.assertTrue(self.successResultOf(self.publish(demo)))
        (event,) = self.audit.after(0, 10)
        self.assertEqual((event.serial, event.filename), (1, demo.filename))

    def test_no_room_for_the_metadata(self) -> None:
        waiting = self.publish_held(wheel("demo"), "_create")
        self.refuse("_write")
        self.disk.release()
        self.failureResultOf(waiting, StorageFull)
        self.assertEqual((self.files(), self.kept_sidecars(), self.kept_blobs()), ([], [], set()))

    def test_no_room_to_begin_is_told_before_anything_is_sent(self) -> None:
        self.refuse("_create")
        self.failureResultOf(start(self.uploads.stage(reserve=10)), OSError)
        self.disk.full = set()
        self.failureResultOf(start(self.uploads.stage(reserve=2**62)), OSError)
        self.assertEqual(self.staged(), [])

    def refuse(self, moment: str) -> None:
        self.disk.full = {moment}
