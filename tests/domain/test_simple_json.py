"""The JSON form of the Simple API."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pypid.domain import simple_json
from pypid.domain.files import DistributionFile, ProjectPage, ProjectStatus, Status
from pypid.domain.names import normalize_name
from pypid.domain.simple_json import parse_project, render_project, render_project_list
from pypid.domain.simple_page import InvalidPage, ParsedPage
from tests.domain.strategies import ANYWHERE, DEMO, URL, a_file, as_mirrored, hostile_texts, page_of, pages, patient

SHA256 = "ab" * 32
METADATA = "cd" * 32
PROVENANCE = "https://index.test/integrity/demo/1.9/demo-1.9-py3-none-any.whl/provenance"

PYPI = (
    """\
{
  "meta": {"_last-serial": 24888689, "api-version": "1.4"},
  "name": "Demo",
  "alternate-locations": [],
  "project-status": {"status": "active"},
  "versions": ["1.10", "1.9", "0.1.dev0"],
  "files": [
    {
      "core-metadata": {"sha256": "METADATA"},
      "data-dist-info-metadata": {"sha256": "METADATA"},
      "filename": "demo-1.9-py3-none-any.whl",
      "hashes": {"sha256": "SHA256"},
      "provenance": "PROVENANCE",
      "requires-python": ">=3.9",
      "size": 62574,
      "upload-time": "2023-05-22T15:12:42.313790Z",
      "url": "https://files.test/packages/70/8e/demo-1.9-py3-none-any.whl",
      "yanked": false
    },
    {
      "core-metadata": false,
      "data-dist-info-metadata": false,
      "filename": "demo-1.10.tar.gz",
      "hashes": {"md5": "00", "sha256": "SHA256"},
      "provenance": null,
      "requires-python": null,
      "size": 110794,
      "upload-time": "2023-05-22T15:12:44.175Z",
      "url": "../../packages/9d/be/demo-1.10.tar.gz",
      "yanked": "broken on Tuesdays"
    }
  ]
}
""".replace("METADATA", METADATA)
    .replace("SHA256", SHA256)
    .replace("PROVENANCE", PROVENANCE)
)


def parsed(page: Any) -> ParsedPage:
    body = page if isinstance(page, bytes) else json.dumps(page).encode()
    return parse_project(body, url=URL, project=DEMO, allowed=ANYWHERE)


def entry(**keys: Any) -> dict[str, Any]:
    """Return a file as it is on the wire; underlines in ``keys`` are the wire's hyphens."""
    usual = {"filename": "demo-1.0.tar.gz", "url": "demo-1.0.tar.gz", "hashes": {"sha256": SHA256}}
    return usual | {name.replace("_", "-"): value for name, value in keys.items()}


def only(**keys: Any) -> DistributionFile:
    """Return how the one file of a page with these keys is understood."""
    page = parsed({"files": [entry(**keys)]})
    assert len(page.files) == 1, page.dropped
    return page.files[0]


def rendered(*files: DistributionFile) -> Any:
    return json.loads(render_project(page_of(*files)))


class ParseTests(SynchronousTestCase):
    def test_pypi(self) -> None:
        """A page as PyPI sends it."""
        page = parsed(PYPI.encode())
        self.assertEqual(
            page.files,
            (
                DistributionFile(
                    filename="demo-1.9-py3-none-any.whl",
                    sha256=SHA256,
                    size=62574,
                    upload_time=datetime(2023, 5, 22, 15, 12, 42, 313790, tzinfo=UTC),
                    requires_python=">=3.9",
                    core_metadata=METADATA,
                    provenance=PROVENANCE,
                    origin="https://files.test/packages/70/8e/demo-1.9-py3-none-any.whl",
                ),
                DistributionFile(
                    filename="demo-1.10.tar.gz",
                    sha256=SHA256,
                    size=110794,
                    upload_time=datetime(2023, 5, 22, 15, 12, 44, 175000, tzinfo=UTC),
                    yanked="broken on Tuesdays",
                    origin="https://index.test/root/packages/9d/be/demo-1.10.tar.gz",
                ),
            ),
        )
        self.assertEqual(page.versions, ("0.1.dev0", "1.9", "1.10"))
        self.assertEqual(page.dropped, ())
        self.assertEqual(page.status, ProjectStatus(Status.ACTIVE))

    def test_no_files(self) -> None:
        """A project whose releases are all deleted is a page, not an error."""
        page = parsed({"meta": {"api-version": "1.0"}, "name": "demo", "files": []})
        self.assertEqual(page, ParsedPage((), (), ()))

    def test_quarantined(self) -> None:
        """The files of a project that is unsafe are not offered, even by an upstream that lists them."""
        status = {"status": "quarantined", "reason": "malware"}
        page = parsed({"files": [entry()], "versions": ["1.0"], "project-status": status})
        self.assertEqual(page, ParsedPage((), ("1.0",), (), ProjectStatus(Status.QUARANTINED, "malware")))

    def test_bad_status(self) -> None:
        """One that nobody knows costs itself, not the page."""
        wrong: list[Any] = [None, "archived", [], 1, {}, {"status": None}, {"status": "frozen"}, {"reason": "why"}]
        for status in wrong:
            page = parsed({"files": [entry()], "project-status": status})
            self.assertEqual((len(page.files), page.status), (1, None), status)

    def test_pep_708(self) -> None:
        """What was rejected is not handed on."""
        page = parsed(
            {
                "meta": {"api-version": "1.2", "tracks": ["https://tracked.test/simple/demo/"]},
                "alternate-locations": ["https://alternate.test/simple/demo/"],
                "files": [entry()],
            }
        )
        body = render_project(page_of(*page.files, status=page.status))
        for word in (b"tracks", b"alternate", b"tracked.test"):
            self.assertNotIn(word, body)

    def test_versions_of_files(self) -> None:
        """An upstream of version 1.0, or one that is wrong about them, leaves the versions to the filenames."""
        for versions in (
            {},
            {"versions": None},
            {"versions": "1.0"},
            {"versions": [1, None]},
            {"versions": ["9" * 5000]},
        ):
            page = parsed({"files": [entry()], **versions})
            self.assertEqual(page.versions, ("1.0",), versions)

    def test_api_versions(self) -> None:
        """Newer minor versions only add to what we read; of another major version nothing is known."""
        for meta in ({}, {"api-version": None}, {"api-version": "1.99"}, {"api-version": "1"}):
            self.assertEqual(len(parsed({"meta": meta, "files": [entry()]}).files), 1, meta)
        for version in ("2.0", "0.9", "", "one", "11.0"):
            with self.assertRaises(InvalidPage, msg=version):
                parsed({"meta": {"api-version": version}, "files": [entry()]})

    def test_other_project(self) -> None:
        """Another project's page, sent by a confused cache, is no answer; another spelling is."""
        self.assertEqual(len(parsed({"name": "DEMO", "files": [entry()]}).files), 1)
        for name in ("other", "", "de mo"):
            with self.assertRaisesRegex(InvalidPage, "not of demo", msg=name):
                parsed({"name": name, "files": []})

    def test_one_bad_entry(self) -> None:
        """An entry that is wrong costs itself, and is named."""
        wrong: list[Any] = [
            entry(filename=7),
            entry(size="7"),
            entry(hashes=[]),
            entry(yanked=1),
            {"url": "x"},
            None,
            7,
            [],
        ]
        for bad in wrong:
            page = parsed({"files": [entry(), bad, entry(filename="demo-2.0.tar.gz")]})
            self.assertEqual([file.filename for file in page.files], ["demo-1.0.tar.gz", "demo-2.0.tar.gz"], bad)
            self.assertEqual(len(page.dropped), 1, bad)
            self.assertIn("entry 2", page.dropped[0])

    def test_sieved(self) -> None:
        """Entries go through the filter that HTML pages go through."""
        page = parsed({"files": [entry(filename="other-1.0.tar.gz"), entry(hashes={"md5": "00"})]})
        self.assertEqual(page.files, ())
        self.assertEqual(len(page.dropped), 2)

    def test_nulls_and_unknown_keys(self) -> None:
        self.assertEqual(
            only(
                size=None,
                upload_time=None,
                requires_python=None,
                yanked=None,
                core_metadata=None,
                provenance=None,
                gpg_sig=True,
                x=[{}],
            ),
            only(),
        )

    def test_absurd_sizes(self) -> None:
        """A size that no file has is not known; it must not become a Content-Length."""
        for size in (-1, 1 << 41, 10**30):
            self.assertIsNone(only(size=size).size, size)
        self.assertEqual(only(size=0).size, 0)

    def test_yanked(self) -> None:
        for wire, expected in ((True, ""), ("", ""), ("why", "why"), (False, None), (None, None)):
            self.assertEqual(only(yanked=wire).yanked, expected, wire)

    def test_empty_requires_python(self) -> None:
        self.assertIsNone(only(requires_python="").requires_python)

    def test_bad_provenance(self) -> None:
        self.assertIsNone(only(provenance="http://index.test/provenance").provenance)

    def test_bad_time(self) -> None:
        self.assertIsNone(only(upload_time="yesterday").upload_time)

    def test_core_metadata(self) -> None:
        """Under any of its three names, and only with a digest to hold it to."""
        for name in ("core_metadata", "dist_info_metadata", "data_dist_info_metadata"):
            self.assertEqual(only(**{name: {"sha256": METADATA.upper()}}).core_metadata, METADATA, name)
            for claim in (True, False, None, {}, {"sha256": "short"}, {"md5": "00"}):
                self.assertIsNone(only(**{name: claim}).core_metadata, (name, claim))
        self.assertEqual(only(core_metadata=True, dist_info_metadata={"sha256": METADATA}).core_metadata, METADATA)

    def test_invalid(self) -> None:
        """What is no page is refused as such, whatever is wrong with it."""
        for body in (
            b"",
            b"null",
            b"[]",
            b"{}",
            b'{"files": null}',
            b'{"files": {}}',
            b'{"files": []',
            b'{"files": []} x',
            b'{"files": [NaN]}',
            b'{"files": [], "x": NaN}',
            b'{"files": [], "x": Infinity}',
            b'\xef\xbb\xbf{"files": []}',
            b'{"files": [], "x": "\xff"}',
            b'{"files": [], "x": "\xed\xa0\x80"}',
            '{"files": []}'.encode("utf-16"),
            b'{"files": [], "meta": 1}',
            b'{"files": [], "meta": {"api-version": 1.0}}',
            b'{"files": [], "name": "\\ud800"}',
            b'{"files": [], "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
            b'{"files": [' + b'{"x":' * 100_000 + b"1" + b"}" * 100_000 + b"]}",
            b"<!DOCTYPE html><html></html>",
        ):
            with self.assertRaises(InvalidPage, msg=repr(body[:60])):
                parsed(body)

    def test_comma_bomb(self) -> None:
        """A small page that would take gigabytes to read is refused unread."""
        self.patch(simple_json, "_MAX_COMMAS", 10)
        with self.assertRaisesRegex(InvalidPage, "more than 10 values"):
            parsed({"files": [], "x": [0] * 12})

    @patient
    @given(st.binary(max_size=200))
    def test_any_bytes(self, body: bytes) -> None:
        with self.assertRaises(InvalidPage):
            parsed(b"{" + body)

    _values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | hostile_texts,
        lambda inner: (
            st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["sha256", "x"]), inner, max_size=2)
        ),
        max_leaves=4,
    )

    @patient
    @given(
        st.dictionaries(
            st.sampled_from(
                [
                    "filename",
                    "url",
                    "hashes",
                    "size",
                    "upload-time",
                    "requires-python",
                    "yanked",
                    "core-metadata",
                    "provenance",
                ]
            ),
            _values,
        )
    )
    def test_any_entry(self, keys: dict[str, Any]) -> None:
        """Whatever one entry says, the one beside it is there."""
        page = parsed({"files": [entry() | keys, entry(filename="demo-2.0.tar.gz")]})
        self.assertEqual(page.files[-1].filename, "demo-2.0.tar.gz")
        self.assertEqual(len(page.files) + len(page.dropped), 2)


class RenderTests(SynchronousTestCase):
    def test_whole(self) -> None:
        """Every key, as PEP 691, 700, 714, 740 and 792 have it."""
        file = replace(a_file(requires_python=">=3.9", yanked="why"), core_metadata=METADATA, provenance=PROVENANCE)
        page = page_of(file, status=ProjectStatus(Status.ARCHIVED, "it is done"))
        self.assertEqual(
            json.loads(render_project(page)),
            {
                "meta": {"api-version": "1.4"},
                "name": "demo",
                "versions": ["1.0"],
                "project-status": {"status": "archived", "reason": "it is done"},
                "files": [
                    {
                        "filename": "demo-1.0.tar.gz",
                        "url": "../../files/demo/abababababababab/demo-1.0.tar.gz",
                        "hashes": {"sha256": SHA256},
                        "size": 7,
                        "upload-time": "2026-01-02T03:04:05.000006Z",
                        "requires-python": ">=3.9",
                        "yanked": "why",
                        "core-metadata": {"sha256": METADATA},
                        "dist-info-metadata": {"sha256": METADATA},
                        "provenance": PROVENANCE,
                    }
                ],
            },
        )

    def test_core_metadata_of_which_the_digest_is_not_known(self) -> None:
        (file,) = rendered(replace(a_file(), core_metadata=""))["files"]
        self.assertEqual((file["core-metadata"], file["dist-info-metadata"]), (True, True))

    def test_left_out(self) -> None:
        """What is not known is absent: uv rejects a page with nulls."""
        (file,) = rendered(DistributionFile(filename="demo-1.0.tar.gz", sha256=SHA256))["files"]
        self.assertEqual(set(file), {"filename", "url", "hashes"})
        archived = json.loads(render_project(page_of(status=ProjectStatus(Status.ARCHIVED))))
        self.assertEqual(archived["project-status"], {"status": "archived"})

    @patient
    @given(pages)
    def test_never_null_or_false(self, page: ProjectPage) -> None:
        body = json.loads(render_project(page))
        for said in (body, body["meta"], body.get("project-status", {}), *body["files"]):
            self.assertEqual([key for key, value in said.items() if value is None or value is False], [])

    def test_origin_is_secret(self) -> None:
        self.assertNotIn(b"upstream.test", render_project(page_of(replace(a_file(), origin="https://upstream.test/x"))))

    def test_yanked_without_reason(self) -> None:
        self.assertIs(rendered(a_file(yanked=""))["files"][0]["yanked"], True)

    def test_unknown_size(self) -> None:
        """A page with a file of unknown size does not claim a version that makes sizes mandatory."""
        page = rendered(a_file(), replace(a_file("demo-2.0.tar.gz"), size=None))
        self.assertEqual(page["meta"], {"api-version": "1.0"})

    def test_empty(self) -> None:
        self.assertEqual(rendered(), {"meta": {"api-version": "1.4"}, "name": "demo", "versions": [], "files": []})

    def test_named_versions(self) -> None:
        """A version that upstream names without a file stays."""
        page = ProjectPage(name=DEMO, files=(a_file(),), revision="1", versions=("0.9", "1.0"))
        self.assertEqual(json.loads(render_project(page))["versions"], ["0.9", "1.0"])

    def test_early_years(self) -> None:
        """A date before the year 1000 keeps its four digits."""
        (file,) = rendered(replace(a_file(), upload_time=datetime(33, 4, 3, tzinfo=UTC)))["files"]
        self.assertEqual(file["upload-time"], "0033-04-03T00:00:00.000000Z")

    def test_lone_surrogates(self) -> None:
        """One bad character in a reason must not cost the page."""
        (file,) = rendered(a_file(yanked="\ud800", requires_python="\udfff"))["files"]
        self.assertEqual((file["yanked"], file["requires-python"]), ("?", "?"))
        page = json.loads(render_project(page_of(status=ProjectStatus(Status.ARCHIVED, "\ud800"))))
        self.assertEqual(page["project-status"]["reason"], "?")

    @patient
    @given(pages)
    def test_read_back(self, page: ProjectPage) -> None:
        """Another pypid that mirrors this one has the same files."""
        back = parse_project(render_project(page), url=URL, project=DEMO, allowed=ANYWHERE)
        self.assertEqual(back.files, tuple(as_mirrored(file) for file in page.files))
        self.assertEqual(back.dropped, ())
        self.assertEqual(back.versions, page.versions)
        self.assertEqual(back.status, page.status)

    @patient
    @given(pages)
    def test_independent_reader(self, page: ProjectPage) -> None:
        """Hostile text is text to any JSON parser, and links lead to /files/ wherever the page is."""
        body = json.loads(render_project(page))
        for file, wire in zip(page.files, body["files"], strict=True):
            self.assertEqual(wire["filename"], file.filename)
            self.assertEqual(wire.get("requires-python"), file.requires_python)
            self.assertEqual(wire.get("yanked"), None if file.yanked is None else file.yanked or True)
            self.assertEqual(wire.get("provenance"), file.provenance)
            self.assertTrue(urljoin(URL, wire["url"]).startswith("https://index.test/root/files/demo/"), wire["url"])

    def test_list(self) -> None:
        body = json.loads(b"".join(render_project_list([normalize_name("A"), normalize_name("b_c")])))
        self.assertEqual(body, {"meta": {"api-version": "1.4"}, "projects": [{"name": "a"}, {"name": "b-c"}]})
