"""Publishing: whole and durable, or not at all; one name, one file, for ever."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from twisted.internet.defer import Deferred

from pypid.domain.errors import FileExists, FileNotFound, ProjectNotFound, StoredFileMissing, UploadRefused
from pypid.domain.files import DistributionFile
from pypid.domain.names import IndexName
from pypid.domain.upload_rules import UploadRules
from pypid.domain.uploads import Form, read_upload
from pypid.domain.validation.findings import Level
from pypid.indexes.publishing import Publisher
from pypid.storage.staging import StagedFile
from tests.indexes.stores import DEMO, Disk, StoresTestCase
from tests.kit.dists import Dist, sdist, wheel
from tests.storage.rows import ALICE
from tests.upstream.network import start

MAIN = IndexName("main")
NO_CHANGES: Mapping[str, str] = {}


def form_of(dist: Dist, changes: Mapping[str, str] = NO_CHANGES) -> Form:
    """Return what twine would say of ``dist``."""
    said = {
        ":action": "file_upload",
        "protocol_version": "1",
        "name": dist.project,
        "version": dist.version,
        "filetype": "sdist" if dist.metadata is None else "bdist_wheel",
        "sha256_digest": dist.sha256,
        **changes,
    }
    return {name: (value,) for name, value in said.items()}


def publish(
    publisher: Publisher,
    dist: Dist,
    changes: Mapping[str, str] = NO_CHANGES,
    hold: Callable[[], object] = lambda: None,
    level: Level = Level.STANDARD,
) -> Deferred[bool]:
    """Stage ``dist``, which the disk must do at once, and publish it; ``hold`` is called in between."""
    staged: list[StagedFile] = []
    start(_stage(publisher, dist)).addCallback(staged.append)
    hold()
    form = form_of(dist, changes)
    return publisher.publish(
        MAIN, read_upload(form, dist.filename), form, staged[0], ALICE, rules=UploadRules(level=level)
    ).addCallback(lambda done: done.new)


async def _stage(publisher: Publisher, dist: Dist) -> StagedFile:
    staged = await publisher.stage(reserve=len(dist.content))
    await staged.write(dist.content)
    return staged


class PublishTestCase(StoresTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.clock.advance(1_800_000_000)
        self.uploads = self.publisher()
        self.main = self.hosted_index()

    def publish(self, dist: Dist, **changes: str) -> Deferred[bool]:
        return publish(self.uploads, dist, changes)

    def publish_held(self, dist: Dist, moment: str, disk: Disk | None = None) -> Deferred[bool]:
        """Publish ``dist`` as far as the ``moment`` of ``disk``, the one that has the blobs unless it is given."""

        def hold() -> None:
            (disk or self.disk).held = moment

        return publish(self.uploads, dist, hold=hold)

    def files(self) -> list[DistributionFile]:
        page = self.successResultOf(start(self.hosted.page(MAIN, DEMO)))
        return [] if page is None else list(page.files)

    def sidecar(self) -> Any:
        (path,) = self.kept_sidecars()
        return json.loads(path.read_text("utf-8"))


class PublishTests(PublishTestCase):
    def test_wheel_is_listed_and_served_with_its_metadata(self) -> None:
        demo = wheel("demo", requires_python=">=3.9")
        self.assertTrue(self.successResultOf(self.publish(demo, requires_python=">=3.9")))
        (file,) = self.files()
        self.assertEqual((file.filename, file.sha256, file.size), (demo.filename, demo.sha256, len(demo.content)))
        self.assertEqual((file.requires_python, file.core_metadata), (">=3.9", demo.metadata_sha256))
        self.assertEqual(self.kept_blobs(), {demo.sha256, demo.metadata_sha256})
        for opening, content in ((self.main.open_file, demo.content), (self.main.open_core_metadata, demo.metadata)):
            opened = self.successResultOf(start(opening(DEMO, demo.filename, demo.sha256[:16])))
            self.assertEqual(self.successResultOf(self.read_all(opened)), content)

    def test_sidecar_has_what_the_row_has_and_what_the_form_said(self) -> None:
        demo = wheel("demo")
        self.successResultOf(self.publish(demo, summary="A d\xe9mo"))
        sidecar = self.sidecar()
        self.assertEqual((sidecar["sha256"], sidecar["uploaded_by"]), (demo.sha256, "alice"))
        self.assertEqual(sidecar["form"]["summary"], ["A d\xe9mo"])
        self.assertEqual(sidecar["uploaded_at"], "2027-01-15T08:00:00.000000+00:00")

    def test_sdist_has_no_metadata_beside_it(self) -> None:
        demo = sdist("demo")
        self.successResultOf(self.publish(demo))
        opened = start(self.main.open_core_metadata(DEMO, demo.filename, demo.sha256[:16]))
        self.failureResultOf(opened, FileNotFound)
        self.assertEqual(self.kept_blobs(), {demo.sha256})

    def test_page_changes_its_revision_with_each_upload(self) -> None:
        revisions = []
        for version in ("1.0", "2.0"):
            self.successResultOf(self.publish(wheel("demo", version)))
            revisions.append(self.successResultOf(start(self.main.project_page(DEMO))).revision)
        self.assertEqual((len(self.files()), len(set(revisions))), (2, 2))

    def test_same_bytes_again_change_nothing(self) -> None:
        demo = wheel("demo")
        self.assertTrue(self.successResultOf(self.publish(demo)))
        before = self.sidecar()
        self.clock.advance(100)
        self.assertFalse(self.successResultOf(self.publish(demo, summary="changed")))
        self.assertEqual(self.sidecar(), before)

    def test_same_bytes_again_heal_a_store_that_lost_them(self) -> None:
        """The file is said to be there already, and is: who has the bytes can bring them back."""
        demo = wheel("demo")
        self.successResultOf(self.publish(demo))
        (self.data / "blobs" / demo.sha256[:2] / demo.sha256).unlink()
        self.failureResultOf(start(self.main.open_file(DEMO, demo.filename, demo.sha256[:16])), StoredFileMissing)
        self.assertFalse(self.successResultOf(self.publish(demo)))
        opened = self.successResultOf(start(self.main.open_file(DEMO, demo.filename, demo.sha256[:16])))
        self.assertEqual(self.successResultOf(self.read_all(opened)), demo.content)

    def test_store_is_healed_whatever_is_demanded_by_now(self) -> None:
        demo = wheel("demo", "1.0+local")
        self.successResultOf(self.publish(demo))
        (self.data / "blobs" / demo.sha256[:2] / demo.sha256).unlink()
        self.assertFalse(self.successResultOf(publish(self.uploads, demo, level=Level.STRICT)))
        self.assertIn(demo.sha256, self.kept_blobs())
        self.failureResultOf(publish(self.uploads, wheel("demo", "2.0+local"), level=Level.STRICT), UploadRefused)

    def test_other_bytes_of_a_published_name_are_refused_and_change_nothing(self) -> None:
        first, second = wheel("demo"), wheel("demo", summary="Other")
        self.successResultOf(self.publish(first))
        before = self.sidecar()
        why = self.failureResultOf(self.publish(second), FileExists).value
        self.assertIn("File already exists", str(why))
        self.assertEqual((self.sidecar(), [file.sha256 for file in self.files()]), (before, [first.sha256]))
        self.assertNotIn(second.sha256, self.kept_blobs())

    def test_unknown_project_file_and_digest(self) -> None:
        demo = wheel("demo")
        self.failureResultOf(start(self.main.project_page(DEMO)), ProjectNotFound)
        self.successResultOf(self.publish(demo))
        for filename, digest in ((demo.filename, "0" * 16), ("demo-2.0-py3-none-any.whl", demo.sha256[:16])):
            self.failureResultOf(start(self.main.open_file(DEMO, filename, digest)), FileNotFound)
        self.assertEqual(list(self.successResultOf(start(self.main.project_list()))), [DEMO])

    def test_blob_that_is_gone_is_no_missing_file(self) -> None:
        """Installers would look for a missing one in the next index."""
        demo = wheel("demo")
        self.successResultOf(self.publish(demo))
        (self.data / "blobs" / demo.sha256[:2] / demo.sha256).unlink()
        opened = start(self.main.open_file(DEMO, demo.filename, demo.sha256[:16]))
        self.failureResultOf(opened, StoredFileMissing)


class RefusedTests(PublishTestCase):
    def check_nothing_is_kept(self) -> None:
        self.assertEqual((self.files(), self.kept_sidecars(), self.staged()), ([], [], []))
        self.assertEqual(self.kept_blobs(), set())

    def test_each_wrong_digest_is_named(self) -> None:
        wrong = {"md5_digest": "0" * 32, "sha256_digest": "1" * 64, "blake2_256_digest": "2" * 64}
        why = self.failureResultOf(self.publish(wheel("demo"), **wrong), UploadRefused).value
        self.assertEqual(
            [name for name in ("md5", "sha256", "blake2_256") if name in str(why)], ["md5", "sha256", "blake2_256"]
        )
        self.assertEqual(len(why.problems), 3)
        self.check_nothing_is_kept()

    def test_wheel_of_another_version_inside(self) -> None:
        other = wheel("demo", "2.0")
        lying = replace(other, filename="demo-1.0-py3-none-any.whl", version="1.0")
        self.failureResultOf(self.publish(lying), UploadRefused)
        self.check_nothing_is_kept()

    def test_second_source_distribution_of_a_release(self) -> None:
        """Of a name that old build tools give it, or a zip."""
        first, other = sdist("my-pkg"), sdist("my-pkg", summary="Other")
        self.successResultOf(self.publish(first))
        second = replace(other, filename="my-pkg-1.0.tar.gz")
        why = self.failureResultOf(self.publish(second), UploadRefused).value
        self.assertEqual(str(why), "Only one sdist may be uploaded per release.")
        self.assertNotIn(second.sha256, self.kept_blobs())
        for welcome in (first, sdist("my-pkg", "2.0"), wheel("my-pkg")):
            self.successResultOf(self.publish(welcome))

    def test_metadata_that_disagrees(self) -> None:
        honest = wheel("demo")
        content = honest.content.replace(b"Version: 1.0\nSummary", b"Version: 9.0\nSummary")
        self.assertNotEqual(content, honest.content)
        self.failureResultOf(self.publish(replace(honest, content=content)), UploadRefused)
        self.check_nothing_is_kept()

    def test_wheel_that_is_no_archive(self) -> None:
        self.failureResultOf(self.publish(replace(wheel("demo"), content=b"PK? no")), UploadRefused)
        self.check_nothing_is_kept()
