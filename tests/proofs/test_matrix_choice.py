"""The client matrix, rows 12 and 24: which version installers choose when they care about ages and yanked ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.kit.clients import version_in
from tests.kit.dists import wheel
from tests.kit.site import PIP_23, PIP_25, PIP_26, UV, Installer, Person, Site, each_installer, per_installer

WHY = 'it loses <data> & "more"'
COOL_DOWNS = {PIP_26: "--uploaded-prior-to", UV: "--exclude-newer"}
"""Older pips have none."""


def _at(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@pytest.fixture(scope="module", autouse=True)
def projects(site: Site) -> None:
    site.publish(wheel("hosted"))
    for upstream in (site.pypi, site.html):
        upstream.add(wheel("aged", "1.0"), upload_time=_at(-10))
        upstream.add(wheel("aged", "2.0"), upload_time=_at(-1))
        upstream.add(wheel("pulled", "1.0"))
        upstream.add(wheel("pulled", "2.0"), yanked=WHY)


@per_installer(COOL_DOWNS)
def test_row_12_a_cool_down_over_an_upstream_that_says_when(
    installer: Installer, expected: str, site: Site, tmp_path: Path
) -> None:
    person = Person(installer, site.https, tmp_path)
    person.install(expected, "P3D", "aged", index="pypi")
    assert version_in(person.target, "aged", home=tmp_path) == "1.0"


@pytest.mark.parametrize(("index", "project", "version"), [("main", "hosted", "1.0"), ("html", "aged", "2.0")])
@per_installer(COOL_DOWNS)
def test_row_12_a_cool_down_over_what_came_just_now(
    installer: Installer, expected: str, index: str, project: str, version: str, site: Site, tmp_path: Path
) -> None:
    """An upload, and files that pypid saw first today: too new for some, and never without any time."""
    person = Person(installer, site.https, tmp_path)
    said = person.install(expected, "P3D", project, index=index, fails=True)
    assert "does not provide upload-time" not in said
    assert "missing an upload date" not in said
    person.install(expected, _at(1), project, index=index)
    assert version_in(person.target, project, home=tmp_path) == version


@per_installer(
    {
        PIP_23: f"Reason for being yanked: {WHY}",
        PIP_25: f"Reason for being yanked: {WHY}",
        PIP_26: f"Reason for being yanked: {WHY}",
        UV: f'`pulled==2.0` is yanked (reason: "{WHY}")',
    }
)
@pytest.mark.parametrize("index", ["pypi", "html", "main"])
def test_row_24_who_insists_on_a_yanked_version_is_told_why(
    installer: Installer, expected: str, index: str, site: Site, tmp_path: Path
) -> None:
    """From an upstream with JSON, from one with HTML, and through the index in front of it."""
    person = Person(installer, site.https, tmp_path)
    assert expected in person.install("pulled==2.0", index=index)
    assert version_in(person.target, "pulled", home=tmp_path) == "2.0"


@each_installer
def test_row_24_nobody_else_gets_a_yanked_version(installer: Installer, site: Site, tmp_path: Path) -> None:
    person = Person(installer, site.https, tmp_path)
    assert "yanked" not in person.install("pulled")
    assert version_in(person.target, "pulled", home=tmp_path) == "1.0"
