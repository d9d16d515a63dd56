"""The client matrix, rows 1, 2, 13, 14, 18, 26 and 32: what pages installers ask for, and in which form they come."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.kit.clients import version_in
from tests.kit.dists import sdist, wheel
from tests.kit.rawclient import get
from tests.kit.site import PIP_23, PIP_25, PIP_26, UV, Installer, Person, Site, each_installer, per_installer

JSON, HTML = "application/vnd.pypi.simple.v1+json", "text/html; charset=utf-8"
PIP_ACCEPTS = f"{JSON}, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01"
UV_ACCEPTS = f"{JSON}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"
ODD = wheel("Odd.Name_x")
UPLOAD_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
SOURCES = [("main", "hosted"), ("main", "both"), ("pypi", "both"), ("html", "both")]


@pytest.fixture(scope="module", autouse=True)
def projects(site: Site) -> None:
    site.publish(wheel("hosted"), sdist("hosted"), ODD)
    for upstream in (site.pypi, site.html):
        upstream.add(wheel("both"))
        upstream.add(sdist("both"), upload_time=None)
        upstream.add(wheel("both", "0.9", requires_python=">=3.8"), yanked="", core_metadata=False)
        upstream.set_status("both", "archived")
    site.html.add(wheel("elsewhere"))


def _page(site: Site, index: str, project: str) -> Any:
    answer = get(f"{site.daemon.index_url(index)}{project}/", headers={"Accept": JSON})
    assert answer.headers["content-type"] == JSON
    return json.loads(answer.body)


@per_installer({PIP_23: PIP_ACCEPTS, PIP_25: PIP_ACCEPTS, PIP_26: PIP_ACCEPTS, UV: UV_ACCEPTS})
@pytest.mark.parametrize("index", ["main", "html"])
def test_row_01_installers_get_json(
    installer: Installer, expected: str, index: str, site: Site, tmp_path: Path
) -> None:
    site.https.forget()
    Person(installer, site.https, tmp_path).install("both", index=index)
    (page,) = site.https.exchanges("*/simple/*")
    assert page.asked["accept"] == expected
    assert page.answered["content-type"] == JSON


@pytest.mark.parametrize("accept", [{}, {"Accept": "*/*"}])
def test_row_02_who_names_no_type_gets_html(accept: dict[str, str], site: Site) -> None:
    """As curl and hatch do."""
    for index, project in SOURCES:
        answer = get(f"{site.daemon.index_url(index)}{project}/", headers=accept)
        assert answer.headers["content-type"] == HTML
        assert f">{project}-1.0.tar.gz<".encode() in answer.body


@pytest.mark.parametrize(("index", "project"), SOURCES)
def test_row_13_every_file_has_an_upload_time(index: str, project: str, site: Site) -> None:
    """Also where upstream says none, on the page or of one file."""
    files = _page(site, index, project)["files"]
    assert len(files) >= 2
    for file in files:
        assert UPLOAD_TIME.fullmatch(file["upload-time"])


@pytest.mark.parametrize(("index", "project"), SOURCES)
def test_row_14_there_are_no_nulls(index: str, project: str, site: Site) -> None:
    """At which uv would give up; nor what says nothing, such as a file that is not yanked."""
    page = _page(site, index, project)
    values = [page, page["meta"], *page["files"], *(file["hashes"] for file in page["files"])]
    assert [value for each in values for value in each.values() if value is None or value is False] == []


@each_installer
def test_row_18_a_name_that_nobody_has(installer: Installer, site: Site, tmp_path: Path) -> None:
    site.https.forget()
    said = Person(installer, site.https, tmp_path).install("nobodys", fails=True)
    assert "No matching distribution found" in said or "was not found in the package registry" in said
    (page,) = site.https.exchanges()
    assert (page.method, page.path, page.status) == ("GET", "/main/simple/nobodys/", 404)


@each_installer
def test_row_18_the_next_index_is_asked(installer: Installer, site: Site, tmp_path: Path) -> None:
    """For uv the first is what ``--index`` names, for pip there is no order."""
    person = Person(installer, site.https, tmp_path)
    site.https.forget()
    if installer is UV:
        person.install("elsewhere", "--index", site.https.index_url("main"), index="html")
    else:
        person.install("elsewhere", "--extra-index-url", site.https.index_url("html"))
    asked = {(each.path, each.status) for each in site.https.exchanges("*/simple/*")}
    assert asked == {("/main/simple/elsewhere/", 404), ("/html/simple/elsewhere/", 200)}


@pytest.mark.parametrize("spelling", ["odd-name-x", "Odd.Name_x/", "ODD_name.X"])
@each_installer
def test_row_26_other_spellings_are_sent_on(installer: Installer, spelling: str, site: Site, tmp_path: Path) -> None:
    """Without the slash, in capitals: as nobody asks an index, but people write such URLs."""
    person = Person(installer, site.https, tmp_path)
    site.https.forget()
    person.install("odd_name.x", "--find-links", f"{site.https.index_url('main')}{spelling}", index="html")
    asked = [(each.path, each.status) for each in site.https.exchanges("/main/simple/*")]
    assert asked == [(f"/main/simple/{spelling}", 302), ("/main/simple/odd-name-x/", 200)]
    assert version_in(person.target, ODD.module, home=tmp_path) == ODD.version


@per_installer({PIP_23: "gzip", PIP_25: "gzip", PIP_26: "gzip", UV: "zstd"})
def test_row_32_pages_are_compressed_as_the_client_likes_it(
    installer: Installer, expected: str, site: Site, tmp_path: Path
) -> None:
    site.https.forget()
    Person(installer, site.https, tmp_path).install("hosted")
    (page,) = site.https.exchanges("*/simple/*")
    assert page.answered["content-encoding"] == expected
    assert page.answered["vary"] == "Accept, Accept-Encoding"
