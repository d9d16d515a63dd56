"""The client matrix for poetry and pdm, rows 15 and 17: passwords that are sent, which reading does not need."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path

import pytest

from tests.kit.dists import wheel
from tests.kit.projects import PDM, POETRY, Project, ProjectTool, each_tool, per_tool
from tests.kit.site import USER, Site


@pytest.fixture(scope="module", autouse=True)
def projects(site: Site) -> None:
    site.publish(wheel("hosted"))


def _passwords(site: Site) -> set[str]:
    """Return each user and password that requests came with, ``""`` for none."""
    exchanges = site.https.exchanges()
    assert {each.status for each in exchanges} <= {200, 304}
    assert {each.path.split("/")[2] for each in exchanges} == {"simple", "files"}
    return {b64decode(each.asked.get("authorization", "").removeprefix("Basic ")).decode() for each in exchanges}


@pytest.mark.parametrize("user", [f"{USER}:wrong", "token:"])
@each_tool
def test_rows_15_17_what_is_in_the_url_goes_with_every_request(
    tool: ProjectTool, user: str, site: Site, tmp_path: Path
) -> None:
    """Also to the files, whose links are relative. A wrong one does no harm, since everybody may read."""
    site.https.forget()
    url = site.https.index_url("main").replace("://", f"://{user}@")
    project = Project(tool, site.https, tmp_path, "hosted", index_url=url)
    project.lock()
    project.install()
    assert _passwords(site) == {user}
    assert (f"{user}@" in project.lock_file.read_text()) == (tool is POETRY)


@per_tool({POETRY: f"{USER}:secret", PDM: f"{USER}:secret"})
def test_row_15_a_password_in_netrc(tool: ProjectTool, expected: str, site: Site, tmp_path: Path) -> None:
    project = Project(tool, site.https, tmp_path, "hosted")
    netrc = project.client.home / ".netrc"
    netrc.parent.mkdir(exist_ok=True)
    netrc.touch(mode=0o600)
    netrc.write_text(f"machine localhost login {USER} password secret\n")
    site.https.forget()
    project.lock()
    assert _passwords(site) == {expected}


def test_row_15_a_password_in_the_environment(site: Site, tmp_path: Path) -> None:
    """For the source of that name: only poetry has such variables."""
    site.https.forget()
    env = {"POETRY_HTTP_BASIC_PYPID_USERNAME": USER, "POETRY_HTTP_BASIC_PYPID_PASSWORD": "secret"}
    Project(POETRY, site.https, tmp_path, "hosted").lock(env=env)
    assert _passwords(site) == {f"{USER}:secret"}
