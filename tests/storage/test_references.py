"""Which records name which blobs, by real databases."""

from __future__ import annotations

import dataclasses
from sqlite3 import Connection

from pypid.domain.core_metadata import FoundMetadata
from pypid.storage.cached import CachedRecords
from pypid.storage.references import References
from tests.storage.rows import ALICE, DEMO, MAIN, TWO, RecordsCase, a_row


class ReferencesTests(RecordsCase):
    def setUp(self) -> None:
        super().setUp()
        self.hosted = self.hosted_records()
        self.cache = self.database("cache")
        self.cached = CachedRecords(self.cache)
        self.references = References(self.database(), self.cache)

    def test_what_was_uploaded_and_its_metadata(self) -> None:
        self.assertEqual(self.result(self.references.hosted()), set())
        self.result(self.hosted.publish(a_row(), {}, ALICE))
        self.result(self.hosted.publish(a_row("demo-2.0.tar.gz", sha256="12" * 32, core_metadata="34" * 32), {}, ALICE))
        self.assertEqual(self.result(self.references.hosted()), {"ab" * 32, "12" * 32, "34" * 32})

    def test_what_was_fetched_and_what_was_found_in_it(self) -> None:
        self.assertEqual(self.result(self.references.cached()), set())
        self.result(self.cached.keep_file(MAIN, DEMO, "demo-1.0.tar.gz", "ab" * 32))
        found = FoundMetadata(
            filename="demo-1.0-py3-none-any.whl", identity="cd" * 32, claim=None, core_metadata="34" * 32, verified=True
        )
        self.result(self.cached.keep_found_metadata(MAIN, DEMO, found))
        without = dataclasses.replace(found, identity="ef" * 32, core_metadata=None)
        self.result(self.cached.keep_found_metadata(MAIN, DEMO, without))
        self.assertEqual(self.result(self.references.cached()), {"ab" * 32, "34" * 32})

    def test_what_is_forgotten_is_forgotten_for_every_index(self) -> None:
        for index in (MAIN, TWO):
            for sha256 in ("ab" * 32, "cd" * 32):
                self.result(self.cached.keep_file(index, DEMO, "demo-1.0.tar.gz", sha256))
        self.result(self.references.note_uses({"ab" * 32: 1.5, "cd" * 32: 2.5}))
        self.result(self.references.forget(["ab" * 32, "12" * 32]))
        self.assertEqual(self.result(self.references.cached()), {"cd" * 32})
        self.assertEqual(self.result(self.references.last_uses()), {"cd" * 32: 2.5})
        for index in (MAIN, TWO):
            self.assertIsNone(self.result(self.cached.file(index, DEMO, "demo-1.0.tar.gz", "ab" * 8)))

    def test_what_was_found_in_a_wheel_stays_true_without_its_blob(self) -> None:
        found = FoundMetadata(
            filename="demo-1.0-py3-none-any.whl", identity="cd" * 32, claim=None, core_metadata="34" * 32, verified=True
        )
        self.result(self.cached.keep_found_metadata(MAIN, DEMO, found))
        self.result(self.references.forget(["34" * 32, "cd" * 32]))
        self.assertEqual(self.result(self.cached.all_found_metadata(MAIN, DEMO)), [found])

    def test_uses_outlive_the_process(self) -> None:
        self.result(self.references.note_uses({"ab" * 32: 1.5, "cd" * 32: 2.5}))
        self.result(self.references.note_uses({"ab" * 32: 3.5}))
        self.cache.close()
        self.cache.open()
        self.assertEqual(self.result(self.references.last_uses()), {"ab" * 32: 3.5, "cd" * 32: 2.5})

    def test_forgetting_does_not_read_every_row(self) -> None:
        def plan(connection: Connection) -> str:
            rows = connection.execute("EXPLAIN QUERY PLAN DELETE FROM file WHERE sha256 = 'x'")
            return " ".join(str(row[3]) for row in rows)

        self.assertIn("INDEX file_sha256", self.result(self.cache.read(plan)))
