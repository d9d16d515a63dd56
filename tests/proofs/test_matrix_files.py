"""The client matrix, rows 9 to 11, 30 and 31: which requests installers make for files, and what they get."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kit.clients import version_in
from tests.kit.dists import Dist, sdist, wheel
from tests.kit.site import PIP_23, PIP_25, PIP_26, UV, Installer, Person, Site, each_installer, per_installer

LEAF = wheel("leaf", size=300_000)
TREE = wheel("tree", requires=["leaf"])
BARE = wheel("bare", size=300_000)
SOURCE = sdist("source")


@pytest.fixture(scope="module", autouse=True)
def projects(site: Site) -> None:
    site.publish(TREE, LEAF, SOURCE)
    for upstream in (site.pypi, site.html):
        for dist in (TREE, LEAF):
            upstream.add(dist)
        upstream.add(BARE, core_metadata=False)


def _url(index: str, dist: Dist) -> str:
    return f"/{index}/files/{dist.project}/{dist.sha256[:16]}/{dist.filename}"


def _page(index: str, project: str) -> str:
    return f"/{index}/simple/{project}/"


def _paths(site: Site) -> list[str]:
    exchanges = site.https.exchanges()
    assert {(each.method, each.status) for each in exchanges} == {("GET", 200)}
    return sorted(each.path for each in exchanges)


@pytest.mark.parametrize("index", ["main", "pypi", "html"])
@each_installer
def test_row_09_metadata_first_and_then_the_wheel(installer: Installer, index: str, site: Site, tmp_path: Path) -> None:
    """One request for each page, metadata and wheel; pip 26 compares the metadata with the wheel's own."""
    site.https.forget()
    person = Person(installer, site.https, tmp_path)
    person.install("tree", index=index)
    files = [_url(index, dist) for dist in (TREE, LEAF)]
    pages = [_page(index, dist.project) for dist in (TREE, LEAF)]
    assert _paths(site) == sorted([*pages, *files, *(f"{each}.metadata" for each in files)])
    assert version_in(person.target, LEAF.module, home=tmp_path) == LEAF.version


@pytest.mark.parametrize("index", ["pypi", "html"])
@each_installer
def test_row_10_a_wheel_whose_metadata_upstream_does_not_have(
    installer: Installer, index: str, site: Site, tmp_path: Path
) -> None:
    """pypid takes it out of the wheel: nobody has to load or to search a wheel for it."""
    site.https.forget()
    Person(installer, site.https, tmp_path).install("bare", index=index)
    wheel_url = _url(index, BARE)
    assert _paths(site) == sorted([_page(index, "bare"), wheel_url, f"{wheel_url}.metadata"])


@per_installer(
    {
        PIP_23: ["GET -> 200"],
        PIP_25: ["GET -> 200"],
        PIP_26: ["GET -> 200"],
        UV: ["HEAD -> 200", "GET range=bytes={tail}-{last} -> 206", "GET range=bytes={metadata} -> 206", "GET -> 200"],
    }
)
def test_row_10_a_wheel_by_its_url_is_searched_for_its_metadata(
    installer: Installer, expected: list[str], site: Site, tmp_path: Path
) -> None:
    """By uv, in 16 KiB of its end, then where that says; by pip as a whole."""
    site.https.forget()
    person = Person(installer, site.https, tmp_path)
    person.install(f"leaf @ {site.https.url}{_url('main', LEAF)[1:]}")
    told = [str(each).replace(f"{each.path} ", "") for each in site.https.exchanges()]
    size, start = len(LEAF.content), LEAF.content.index(b"leaf-1.0.dist-info/METADATA") - 30
    where = {"tail": size - 16384, "last": size - 1, "metadata": f"{start}-{start + 8191}"}
    assert told == [line.format(**where) for line in expected]
    assert version_in(person.target, LEAF.module, home=tmp_path) == LEAF.version


@per_installer(
    {
        PIP_25: "GET {url} range=bytes=100000- if-range -> 206",
        PIP_26: "GET {url} range=bytes=100000- if-range -> 206",
        UV: "GET {url} -> 200",
    }
)
def test_row_11_a_download_that_broke_off(installer: Installer, expected: str, site: Site, tmp_path: Path) -> None:
    """pip goes on where it was, uv begins again."""
    person = Person(installer, site.https, tmp_path)
    site.https.forget()
    site.https.cut("*.whl", after=100_000)
    person.install("leaf")
    url = _url("main", LEAF)
    assert site.https.take("*.whl") == [f"GET {url} -> 200", expected.format(url=url)]
    assert version_in(person.target, LEAF.module, home=tmp_path) == LEAF.version


def test_row_11_an_old_pip_refuses_half_a_file(site: Site, tmp_path: Path) -> None:
    """It takes what it has for all of it, and the digest of the page tells it from the file."""
    site.https.cut("*.whl", after=100_000)
    said = Person(PIP_23, site.https, tmp_path).install("leaf", fails=True)
    assert f"Expected sha256 {LEAF.sha256}" in said


@per_installer({PIP_23: False, PIP_25: False, PIP_26: False, UV: True})
def test_row_30_with_hashes_required(installer: Installer, *, expected: bool, site: Site, tmp_path: Path) -> None:
    """The digests of the lock are those of the files; only uv still asks for the metadata."""
    lock = tmp_path / "requirements.txt"
    lock.write_text("".join(f"{dist.project}==1.0 --hash=sha256:{dist.sha256}\n" for dist in (TREE, LEAF)))
    site.https.forget()
    Person(installer, site.https, tmp_path).install("--require-hashes", "-r", lock)
    assert len(site.https.exchanges("*.whl")) == 2
    assert bool(site.https.exchanges("*.metadata")) == expected


@each_installer
def test_row_31_files_are_never_compressed(installer: Installer, site: Site, tmp_path: Path) -> None:
    """A wheel and an sdist come as they are, with their true length; so does metadata, for which uv offers zstd."""
    site.https.forget()
    Person(installer, site.https, tmp_path).install("leaf", "source")
    files = {each.path.rpartition("/")[2]: each for each in site.https.exchanges("*/files/*")}
    assert len(files) == 3
    for dist in (LEAF, SOURCE):
        file = files[dist.filename]
        assert file.asked["accept-encoding"] == "identity"
        assert file.answered["content-length"] == str(len(dist.content))
    for file in files.values():
        assert "content-encoding" not in file.answered
        assert file.answered["cache-control"] == "max-age=365000000, immutable, public"
        assert file.answered["accept-ranges"] == "bytes"
