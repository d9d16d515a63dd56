"""The client matrix for poetry and pdm, rows 1, 3 to 8, 12, 18, 24 to 27 and 32: pages, and what is made of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kit.clients import version_in
from tests.kit.dists import wheel
from tests.kit.projects import PDM, POETRY, Project, ProjectTool, each_tool, per_tool
from tests.kit.recorder import Recorder
from tests.kit.site import Site

PAGES = "*/simple/*"
JSON = "application/vnd.pypi.simple.v1+json"
LEAF = wheel("leaf")
ODD = wheel("Odd.Name_x", requires=["Leaf"])


@pytest.fixture(scope="module", autouse=True)
def projects(site: Site) -> None:
    site.publish(LEAF, ODD)
    site.pypi.add(wheel("mirrored"))
    site.pypi.add(wheel("withdrawn", "1.0"), yanked="built on a bad day")
    for number in range(11_221):
        site.pypi.add(wheel("many", f"1.{number}"))


def _lines(recorder: Recorder) -> set[str]:
    """Return what was asked for, each once: pdm asks twice for the pages of what it locks."""
    return set(recorder.take(PAGES))


@per_tool({POETRY: f"{JSON}, */*;q=0.1", PDM: f"{JSON}, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01"})
def test_row_01_tools_get_json(tool: ProjectTool, expected: str, site: Site, tmp_path: Path) -> None:
    site.https.forget()
    Project(tool, site.https, tmp_path, "leaf").lock()
    page = site.https.exchanges(PAGES)[0]
    assert page.asked["accept"] == expected
    assert page.answered["content-type"] == JSON


@per_tool({POETRY: "zstd", PDM: "gzip"})
def test_row_32_pages_are_compressed_as_the_client_likes_it(
    tool: ProjectTool, expected: str, site: Site, tmp_path: Path
) -> None:
    site.https.forget()
    Project(tool, site.https, tmp_path, "mirrored").lock()
    assert site.https.exchanges(PAGES)[0].answered["content-encoding"] == expected


@each_tool
def test_rows_03_08_a_second_lock_revalidates(tool: ProjectTool, site: Site, tmp_path: Path) -> None:
    """Pages that may change at any time are asked for again, and are not sent again."""
    project = Project(tool, site.https, tmp_path, "leaf")
    project.lock()
    site.https.forget()
    project.lock()
    for page in site.https.exchanges(PAGES):
        assert page.answered["etag"] == page.asked["if-none-match"]
    assert _lines(site.https) == {"GET /main/simple/leaf/ if-none-match -> 304"}


@pytest.mark.parametrize("scheme", ["https", "http"])
@each_tool
def test_rows_04_05_a_mirrored_page_is_fresh_for_a_while(
    tool: ProjectTool, scheme: str, site: Site, tmp_path: Path
) -> None:
    """Over http as well, where pip keeps nothing."""
    recorder: Recorder = getattr(site, scheme)
    project = Project(tool, recorder, tmp_path, "mirrored", index="pypi")
    project.lock()
    recorder.forget()
    project.lock()
    assert recorder.take() == []


@each_tool
def test_row_06_an_upload_is_seen_at_once(tool: ProjectTool, site: Site, tmp_path: Path) -> None:
    """Also by those who have just looked, and without any option."""
    name = f"fresh-{tool}"
    project = Project(tool, site.https, tmp_path, name)
    for version in ("1.0", "2.0"):
        dist = wheel(name, version)
        site.publish(dist)
        project.lock()
        project.install()
        assert version_in(project.target, dist.module, home=tmp_path) == version


@each_tool
def test_row_07_who_wants_a_fresh_page_is_answered(tool: ProjectTool, site: Site, tmp_path: Path) -> None:
    project = Project(tool, site.https, tmp_path, "mirrored", index="pypi")
    project.lock()
    site.https.forget()
    project.run("--no-cache", "lock")
    assert _lines(site.https) == {"GET /pypi/simple/mirrored/ -> 200"}


@per_tool({POETRY: ("solver.min-release-age", "3"), PDM: ("strategy.exclude-newer", "3d")})
def test_row_12_a_cool_down(tool: ProjectTool, expected: tuple[str, str], site: Site, tmp_path: Path) -> None:
    """What was uploaded just now has to wait, what was uploaded long ago has not."""
    for name, index, fails in (("mirrored", "pypi", False), ("leaf", "main", True)):
        project = Project(tool, site.https, tmp_path / name, name, index=index)
        project.run("config", "--local", *expected)
        project.lock(fails=fails)


@each_tool
def test_row_18_a_name_that_nobody_has(tool: ProjectTool, site: Site, tmp_path: Path) -> None:
    site.https.forget()
    said = Project(tool, site.https, tmp_path, "nobodys").lock(fails=True)
    assert "nobodys" in said
    assert _lines(site.https) == {"GET /main/simple/nobodys/ -> 404"}


@per_tool({POETRY: "Reason for being yanked: built on a bad day", PDM: ""})
def test_row_24_a_yanked_version_that_is_asked_for(
    tool: ProjectTool, expected: str, site: Site, tmp_path: Path
) -> None:
    """Is installed, by poetry with a warning that has the reason."""
    project = Project(tool, site.https, tmp_path, "withdrawn==1.0", index="pypi")
    assert expected in project.lock()
    project.install()
    assert version_in(project.target, "withdrawn", home=tmp_path) == "1.0"


@each_tool
def test_rows_25_26_below_a_path_and_without_a_slash(tool: ProjectTool, site: Site, tmp_path: Path) -> None:
    """Links are relative, so pypid need not know where the proxy has it; a name may be spelled in any way."""
    with Recorder(site.daemon.port, prefix="/python") as proxy:
        url = proxy.index_url("main").rstrip("/")
        project = Project(tool, proxy, tmp_path, "odd_name.X", index_url=url)
        project.lock()
        project.install()
        assert {each.path.split("/")[1] for each in proxy.exchanges()} == {"python"}
    assert version_in(project.target, ODD.module, home=tmp_path) == ODD.version
    assert version_in(project.target, LEAF.module, home=tmp_path) == LEAF.version


@each_tool
def test_row_27_a_page_of_11221_files(tool: ProjectTool, site: Site, tmp_path: Path) -> None:
    project = Project(tool, site.https, tmp_path, "many<1.5", index="pypi")
    project.lock()
    assert "1.4" in project.lock_file.read_text()
