"""A mirror while its upstream is not asked: what is here is served, of the rest nothing is said."""

from __future__ import annotations

from dataclasses import replace

from pypid.domain.errors import PackageIndexError, UpstreamUnavailable
from pypid.domain.files import ProjectPage
from pypid.domain.names import IndexName, NormalizedName
from pypid.indexes.index import Index
from pypid.indexes.layered import LayeredIndex
from pypid.indexes.offline import OfflineIndex
from tests.indexes.stores import DEMO, StoresTestCase
from tests.kit.dists import Dist, sdist, wheel
from tests.upstream.network import ASKING, client_over, start

YEARS = 3 * 365 * 86400


class OfflineTests(StoresTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.clock.advance(1_800_000_000)
        self.here, self.beside = self.index.add(wheel("demo")), self.index.add(sdist("demo"))
        self.other = self.index.add(wheel("other"))
        mirror = self.mirror()
        self.successResultOf(start(mirror.project_page(NormalizedName("other"))))
        self.read(mirror, self.here)
        self.clock.advance(YEARS)
        self.before = len(self.index.requests)
        self.addCleanup(lambda: self.assertEqual(len(self.index.requests), self.before, "nobody was asked"))
        self.client = client_over(self.agent, self.clock, rules=replace(ASKING, offline=True))
        mirroring = replace(self.mirroring(), offline=True)
        self.offline: Index = OfflineIndex(self.mirror(mirroring=mirroring), self.cached)

    def read(self, index: Index, dist: Dist) -> bytes:
        body = self.successResultOf(start(index.open_file(DEMO, dist.filename, dist.sha256[:16])))
        return self.successResultOf(self.read_all(body))

    def page(self) -> ProjectPage:
        return self.successResultOf(start(self.offline.project_page(DEMO)))

    def unknown(self, name: str) -> PackageIndexError:
        why = self.failureResultOf(start(self.offline.project_page(NormalizedName(name))), UpstreamUnavailable).value
        assert isinstance(why, UpstreamUnavailable)
        self.assertEqual((why.detail, why.retry_after), ("offline", 1))
        return why

    def test_page_lists_the_files_that_are_here_however_old_it_is(self) -> None:
        page = self.page()
        self.assertEqual([file.filename for file in page.files], [self.here.filename])
        self.assertEqual((page.max_age, page.cache_status.detail), (0, "offline"))
        self.assertEqual(self.read(self.offline, self.here), self.here.content)

    def test_page_is_another_one_when_other_files_are_here(self) -> None:
        before = self.page().revision
        self.successResultOf(
            start(self.cached.keep_file(self.offline.name, DEMO, self.beside.filename, self.beside.sha256))
        )
        self.assertNotEqual(self.page().revision, before)

    def test_project_list_has_those_of_which_a_file_is_here(self) -> None:
        self.assertEqual(list(self.successResultOf(start(self.offline.project_list()))), [DEMO])

    def test_project_of_which_nothing_is_here_is_unknown_never_missing_nor_empty(self) -> None:
        """Its page may be here: an empty one would send installers elsewhere as well."""
        for name in ("other", "missing"):
            self.unknown(name)

    def test_file_that_is_not_here_is_unknown_never_missing(self) -> None:
        digest = self.beside.sha256[:16]
        for filename, prefix in ((self.beside.filename, digest), ("demo-9.0.tar.gz", digest)):
            asking = start(self.offline.open_file(DEMO, filename, prefix)).addCallback(self.read_all)
            self.failureResultOf(asking, UpstreamUnavailable)

    def test_core_metadata_is_read_from_the_wheel_that_is_here(self) -> None:
        """Nobody had asked for it, and every resolver will."""
        asking = start(self.offline.open_core_metadata(DEMO, self.here.filename, self.here.sha256[:16]))
        body = self.successResultOf(asking)
        self.assertEqual(self.successResultOf(self.read_all(body)), self.here.metadata)

    def test_layered_index_stops_where_nothing_is_known(self) -> None:
        """A base after it may have a stranger's project of that name."""
        self.offline = LayeredIndex(IndexName("main"), [self.hosted_index(), self.offline, self.hosted_index("own")])
        self.assertEqual(len(self.page().files), 1)
        self.unknown("other")

    def test_whoever_wants_the_newest_gets_what_is_here(self) -> None:
        self.successResultOf(start(self.offline.project_page(DEMO, newest=True)))
