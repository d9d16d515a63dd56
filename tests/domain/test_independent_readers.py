"""What we render, pypi-simple and packaging read back equal."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urljoin

from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from pypi_simple import DistributionPackage, IndexPage
from twisted.trial.unittest import SynchronousTestCase

from pypid.domain import simple_html, simple_json
from pypid.domain.files import DistributionFile, ProjectPage
from pypid.domain.names import normalize_name
from tests.domain.readers import empty_claims, owner, read_html, read_json
from tests.domain.strategies import DEMO, HTMLReader, a_file, page_of, pages, patient, versions

ROOTS = (
    "https://index.test/",
    "http://127.0.0.1:8080/main/",
    "http://[::1]:8080/root/pypi/",
    "https://proxy.test/a%20prefix/of~ours/root/pypi/",
)
"""Where an index may be, seen from its clients."""

roots = st.sampled_from(ROOTS)

named_versions = st.lists(versions, max_size=4, unique=True).map(tuple)
"""Versions that an upstream names, with or without files."""

specifiers = st.lists(
    st.sampled_from(["<", ">", "<=", ">=", "!=", "~="]).flatmap(lambda sign: st.just(sign + "3.9")),
    min_size=1,
    max_size=3,
).map(",".join)

names = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,10}[A-Za-z0-9])?", fullmatch=True).map(normalize_name)


def expected(file: DistributionFile, root: str) -> dict[str, Any]:
    """Return what a reader is to know of ``file``."""
    metadata = None if file.core_metadata is None else {"sha256": file.core_metadata} if file.core_metadata else {}
    return {
        "filename": file.filename,
        "url": f"{root}files/{DEMO}/{file.digest_prefix}/{quote(file.filename, safe='')}",
        "digests": {"sha256": file.sha256},
        "requires_python": file.requires_python,
        "is_yanked": file.yanked is not None,
        "yanked_reason": file.yanked or None,
        "has_metadata": None if metadata is None else True,
        "metadata_digests": metadata,
        "size": file.size,
        "upload_time": file.upload_time,
    }


def read(package: DistributionPackage) -> dict[str, Any]:
    """Return what pypi-simple knows of a file; an empty reason is none."""
    said = {key: getattr(package, key) for key in expected(a_file(), "")}
    return said | {"yanked_reason": package.yanked_reason or None}


class ProjectPageTests(SynchronousTestCase):
    @patient
    @given(pages, named_versions, roots)
    def test_json(self, page: ProjectPage, named: tuple[str, ...], root: str) -> None:
        """Every field, to the microsecond; and links that lead to our files wherever the index is."""
        page = replace(page, versions=named)
        body = simple_json.render_project(page)
        theirs = read_json(body, f"{root}simple/demo/")
        self.assertEqual([read(package) for package in theirs.packages], [expected(file, root) for file in page.files])
        self.assertEqual(theirs.project, DEMO)
        self.assertEqual(theirs.versions, list(named or page_of(*page.files).versions))
        self.assert_status(page, theirs)
        wire = json.loads(body)
        self.assertEqual([file.get("provenance") for file in wire["files"]], [file.provenance for file in page.files])
        self.assertEqual(empty_claims(wire), [])

    @patient
    @given(pages, roots)
    def test_html(self, page: ProjectPage, root: str) -> None:
        """All that HTML can carry: no sizes, and no times."""
        body = simple_html.render_project(page)
        theirs = read_html(body, f"{root}simple/demo/")
        carried = [expected(file, root) | {"size": None, "upload_time": None} for file in page.files]
        self.assertEqual([read(package) for package in theirs.packages], carried)
        self.assertEqual(
            [package.provenance_url for package in theirs.packages], [file.provenance for file in page.files]
        )
        self.assertEqual(theirs.repository_version, "1.4")
        self.assert_status(page, theirs)

    def assert_status(self, page: ProjectPage, theirs: Any) -> None:
        said = (theirs.status and theirs.status.value, theirs.status_reason)
        self.assertEqual(said, (page.status.status.value, page.status.reason) if page.status else (None, None))

    @patient
    @given(pages, roots)
    def test_links_carry_the_digest(self, page: ProjectPage, root: str) -> None:
        """As a browser, or a client that knows nothing but links, resolves them."""
        anchors = [
            attrs["href"] or "" for tag, attrs in HTMLReader(simple_html.render_project(page)).tags if tag == "a"
        ]
        self.assertEqual(
            [urljoin(f"{root}simple/demo/", href) for href in anchors],
            [f"{expected(file, root)['url']}#sha256={file.sha256}" for file in page.files],
        )

    @patient
    @given(pages)
    def test_filenames_are_those_of_the_project(self, page: ProjectPage) -> None:
        """packaging finds wheels and sdists of the project at the end of every URL."""
        for theirs in (read_json(simple_json.render_project(page)), read_html(simple_html.render_project(page))):
            self.assertEqual([owner(package) for package in theirs.packages], [DEMO] * len(page.files))

    @patient
    @given(specifiers)
    def test_requires_python(self, text: str) -> None:
        """A specifier means the same once it was markup."""
        page = page_of(a_file(requires_python=text))
        for theirs in (read_json(simple_json.render_project(page)), read_html(simple_html.render_project(page))):
            self.assertEqual(SpecifierSet(theirs.packages[0].requires_python or ""), SpecifierSet(text))


class ProjectListTests(SynchronousTestCase):
    @patient
    @given(st.lists(names, max_size=5, unique=True), roots)
    def test_list(self, projects: list[str], root: str) -> None:
        """In both forms; the links lead to the pages."""
        listed = [normalize_name(name) for name in projects]
        document = b"".join(simple_html.render_project_list(listed))
        for theirs in (
            IndexPage.from_json_data(json.loads(b"".join(simple_json.render_project_list(listed)))),
            IndexPage.from_html(document),
        ):
            self.assertEqual((theirs.projects, theirs.repository_version), (projects, "1.4"))
            self.assertEqual([canonicalize_name(name, validate=True) for name in theirs.projects], projects)
        anchors = [attrs["href"] or "" for tag, attrs in HTMLReader(document).tags if tag == "a"]
        self.assertEqual(
            [urljoin(f"{root}simple/", href) for href in anchors], [f"{root}simple/{name}/" for name in projects]
        )
