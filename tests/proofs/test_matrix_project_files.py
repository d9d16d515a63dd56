"""The client matrix for poetry and pdm, rows 9 to 11, 28, 30 and 31: metadata while they lock, files to install."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.kit.clients import version_in
from tests.kit.dists import Dist, sdist, wheel
from tests.kit.projects import PDM, POETRY, Project, ProjectTool, each_tool, per_tool
from tests.kit.site import Site

LEAF = wheel("leaf", size=300_000)
TREE = wheel("tree", requires=["leaf"])
BARE = wheel("bare", requires=["leaf"], size=300_000)
COLD = wheel("cold", size=300_000)
SOURCE = sdist("source")


@pytest.fixture(scope="module", autouse=True)
def projects(site: Site) -> None:
    site.publish(TREE, LEAF, SOURCE)
    for upstream in (site.pypi, site.html):
        for dist in (TREE, LEAF, COLD):
            upstream.add(dist)
        upstream.add(BARE, core_metadata=False)


def _url(index: str, dist: Dist) -> str:
    return f"/{index}/files/{dist.project}/{dist.sha256[:16]}/{dist.filename}"


@pytest.mark.parametrize(("index", "dist"), [("main", TREE), ("pypi", BARE), ("html", BARE)])
@each_tool
def test_rows_09_10_metadata_to_lock_and_the_wheel_to_install(
    tool: ProjectTool, index: str, dist: Dist, site: Site, tmp_path: Path
) -> None:
    """Also of wheels whose metadata upstream does not have: poetry would read their end, pdm all of them."""
    project = Project(tool, site.https, tmp_path, dist.project, index=index)
    wheels = {f"GET {_url(index, each)} -> 200" for each in (dist, LEAF)}
    site.https.forget()
    project.lock()
    assert sorted(site.https.take("*/files/*")) == sorted(each.replace(".whl", ".whl.metadata") for each in wheels)
    project.install()
    assert sorted(site.https.take("*/files/*")) == sorted(wheels)
    assert version_in(project.target, LEAF.module, home=tmp_path) == LEAF.version


@per_tool(
    {
        POETRY: "GET {url} range=bytes=98304- -> 206",
        PDM: "GET {url} -> 200",
    }
)
def test_row_11_a_download_that_broke_off(tool: ProjectTool, expected: str, site: Site, tmp_path: Path) -> None:
    """poetry goes on where it was if it may try again, pdm begins again."""
    project = Project(tool, site.https, tmp_path, "leaf")
    project.lock()
    site.https.forget()
    site.https.cut("*.whl", after=98_304)
    project.install(env={"POETRY_REQUESTS_MAX_RETRIES": "1"})
    url = _url("main", LEAF)
    assert site.https.take("*.whl") == [f"GET {url} -> 200", expected.format(url=url)]
    assert version_in(project.target, LEAF.module, home=tmp_path) == LEAF.version


def test_row_28_many_want_a_cold_file_at_once(site: Site, tmp_path: Path) -> None:
    """It comes from upstream once."""
    projects = [
        Project(tool, site.https, tmp_path / f"{tool}-{number}", "cold", index="html")
        for tool in (POETRY, PDM)
        for number in range(2)
    ]
    projects[0].lock()
    projects[2].lock()
    for first, second in ((projects[0], projects[1]), (projects[2], projects[3])):
        second.lock_file.write_bytes(first.lock_file.read_bytes())
    with ThreadPoolExecutor(len(projects)) as pool:
        list(pool.map(Project.install, projects))
    for project in projects:
        assert version_in(project.target, COLD.module, home=tmp_path) == COLD.version
    assert site.html.count("GET", site.html.file_path(COLD)) == 1


@each_tool
def test_row_30_the_lock_file_has_the_digests(tool: ProjectTool, site: Site, tmp_path: Path) -> None:
    """Those of the files; with another one in it nothing is installed."""
    project = Project(tool, site.https, tmp_path, "leaf", "source")
    project.lock()
    locked = project.lock_file.read_text()
    assert {LEAF.sha256 in locked, SOURCE.sha256 in locked} == {True}
    project.install()
    assert version_in(project.target, LEAF.module, home=tmp_path) == LEAF.version
    project.lock_file.write_text(locked.replace(LEAF.sha256, "0" * 64))
    project.install(fails=True)
    assert version_in(project.target, LEAF.module, home=tmp_path) == ""


@per_tool({POETRY: "identity", PDM: "gzip, deflate"})
def test_row_31_files_are_never_compressed(tool: ProjectTool, expected: str, site: Site, tmp_path: Path) -> None:
    """Though pdm would take them so."""
    project = Project(tool, site.https, tmp_path, "leaf")
    project.lock()
    site.https.forget()
    project.install()
    (file,) = site.https.exchanges("*.whl")
    assert file.asked["accept-encoding"].lower() == expected
    assert "content-encoding" not in file.answered
    assert file.answered["content-length"] == str(len(LEAF.content))
