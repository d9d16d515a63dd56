"""Which release is the latest, and which one is meant."""

from packaging.version import Version
from twisted.trial.unittest import SynchronousTestCase

from pypid.domain.errors import FileNotFound
from pypid.domain.files import DistributionFile
from pypid.domain.releases import choose_release, latest, releases_of
from tests.domain.test_legacy_json import a_file, a_page


class LatestTests(SynchronousTestCase):
    def latest(self, *files: DistributionFile, versions: tuple[str, ...] = ()) -> str:
        return str(choose_release(releases_of(a_page(*files, versions=versions)), None))

    def test_version_counts_and_not_the_order(self) -> None:
        self.assertEqual(self.latest(a_file("1.10"), a_file("1.9")), "1.10")

    def test_final_before_prerelease(self) -> None:
        self.assertEqual(self.latest(a_file("1.0"), a_file("2.0rc1")), "1.0")
        self.assertEqual(self.latest(a_file("1.0a1"), a_file("1.0a2")), "1.0a2")

    def test_yanked_only_where_there_is_nothing_else(self) -> None:
        self.assertEqual(self.latest(a_file("1.0a1"), a_file("2.0", yanked="")), "1.0a1")
        self.assertEqual(self.latest(a_file("2.0", yanked="")), "2.0")

    def test_version_without_a_file_is_not_the_latest(self) -> None:
        self.assertEqual(self.latest(a_file("1.0"), versions=("1.0", "2.0", "no version")), "1.0")

    def test_nothing_at_all(self) -> None:
        self.assertIsNone(choose_release(releases_of(a_page()), None))

    def test_wanted(self) -> None:
        releases = releases_of(a_page(a_file("1.0")))
        self.assertEqual(str(choose_release(releases, "v1")), "1.0")
        for wanted in ("2.0", "x", "", "9" * 5000):
            self.assertRaises(FileNotFound, choose_release, releases, wanted)

    def test_versions_alone(self) -> None:
        one, two, final = Version("1.0"), Version("2.0"), Version("0.9")
        self.assertEqual(latest({one: False, two: False}), two)
        self.assertEqual(latest({one: False, two: True}), one)
        self.assertEqual(latest({Version("3.0rc1"): False, final: False}), final)
