"""Which release the legacy JSON is about, and what it says of any metadata."""

import json
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pypid.domain.errors import FileNotFound
from pypid.domain.files import DistributionFile, ProjectPage
from pypid.domain.legacy_json import choose_release, file_with_metadata, releases_of, render
from pypid.domain.names import normalize_name
from tests.domain.strategies import pages, patient

DEMO = normalize_name("demo")


def a_file(version: str, *, yanked: str | None = None, origin: str | None = None) -> DistributionFile:
    filename = f"demo-{version}-py2.py3-none-any.whl"
    return DistributionFile(filename=filename, sha256="ab" * 32, yanked=yanked, core_metadata="cd" * 32, origin=origin)


def a_page(*files: DistributionFile, versions: tuple[str, ...] = ()) -> ProjectPage:
    return ProjectPage(name=DEMO, files=files, revision="1", versions=versions)


def rendered(page: ProjectPage, metadata: bytes = b"") -> Any:
    releases = releases_of(page)
    version = choose_release(releases, None)
    return json.loads(render(page, releases, version, metadata=metadata, base="http://host/", whole=True))


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
        body = rendered(a_page())
        self.assertEqual((body["info"]["version"], body["releases"], body["urls"]), ("", {}, []))

    def test_wanted(self) -> None:
        releases = releases_of(a_page(a_file("1.0")))
        self.assertEqual(str(choose_release(releases, "v1")), "1.0")
        for wanted in ("2.0", "x", "", "9" * 5000):
            self.assertRaises(FileNotFound, choose_release, releases, wanted)


class MetadataTests(SynchronousTestCase):
    def test_newest_upload_has_it_and_no_mirrored_file(self) -> None:
        old, new = a_file("1.0"), a_file("2.0")
        mirrored = a_file("3.0", origin="https://upstream.test/x")
        bare = replace(a_file("4.0"), core_metadata=None)
        self.assertIs(file_with_metadata([old, new, mirrored, bare]), new)
        self.assertIsNone(file_with_metadata([mirrored, bare]))

    def test_all_of_it(self) -> None:
        metadata = (
            b"Metadata-Version: 2.4\nName: De.mo\nVersion: 1.0\nKeywords: a,b\nClassifier: X :: Y\n"
            b"Project-URL: Home, https://x.test\nDescription-Content-Type: text/markdown\n"
            b"License-Expression: MIT\n\n# Hi\n"
        )
        info = rendered(a_page(a_file("1.0")), metadata)["info"]
        self.assertEqual((info["name"], info["keywords"], info["classifiers"]), ("De.mo", "a,b", ["X :: Y"]))
        self.assertEqual((info["project_urls"], info["license_expression"]), ({"Home": "https://x.test"}, "MIT"))
        self.assertEqual((info["description"], info["description_content_type"]), ("# Hi\n", "text/markdown"))

    def test_yanked_release_says_so(self) -> None:
        body = rendered(a_page(a_file("1.0", yanked="broken")))
        self.assertEqual((body["info"]["yanked"], body["info"]["yanked_reason"]), (True, "broken"))
        self.assertEqual((body["urls"][0]["yanked"], body["urls"][0]["yanked_reason"]), (True, "broken"))
        self.assertEqual(rendered(a_page(a_file("1.0", yanked="")))["info"]["yanked_reason"], None)

    @patient
    @given(pages, st.binary(max_size=200))
    def test_any_page_and_any_metadata_is_json(self, page: ProjectPage, metadata: bytes) -> None:
        body = rendered(page, metadata)
        self.assertEqual(sum(map(len, body["releases"].values())), len(page.files))

    @patient
    @given(st.lists(st.text(st.characters(codec="utf-8"), max_size=20), max_size=5))
    def test_any_field(self, values: list[str]) -> None:
        lines = [f"{name}: {value}" for value in values for name in ("Keywords", "Project-URL", "Summary", "Name")]
        self.assertIn("info", rendered(a_page(a_file("1.0")), "\n".join(lines).encode()))
