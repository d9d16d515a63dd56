"""Uploads that meet each other, a full disk, or a caller who leaves."""

from dataclasses import replace

from twisted.internet.defer import CancelledError

from pypid.domain.errors import FileExists, StorageFull, UploadRefused
from tests.indexes.test_publishing import PublishTestCase
from tests.kit.dists import sdist, wheel
from tests.upstream.network import start


class ConcurrentTests(PublishTestCase):
    def test_of_two_files_of_one_name_one_wins_in_every_respect(self) -> None:
        """Both have passed the first look by the time either writes its sidecar."""
        for moment in ("sync", "_link"):
            with self.subTest(moment):
                name = "demo" if moment == "sync" else "other"
                self.disk.held = moment
                one, two = sdist(name), sdist(name, summary="Other")
                first, second = self.publish(one), self.publish(two)
                self.disk.release()
                self.assertTrue(self.successResultOf(first))
                self.assertIn(one.sha256, str(self.failureResultOf(second, FileExists).value))
                row = self.successResultOf(start(self.hosted.file(self.main.name, one.filename)))
                assert row is not None
                (sidecar,) = (path for path in self.kept_sidecars() if one.filename in path.name)
                self.assertEqual(row.sha256, one.sha256)
                self.assertIn(one.sha256, sidecar.read_text())

    def test_of_two_source_distributions_of_a_release_one_wins(self) -> None:
        self.disk.held = "sync"
        one, two = sdist("my-pkg"), replace(sdist("my-pkg", summary="Other"), filename="my-pkg-1.0.tar.gz")
        first, second = self.publish(one), self.publish(two)
        self.disk.release()
        self.assertTrue(self.successResultOf(first))
        self.failureResultOf(second, UploadRefused)
        self.assertEqual(len(self.kept_sidecars()), 1)

    def test_same_file_twice_at_once_is_published_once(self) -> None:
        self.disk.held = "sync"
        demo = wheel("demo")
        first, second = self.publish(demo), self.publish(demo)
        self.disk.release()
        self.assertEqual(sorted([self.successResultOf(first), self.successResultOf(second)]), [False, True])
        self.assertEqual(len(self.files()), 1)

    def test_different_files_at_once(self) -> None:
        self.disk.held = "sync"
        waiting = [self.publish(wheel("demo", f"{number}.0")) for number in range(10)]
        self.disk.release()
        self.assertTrue(all(self.successResultOf(done) for done in waiting))
        self.assertEqual(len(self.files()), 10)


class LeavingTests(PublishTestCase):
    def test_what_was_begun_is_finished_when_the_caller_leaves(self) -> None:
        for number, moment in enumerate(("sync", "_link", "_write", "_create"), 1):
            dist = wheel("demo", f"{number}.0")
            if moment == "_write":
                dist = sdist("demo", f"{number}.0")  # the first write after staging is then its sidecar's
            waiting = self.publish_held(dist, moment)
            waiting.cancel()
            self.failureResultOf(waiting, CancelledError)
            self.assertEqual(len(self.files()), number - 1)
            stopped = self.uploads.stop()
            self.assertNoResult(stopped)
            self.disk.release()
            self.successResultOf(stopped)
            self.assertEqual((len(self.files()), self.staged()), (number, []), moment)

    def test_stop_with_nothing_under_way(self) -> None:
        self.successResultOf(self.uploads.stop())


class FullDiskTests(PublishTestCase):
    def test_full_disk_refuses_the_upload_and_leaves_no_part_of_it(self) -> None:
        demo = sdist("demo")
        for moment in ("sync", "_link"):
            self.refuse(moment)
            self.failureResultOf(self.publish(demo), StorageFull)
            self.assertEqual((self.files(), self.kept_sidecars(), self.kept_blobs()), ([], [], set()), moment)
            self.assertEqual(self.staged(), [])
        self.disk.full = set()
        self.assertTrue(self.successResultOf(self.publish(demo)))

    def test_no_room_for_the_sidecar_no_row(self) -> None:
        demo = sdist("demo")
        waiting = self.publish_held(demo, "_link")
        self.refuse("_write")
        self.disk.release()
        self.assertIn("No space left", str(self.failureResultOf(waiting, StorageFull).value))
        self.assertEqual((self.files(), self.kept_sidecars(), self.staged()), ([], [], []))
        self.disk.full = set()
        self.assertTrue(self.successResultOf(self.publish(demo)))

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
