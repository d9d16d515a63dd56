"""Where a search looks, and which of several layers a name belongs to."""

from packaging.version import Version

from pypid.domain.names import IndexName, NormalizedName
from pypid.domain.search import Hit, Query
from pypid.indexes.index import Index
from pypid.indexes.layered import LayeredIndex
from tests.indexes.stores import StoresTestCase
from tests.indexes.test_publishing import publish
from tests.kit.dists import Dist, wheel
from tests.upstream.network import start


class SearchTests(StoresTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.mirrored = self.mirror()
        self.layered = LayeredIndex(IndexName("main"), [self.hosted_index(), self.mirrored])

    def found(self, *words: str, index: Index | None = None) -> list[Hit]:
        query = Query(names=words, summaries=words)
        return self.successResultOf(start((index or self.layered).search(query)))

    def cache(self, dist: Dist) -> None:
        self.index.add(dist)
        self.successResultOf(start(self.mirrored.project_page(dist.project)))

    def publish(self, dist: Dist) -> None:
        self.successResultOf(publish(self.publisher(), dist))

    def test_hosted_project_with_its_summary(self) -> None:
        self.publish(wheel("demo", "1.0", summary="Old"))
        self.publish(wheel("demo", "2.0", summary="A tool"))
        self.publish(wheel("demo", "1.5", summary="Late"))
        expected = [Hit(NormalizedName("demo"), "2.0", "A tool")]
        self.assertEqual((self.found("demo"), self.found("TOOL"), self.found("old")), (expected, expected, []))

    def test_cached_project_without_asking_upstream(self) -> None:
        self.index.add(wheel("demo-never-asked-for"))
        self.cache(wheel("demo", "1.0", summary="Theirs"))
        asked = self.index.count()
        self.assertEqual(self.found("demo"), [Hit(NormalizedName("demo"), "1.0", "")])
        self.assertEqual(self.index.count(), asked)

    def test_summary_of_a_cached_project_is_known_with_its_json(self) -> None:
        dist = wheel("demo", "1.0", summary="Theirs")
        self.cache(dist)
        self.successResultOf(start(self.mirrored.release_facts(dist.project, Version(dist.version), latest=True)))
        self.assertEqual(self.found("theirs"), [Hit(NormalizedName("demo"), "1.0", "Theirs")])

    def test_hosted_name_hides_the_cached_one(self) -> None:
        """Also where what is looked for is said of the cached one only."""
        dist = wheel("demo", "9.0", summary="Theirs")
        self.cache(dist)
        self.successResultOf(start(self.mirrored.release_facts(dist.project, Version(dist.version), latest=True)))
        self.publish(wheel("demo", "1.0", summary="Ours"))
        self.assertEqual(self.found("demo"), [Hit(NormalizedName("demo"), "1.0", "Ours")])
        self.assertEqual(self.found("theirs"), [])
        self.assertEqual(len(self.found("theirs", index=self.mirrored)), 1)

    def test_layers_together_have_one_order(self) -> None:
        self.publish(wheel("zz-demo"))
        self.cache(wheel("demo"))
        self.publish(wheel("demo-b"))
        self.cache(wheel("demo-a"))
        self.assertEqual([hit.project for hit in self.found("demo")], ["demo", "demo-a", "demo-b", "zz-demo"])
