"""What an upstream's legacy JSON may be, and what is believed of it."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version
from twisted.trial.unittest import SynchronousTestCase

from pypid.domain.legacy_json import render
from pypid.domain.names import normalize_name
from pypid.domain.release_facts import OtherDigests, ReleaseFacts
from pypid.domain.releases import releases_of
from pypid.domain.simple_page import InvalidPage
from pypid.domain.upstream_json import MAX_COMMAS, parse_release
from tests.domain.strategies import patient
from tests.domain.test_legacy_json import a_file, a_page

DEMO = normalize_name("demo")
MD5, SHA256, BLAKE2 = "ab" * 16, "cd" * 32, "ef" * 32
FILE = {"filename": "demo-1.0.tar.gz", "digests": {"md5": MD5, "sha256": SHA256, "blake2b_256": BLAKE2}}


def a_document(info: Any = None, **parts: Any) -> bytes:
    return json.dumps({"info": {"name": "Demo", "version": "1.0", **(info or {})}, **parts}).encode()


def parsed(document: bytes, version: str | None = None) -> ReleaseFacts:
    return parse_release(document, project=DEMO, version=None if version is None else Version(version))


class InfoTests(SynchronousTestCase):
    def test_what_is_documented_is_passed_on(self) -> None:
        said = {
            "summary": "Ünïcode <b>",
            "requires_dist": ["other>1"],
            "project_urls": {"Home": "https://x.test"},
            "description": "# Hi",
        }
        facts = parsed(a_document(said))
        self.assertEqual((facts.version, facts.info), (Version("1.0"), {"name": "Demo", **said}))

    def test_what_is_of_another_type_is_left_out_and_costs_nothing_else(self) -> None:
        wrong = {
            "summary": ["x"],
            "author": 1,
            "requires_dist": "other",
            "classifiers": [1],
            "project_urls": [],
            "keywords": {},
        }
        self.assertEqual(parsed(a_document(wrong | {"license": "MIT"})).info, {"name": "Demo", "license": "MIT"})

    def test_what_nobody_has_documented_is_left_out(self) -> None:
        document = a_document({"downloads": {"x": 1}, "evil": "x", "yanked": True}, ownership={}, last_serial=1)
        self.assertEqual(parsed(document).info, {"name": "Demo"})

    def test_release_asked_for_may_be_spelled_otherwise(self) -> None:
        self.assertEqual(parsed(a_document({"version": "1"}), "1.0").version, Version("1.0"))


class DigestsTests(SynchronousTestCase):
    def test_of_one_release_and_of_all(self) -> None:
        known = OtherDigests(md5=MD5, blake2b_256=BLAKE2)
        for parts in ({"urls": [FILE]}, {"releases": {"1.0": [FILE]}}):
            self.assertEqual(parsed(a_document(**parts)).digests, {("demo-1.0.tar.gz", SHA256): known})

    def test_entry_that_is_wrong_costs_itself(self) -> None:
        wrong = [1, {}, {"filename": 1, "digests": {}}, {"filename": "x", "digests": {"sha256": "zz"}}, None]
        self.assertEqual(list(parsed(a_document(urls=[*wrong, FILE])).digests), [("demo-1.0.tar.gz", SHA256)])

    def test_digest_that_is_none_is_left_out(self) -> None:
        file = {"filename": "x", "digests": {"sha256": SHA256.upper(), "md5": "<script>", "blake2b_256": None}}
        self.assertEqual(parsed(a_document(urls=[file])).digests, {("x", SHA256): OtherDigests()})


class VulnerabilitiesTests(SynchronousTestCase):
    def test_documented_keys_are_passed_on(self) -> None:
        said = {
            "id": "PYSEC-1",
            "aliases": ["CVE-1"],
            "details": "Long",
            "summary": None,
            "fixed_in": ["2.0"],
            "link": "https://x.test",
            "source": "osv",
            "withdrawn": None,
        }
        (found,) = parsed(a_document(vulnerabilities=[{**said, "more": {"deep": []}}])).vulnerabilities
        self.assertEqual(found, said)

    def test_one_whose_other_keys_are_wrong_is_not_hidden(self) -> None:
        (found,) = parsed(a_document(vulnerabilities=[1, {"details": "x"}, {"id": "V", "fixed_in": 1}])).vulnerabilities
        self.assertEqual((found["id"], found["fixed_in"], found["aliases"]), ("V", [], []))


class RefusedTests(SynchronousTestCase):
    def assert_refused(self, document: bytes, version: str | None = None) -> None:
        self.assertRaises(InvalidPage, parsed, document, version)

    def test_no_such_document(self) -> None:
        for document in (b"", b"{", b"[]", b"null", b'{"info": 1}', b"<html>", b'{"info": {}}', b"\xff"):
            self.assert_refused(document)

    def test_of_another_project_or_release(self) -> None:
        self.assert_refused(a_document({"name": "other"}))
        self.assert_refused(a_document({"name": "../x"}))
        self.assert_refused(a_document({"name": None}))
        self.assert_refused(a_document(), "2.0")

    def test_without_a_version(self) -> None:
        for version in ("", "x", None, 1, "9" * 5000):
            self.assert_refused(a_document({"version": version}))

    def test_deep_or_of_too_many_values(self) -> None:
        self.assert_refused(b'{"info": ' + b"[" * 100_000)
        self.assert_refused(b'{"info": {"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}")
        self.assert_refused(
            b'{"info": {"name": "demo", "version": "1.0"}, "urls": [1' + b",1" * (MAX_COMMAS + 1) + b"]}"
        )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


class HostileTests(SynchronousTestCase):
    @patient
    @given(
        st.fixed_dictionaries(dict.fromkeys(("summary", "requires_dist", "project_urls", "yanked", "downloads"), JSON)),
        JSON | st.lists(JSON),
        JSON | st.dictionaries(st.text(max_size=5), st.lists(JSON)),
        JSON | st.lists(st.fixed_dictionaries({"id": JSON, "aliases": JSON})),
    )
    def test_any_values_become_an_answer_or_are_refused(
        self, info: dict[str, Any], urls: Any, releases: Any, vulnerabilities: Any
    ) -> None:
        document = a_document(info, urls=urls, releases=releases, vulnerabilities=vulnerabilities)
        try:
            facts = parsed(document)
        except InvalidPage:
            return
        page = a_page(a_file("1.0"))
        said = json.loads(render(page, releases_of(page), Version("1.0"), facts, base="http://host/", whole=True))
        self.assertEqual(said["info"]["yanked"], False)
        self.assertIsInstance(said["info"]["summary"], str | None)
        self.assertEqual(len(said["urls"]), 1)

    @patient
    @given(st.binary(max_size=100))
    def test_any_bytes(self, body: bytes) -> None:
        self.assertRaises(InvalidPage, parsed, body)
