"""What the legacy JSON says, of any page and any metadata."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version
from twisted.trial.unittest import SynchronousTestCase

from pypid.domain.files import DistributionFile, ProjectPage
from pypid.domain.legacy_json import render
from pypid.domain.names import normalize_name
from pypid.domain.release_facts import OtherDigests, ReleaseFacts
from pypid.domain.releases import choose_release, releases_of
from tests.domain.strategies import pages, patient

DEMO = normalize_name("demo")


def a_file(version: str, *, yanked: str | None = None, origin: str | None = None) -> DistributionFile:
    filename = f"demo-{version}-py2.py3-none-any.whl"
    return DistributionFile(filename=filename, sha256="ab" * 32, yanked=yanked, core_metadata="cd" * 32, origin=origin)


def a_page(*files: DistributionFile, versions: tuple[str, ...] = ()) -> ProjectPage:
    return ProjectPage(name=DEMO, files=files, revision="1", versions=versions)


def rendered(page: ProjectPage, metadata: bytes = b"", facts: ReleaseFacts | None = None, *, whole: bool = True) -> Any:
    releases = releases_of(page)
    version = choose_release(releases, None)
    facts = facts or ReleaseFacts(metadata=metadata)
    return json.loads(render(page, releases, version, facts, base="http://host/", whole=whole))


class MetadataTests(SynchronousTestCase):
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


class NothingTests(SynchronousTestCase):
    def test_project_without_any_file(self) -> None:
        body = rendered(a_page())
        self.assertEqual((body["info"]["version"], body["releases"], body["urls"]), ("", {}, []))


class UpstreamTests(SynchronousTestCase):
    """What upstream said is about the release that it takes for the latest, which may not be the page's."""

    page = a_page(a_file("1.0"), a_file("2.0"))

    def test_release_that_upstream_takes_for_the_latest_is_chosen(self) -> None:
        facts = ReleaseFacts(version=Version("1.0"), info={"summary": "One"}, vulnerabilities=[{"id": "V"}])
        body = rendered(self.page, facts=facts)
        self.assertEqual((body["info"]["version"], body["info"]["summary"]), ("1.0", "One"))
        self.assertEqual((body["urls"], body["vulnerabilities"]), (body["releases"]["1.0"], [{"id": "V"}]))

    def test_nothing_is_said_of_another_release_than_was_asked_for(self) -> None:
        said: Any = {"info": {"summary": "Other"}, "vulnerabilities": [{"id": "V"}]}
        for version, whole in (("1.0", False), ("9.9", True)):
            body = rendered(self.page, facts=ReleaseFacts(version=Version(version), **said), whole=whole)
            self.assertEqual((body["info"]["version"], body["info"]["summary"]), ("2.0", None))
            self.assertEqual(body["vulnerabilities"], [])

    def test_digests_are_those_of_the_very_file(self) -> None:
        file = a_file("2.0")
        others = OtherDigests(md5="ef" * 16, blake2b_256="01" * 32)
        for sha256, expected in ((file.identity, others.md5), ("00" * 32, None)):
            facts = ReleaseFacts(digests={(file.filename, sha256): others})
            (entry,) = rendered(a_page(file), facts=facts)["urls"]
            self.assertEqual((entry["md5_digest"], entry["digests"].get("md5")), (expected, expected))
            self.assertEqual(entry["digests"]["sha256"], file.sha256)
