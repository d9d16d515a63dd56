"""What the databases know for searches, and beside the pages."""

from __future__ import annotations

from pypid.domain.names import NormalizedName
from pypid.domain.release_facts import OtherDigests
from pypid.domain.search import Hit, Query
from pypid.storage.cached import JSON, CachedRecords, StoredPage
from tests.storage.rows import ALICE, DEMO, MAIN, OTHER, TWO, RecordsCase, a_row

EVERYTHING = Query(names=[""])


class HostedSearchTests(RecordsCase):
    def setUp(self) -> None:
        super().setUp()
        self.records = self.hosted_records()

    def publish(self, version: str, **values: object) -> None:
        row = a_row(f"demo-{version}.tar.gz", **{"version": version, **values})
        self.successResultOf(self.records.publish(row, {}, ALICE))

    def hits(self) -> list[Hit]:
        return self.result(self.records.search(MAIN, EVERYTHING))

    def test_latest_release_speaks_for_the_project(self) -> None:
        for version in ("1.9", "1.10", "2.0rc1", "1.2"):
            self.publish(version, summary=f"This is {version}")
        self.assertEqual(self.hits(), [Hit(DEMO, "1.10", "This is 1.10")])

    def test_yanked_release_speaks_only_where_there_is_no_other(self) -> None:
        self.publish("2.0", yanked="")
        self.assertEqual([hit.version for hit in self.hits()], ["2.0"])
        self.publish("1.0")
        self.assertEqual([hit.version for hit in self.hits()], ["1.0"])

    def test_wheel_speaks_before_the_sdist(self) -> None:
        self.publish("1.0", summary="Of the sdist")
        self.successResultOf(
            self.records.publish(
                a_row("demo-1.0-py3-none-any.whl", filetype="bdist_wheel", summary="Of the wheel"), {}, ALICE
            )
        )
        self.assertEqual([hit.summary for hit in self.hits()], ["Of the wheel"])

    def test_nothing_said_is_an_empty_text(self) -> None:
        self.publish("1.0", summary=None)
        self.assertEqual(self.hits(), [Hit(DEMO, "1.0", "")])

    def test_other_index_is_not_searched(self) -> None:
        self.publish("1.0", index_name=TWO)
        self.assertEqual(self.hits(), [])

    def test_other_digests(self) -> None:
        self.publish("1.0")
        known = self.result(self.records.other_digests(MAIN, DEMO))
        self.assertEqual(known, {("demo-1.0.tar.gz", "ab" * 32): OtherDigests(md5="ef" * 16, blake2b_256="cd" * 32)})
        self.assertEqual(self.result(self.records.other_digests(MAIN, OTHER)), {})


class CachedSearchTests(RecordsCase):
    schema = "cache"

    def setUp(self) -> None:
        super().setUp()
        self.records = CachedRecords(self.database())

    def keep(self, version: str | None, summary: str | None = None, *kind: str, project: NormalizedName = DEMO) -> None:
        page = StoredPage(
            upstream="http://upstream.test/simple/",
            url="http://upstream.test/simple/demo/",
            content_type="text/html",
            encoding="identity",
            body=b"",
            etag=None,
            last_modified=None,
            fetched_at=0.0,
            version=version,
            summary=summary,
        )
        self.successResultOf(self.records.keep_page(MAIN, project, page, *kind))

    def hits(self) -> list[Hit]:
        return self.result(self.records.search(MAIN, EVERYTHING))

    def test_page_has_the_version_and_the_json_the_summary(self) -> None:
        self.keep("2.0")
        self.assertEqual(self.hits(), [Hit(DEMO, "2.0", "")])
        self.keep("1.0", "Of the latest", JSON)
        self.keep("0.9", "Of an old one", f"{JSON}/0.9")
        self.assertEqual(self.hits(), [Hit(DEMO, "2.0", "Of the latest")])

    def test_project_without_a_page_or_a_release_is_not_found(self) -> None:
        self.keep("1.0", "x", JSON)
        self.keep(None, project=OTHER)
        self.assertEqual(self.hits(), [])

    def test_kinds_do_not_take_each_others_place(self) -> None:
        self.keep("1.0")
        self.keep("2.0", "x", JSON)
        self.successResultOf(self.records.page_confirmed(MAIN, DEMO, 7.0, JSON))
        page, document = (self.result(self.records.page(MAIN, DEMO, *kind)) for kind in ((), (JSON,)))
        assert page is not None
        assert document is not None
        self.assertEqual((page.version, page.fetched_at), ("1.0", 0.0))
        self.assertEqual((document.version, document.fetched_at), ("2.0", 7.0))
        self.successResultOf(self.records.drop_page(MAIN, DEMO))
        self.assertIsNotNone(self.result(self.records.page(MAIN, DEMO, JSON)))
