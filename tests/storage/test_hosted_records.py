"""What is known about the uploaded files."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from twisted.internet.defer import Deferred

from pypid.domain.changes import Change
from pypid.domain.errors import FileExists
from pypid.domain.files import DistributionFile, ProjectPage, TimeSource
from pypid.domain.names import IndexName, NormalizedName
from pypid.storage.hosted_file import HostedFile
from tests.storage.case import ManualOffload
from tests.storage.rows import ALICE, DEMO, MAIN, OTHER, TWO, RecordsCase, a_row


class HostedRecordsTests(RecordsCase):
    def setUp(self) -> None:
        super().setUp()
        self.records = self.hosted_records()

    def publish(self, *rows: HostedFile) -> list[bool]:
        return [self.successResultOf(self.records.publish(row, {}, ALICE)) for row in rows]

    def page(self, index: IndexName = MAIN, project: NormalizedName = DEMO) -> ProjectPage:
        page = self.result(self.records.page(index, project))
        assert page is not None
        return page

    def test_published(self) -> None:
        """A file is on its project's page with all that was said about it."""
        self.assertEqual(self.publish(a_row(core_metadata="01" * 32, yanked="why")), [True])
        page = self.page()
        self.assertEqual(
            page.files,
            (
                DistributionFile(
                    filename="demo-1.0.tar.gz",
                    sha256="ab" * 32,
                    size=7,
                    upload_time=datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
                    upload_time_source=TimeSource.HOSTED,
                    requires_python=">=3.9",
                    core_metadata="01" * 32,
                    yanked="why",
                ),
            ),
        )
        self.assertEqual((page.name, page.versions), (DEMO, ("1.0",)))

    def test_row(self) -> None:
        row = a_row()
        self.publish(row)
        published = replace(row, serial=1, changed_at=row.uploaded_at)
        self.assertEqual(self.successResultOf(self.records.file(MAIN, row.filename)), published)
        self.assertIsNone(self.successResultOf(self.records.file(MAIN, "demo-2.0.tar.gz")))
        self.assertIsNone(self.successResultOf(self.records.file(TWO, row.filename)))

    def test_twice(self) -> None:
        """The same bytes again are no news: the first upload's time and user stay."""
        self.publish(a_row())
        before = self.page()
        self.assertEqual(
            self.publish(a_row(uploaded_by="bob", uploaded_at="2027-01-01T00:00:00.000000+00:00")), [False]
        )
        self.assertEqual(self.page(), before)
        row = self.successResultOf(self.records.file(MAIN, "demo-1.0.tar.gz"))
        assert row is not None
        self.assertEqual(row.uploaded_by, "alice")

    def test_other_bytes(self) -> None:
        """A published file never changes; the refusal names the digest that is there."""
        self.publish(a_row())
        before = self.page()
        failure = self.failureResultOf(self.records.publish(a_row(sha256="00" * 32), {}, ALICE), FileExists)
        self.assertIn("ab" * 32, str(failure.value))
        self.assertEqual(self.page(), before)

    def test_other_bytes_in_another_index(self) -> None:
        self.assertEqual(self.publish(a_row(), a_row(index_name=TWO, sha256="00" * 32)), [True, True])
        self.assertEqual(self.page(TWO).files[0].sha256, "00" * 32)
        self.assertEqual(self.page(MAIN).files[0].sha256, "ab" * 32)

    def test_order(self) -> None:
        """Oldest upload first, then by name: the same page whatever the database's mood."""
        late, early = "2026-01-02T00:00:00.000000+00:00", "2026-01-01T23:59:59.999999+00:00"
        self.publish(
            a_row("demo-3.tar.gz", uploaded_at=late),
            a_row("demo-2.tar.gz", uploaded_at=late),
            a_row("demo-9.tar.gz", uploaded_at=early),
        )
        names = [file.filename for file in self.page().files]
        self.assertEqual(names, ["demo-9.tar.gz", "demo-2.tar.gz", "demo-3.tar.gz"])
        self.assertEqual(self.page().versions, ("2", "3", "9"))

    def test_revision(self) -> None:
        """It changes with every change of the project, survives a restart, and others' changes do not touch it."""
        self.publish(a_row())
        first = self.page().revision
        self.publish(a_row("other-1.0.tar.gz", project=OTHER), a_row(index_name=TWO))
        self.assertEqual(self.page().revision, first)
        self.publish(a_row("demo-2.0.tar.gz"))
        second = self.page().revision
        self.publish(a_row("demo-3.0.tar.gz"))
        self.assertEqual(len({first, second, self.page().revision}), 3)
        self.assertEqual(self.successResultOf(self.hosted_records().page(MAIN, DEMO)), self.page())

    def test_unknown(self) -> None:
        """A name that was never uploaded has no page, until it is: an earlier no is not remembered."""
        self.assertIsNone(self.successResultOf(self.records.page(MAIN, DEMO)))
        self.publish(a_row())
        self.assertEqual(len(self.page().files), 1)
        self.assertIsNone(self.successResultOf(self.records.page(TWO, DEMO)))

    def test_projects(self) -> None:
        self.publish(a_row("other-1.0.tar.gz", project=OTHER), a_row(), a_row("demo-2.0.tar.gz"), a_row(index_name=TWO))
        self.assertEqual(list(self.result(self.records.projects(MAIN))), [DEMO, OTHER])
        self.assertEqual(list(self.result(self.records.projects(TWO))), [DEMO])

    def test_projects_are_read_again_when_they_may_have_changed(self) -> None:
        self.publish(a_row())
        before = self.result(self.records.projects(MAIN))
        self.assertIs(self.result(self.records.projects(MAIN)), before)
        self.publish(a_row("demo-2.0.tar.gz"))
        self.assertEqual(self.result(self.records.projects(MAIN)).revision, before.revision, "the same names")
        self.publish(a_row("other-1.0.tar.gz", project=OTHER))
        after = self.result(self.records.projects(MAIN))
        self.assertEqual(list(after), [DEMO, OTHER])
        self.assertNotEqual(after.revision, before.revision)

    def test_pages_of_an_index_are_those_of_its_projects(self) -> None:
        self.publish(a_row("other-1.0.tar.gz", project=OTHER), a_row(), a_row("demo-2.0.tar.gz", version="2.0"))
        self.publish(a_row(index_name=TWO))
        expected = [self.result(self.records.page(MAIN, project)) for project in (DEMO, OTHER)]
        self.assertEqual(self.result(self.records.pages(MAIN)), expected)

    def test_last_changes(self) -> None:
        """One for each project of that index, in the order of their serials, with the time of the newest file."""
        self.publish(a_row("other-1.0.tar.gz", project=OTHER), a_row(), a_row(index_name=TWO))
        newest = "2026-02-02T00:00:00.000000+00:00"
        self.publish(a_row("other-2.0.tar.gz", project=OTHER, version="2.0", uploaded_at=newest))
        self.assertEqual(
            self.result(self.records.last_changes(MAIN)),
            [
                Change(project=DEMO, serial=2, time=datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)),
                Change(project=OTHER, serial=4, time=datetime(2026, 2, 2, tzinfo=UTC)),
            ],
        )

    def test_read_once(self) -> None:
        """A page that is asked for again is answered from memory, and so is a name that is not hosted."""
        self.publish(a_row())
        read = ManualOffload()
        records = self.hosted_records(read=read)
        for project in (DEMO, OTHER):
            first = Deferred.fromCoroutine(records.page(MAIN, project))
            read.run()
            self.assertEqual(self.successResultOf(records.page(MAIN, project)), self.successResultOf(first))


class ReadYourWritesTests(RecordsCase):
    """A page is being read while one of its files is published, in every order of the steps."""

    def setUp(self) -> None:
        super().setUp()
        self.write, self.read = ManualOffload(), ManualOffload()
        self.records = self.hosted_records(write=self.write, read=self.read)

    def publishing(self, row: HostedFile) -> Deferred[bool]:
        return Deferred.fromCoroutine(self.records.publish(row, {}, ALICE))

    def asking(self) -> Deferred[ProjectPage | None]:
        return Deferred.fromCoroutine(self.records.page(MAIN, DEMO))

    def assert_published(self) -> None:
        """Whoever asks from now on sees the file."""
        asked = self.asking()
        self.read.run()
        page = self.successResultOf(asked)
        assert page is not None
        self.assertEqual([file.filename for file in page.files], ["demo-1.0.tar.gz"])

    def test_read_before_delivered_after(self) -> None:
        """The page from before must not stay in memory after the upload was acknowledged."""
        publishing, asked = self.publishing(a_row()), self.asking()
        self.read.call()
        self.write.run()
        self.assertTrue(self.successResultOf(publishing))
        self.read.deliver()
        self.assertIsNone(self.successResultOf(asked))
        self.assert_published()

    def test_read_and_delivered_before_the_acknowledgement(self) -> None:
        """The page from before is in memory when the row is committed."""
        publishing, asked = self.publishing(a_row()), self.asking()
        self.read.call()
        self.write.call()
        self.read.deliver()
        self.assertIsNone(self.successResultOf(asked))
        self.write.deliver()
        self.assertTrue(self.successResultOf(publishing))
        self.assert_published()

    def test_read_after_the_commit(self) -> None:
        publishing, asked = self.publishing(a_row()), self.asking()
        self.write.call()
        self.read.run()
        self.assertIsNotNone(self.successResultOf(asked))
        self.write.deliver()
        self.successResultOf(publishing)
        self.assert_published()

    def test_asked_before_read_after(self) -> None:
        asked = self.asking()
        publishing = self.publishing(a_row())
        self.write.run()
        self.successResultOf(publishing)
        self.read.run()
        self.assertIsNotNone(self.successResultOf(asked))
        self.assert_published()
