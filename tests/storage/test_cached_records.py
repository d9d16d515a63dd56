"""What is known about what was fetched."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

from pypid.domain.core_metadata import FoundMetadata
from pypid.domain.files import TimeSource
from pypid.domain.learned import LearnedDigest
from pypid.domain.names import IndexName, NormalizedName
from pypid.domain.upload_times import ToldTime
from pypid.storage.cached import CachedRecords, StoredPage
from tests.storage.rows import DEMO, MAIN, OTHER, TWO, RecordsCase


class CachedRecordsTests(RecordsCase):
    schema = "cache"

    def setUp(self) -> None:
        super().setUp()
        self.records = CachedRecords(self.database())
        self.stored = StoredPage(
            upstream="http://upstream.example/simple/",
            url="https://upstream.test/simple/demo/",
            content_type="application/vnd.pypi.simple.v1+json",
            encoding="gzip",
            body=b"\x1f\x8b\x00\xff",
            etag='"a"',
            last_modified=None,
            fetched_at=1767225600.25,
        )

    def page(self, index: IndexName = MAIN, project: NormalizedName = DEMO) -> StoredPage | None:
        return self.result(self.records.page(index, project))

    def keep(self, page: StoredPage, index: IndexName = MAIN, project: NormalizedName = DEMO) -> None:
        self.successResultOf(self.records.keep_page(index, project, page))

    def test_page(self) -> None:
        """A page is kept byte for byte, for its index and project only, over a restart."""
        self.assertIsNone(self.page())
        self.keep(self.stored)
        self.assertEqual(self.page(), self.stored)
        self.assertIsNone(self.page(TWO))
        self.assertIsNone(self.page(MAIN, OTHER))
        self.records = CachedRecords(self.database())
        self.assertEqual(self.page(), self.stored)

    def test_replaced(self) -> None:
        newer = dataclasses.replace(self.stored, body=b"2", etag=None, last_modified="Thu, 01 Jan 2026 00:00:00 GMT")
        self.keep(self.stored)
        self.keep(newer)
        self.assertEqual(self.page(), newer)

    def test_confirmed(self) -> None:
        """An answer of "not modified" renews the page's age and nothing else, of no other page."""
        self.keep(self.stored)
        self.keep(self.stored, TWO)
        self.successResultOf(self.records.page_confirmed(MAIN, DEMO, 2e9))
        self.assertEqual(self.page(), dataclasses.replace(self.stored, fetched_at=2e9))
        self.assertEqual(self.page(TWO), self.stored)

    def test_confirmed_unknown(self) -> None:
        """A confirmation that comes after the page was dropped does not bring half a page back."""
        self.successResultOf(self.records.page_confirmed(MAIN, DEMO, 2e9))
        self.assertIsNone(self.page())

    def test_dropped(self) -> None:
        """Of a project that upstream deleted the page goes; its kept files stay, for lock files."""
        self.keep(self.stored)
        self.keep(self.stored, MAIN, OTHER)
        self.successResultOf(self.records.keep_file(MAIN, DEMO, "demo-1.0.tar.gz", "ab" * 32))
        self.successResultOf(self.records.drop_page(MAIN, DEMO))
        self.assertIsNone(self.page())
        self.assertEqual(self.page(MAIN, OTHER), self.stored)
        self.assertEqual(self.successResultOf(self.records.file(MAIN, DEMO, "demo-1.0.tar.gz", "ab" * 8)), "ab" * 32)

    def test_projects(self) -> None:
        self.keep(self.stored, MAIN, OTHER)
        self.keep(self.stored)
        self.keep(self.stored, TWO)
        self.assertEqual(list(self.result(self.records.projects(MAIN))), [DEMO, OTHER])

    def test_projects_are_read_again_only_when_there_are_others(self) -> None:
        """Pages are refreshed all the time; the list of 100,000 projects is not read each time."""
        self.keep(self.stored)
        before = self.result(self.records.projects(MAIN))
        self.keep(dataclasses.replace(self.stored, body=b"2"))
        self.successResultOf(self.records.drop_page(MAIN, OTHER))
        self.assertIs(self.result(self.records.projects(MAIN)), before)
        self.keep(self.stored, MAIN, OTHER)
        self.assertEqual(list(self.result(self.records.projects(MAIN))), [DEMO, OTHER])
        self.successResultOf(self.records.drop_page(MAIN, DEMO))
        self.assertEqual(list(self.result(self.records.projects(MAIN))), [OTHER])

    def test_files(self) -> None:
        """Several files of one name, one after the other at the upstream, each keep their own URL."""
        for sha256 in ("ab" * 32, "cd" * 32, "ab" * 32):
            self.successResultOf(self.records.keep_file(MAIN, DEMO, "demo-1.0.tar.gz", sha256))
        for sha256 in ("ab" * 32, "cd" * 32):
            found = self.successResultOf(self.records.file(MAIN, DEMO, "demo-1.0.tar.gz", sha256[:16]))
            self.assertEqual(found, sha256)
        for index, project, filename, prefix in (
            (MAIN, DEMO, "demo-1.0.tar.gz", "ef" * 8),
            (MAIN, DEMO, "demo-2.0.tar.gz", "ab" * 8),
            (MAIN, OTHER, "demo-1.0.tar.gz", "ab" * 8),
            (TWO, DEMO, "demo-1.0.tar.gz", "ab" * 8),
        ):
            self.assertIsNone(self.successResultOf(self.records.file(index, project, filename, prefix)))

    def test_learned_digests(self) -> None:
        """The first one stays, over a restart; a file is found by its identity as long as its bytes are recorded."""
        first = LearnedDigest(filename="demo-1.0.tar.gz", identity="12" * 32, sha256="ab" * 32)
        other = dataclasses.replace(first, identity="34" * 32, sha256="cd" * 32)
        for learned, known in ((first, first), (dataclasses.replace(first, sha256="ef" * 32), first), (other, other)):
            self.assertEqual(self.result(self.records.learn(MAIN, DEMO, learned)), known)
        self.successResultOf(self.records.keep_file(MAIN, DEMO, first.filename, first.sha256))
        self.records = CachedRecords(self.database())
        self.assertEqual(set(self.result(self.records.learned(MAIN, DEMO))), {first, other})
        for index, project in ((TWO, DEMO), (MAIN, OTHER)):
            self.assertEqual(self.result(self.records.learned(index, project)), [])
        for prefix, expected in (("12" * 8, first.sha256), ("ab" * 8, first.sha256), ("34" * 8, None)):
            self.assertEqual(self.result(self.records.file(MAIN, DEMO, first.filename, prefix)), expected)

    def test_found_metadata(self) -> None:
        """What was found last counts, for that file of one project in one index, over a restart."""
        none = FoundMetadata(
            filename="demo-1.0-py3-none-any.whl", identity="ab" * 32, claim="cd" * 32, core_metadata=None, verified=True
        )
        first = dataclasses.replace(none, core_metadata="ef" * 32, claim=None, verified=False)
        other = dataclasses.replace(first, identity="12" * 32)
        for found in (first, none, other):
            self.successResultOf(self.records.keep_found_metadata(MAIN, DEMO, found))
        self.successResultOf(self.records.drop_page(MAIN, DEMO))
        self.records = CachedRecords(self.database())
        for found in (none, other):
            self.assertEqual(self.result(self.records.found_metadata(MAIN, DEMO, *found.key)), found)
        self.assertEqual(set(self.result(self.records.all_found_metadata(MAIN, DEMO))), {none, other})
        for index, project in ((TWO, DEMO), (MAIN, OTHER)):
            self.assertIsNone(self.result(self.records.found_metadata(index, project, *none.key)))
            self.assertEqual(self.result(self.records.all_found_metadata(index, project)), [])
        self.assertIsNone(self.result(self.records.found_metadata(MAIN, DEMO, none.filename, "ef" * 32)))

    def test_told_times(self) -> None:
        """A time is told once, of one file of one project in one index, to the microsecond and over a restart."""
        seen = ToldTime(
            filename="demo-1.0.tar.gz",
            identity="ab" * 32,
            upload_time=datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
            source=TimeSource.FIRST_SEEN,
        )
        other = dataclasses.replace(seen, identity="cd" * 32, source=TimeSource.UPSTREAM)
        later = dataclasses.replace(seen, upload_time=seen.upload_time + timedelta(days=1))
        self.successResultOf(self.records.tell_times(MAIN, DEMO, [seen]))
        self.successResultOf(self.records.tell_times(MAIN, DEMO, [later, other]))
        self.successResultOf(self.records.drop_page(MAIN, DEMO))
        self.records = CachedRecords(self.database())
        self.assertEqual(set(self.result(self.records.told_times(MAIN, DEMO))), {seen, other})
        for index, project in ((TWO, DEMO), (MAIN, OTHER)):
            self.assertEqual(self.result(self.records.told_times(index, project)), [])
