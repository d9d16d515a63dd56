"""The client matrix, rows 3 to 8: what installers ask again, and what they take from their own cache."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kit.clients import version_in
from tests.kit.dists import wheel
from tests.kit.recorder import Recorder
from tests.kit.site import PIP_23, PIP_25, PIP_26, UV, Installer, Person, Site, each_installer, per_installer

PAGES = "*/simple/*"


@pytest.fixture(scope="module", autouse=True)
def projects(site: Site) -> None:
    site.publish(wheel("hosted"))
    site.pypi.add(wheel("mirrored"))


def _second(installer: Installer, recorder: Recorder, home: Path, *projects: str, index: str) -> Person:
    """Return somebody who installed ``projects`` once and again, of which only the second time is on record."""
    person = Person(installer, recorder, home)
    person.install(*projects, index=index)
    recorder.forget()
    person.install(*projects, index=index)
    return person


@per_installer(
    {
        PIP_23: "cache-control=max-age=0 if-none-match",
        PIP_25: "cache-control=max-age=0 if-none-match",
        PIP_26: "if-none-match",
        UV: "if-none-match",
    }
)
def test_rows_03_08_a_second_resolve_revalidates_once(
    installer: Installer, expected: str, site: Site, tmp_path: Path
) -> None:
    """Pages that may change at any time are asked for again; uv would ask twice if the 304 had no ETag."""
    _second(installer, site.https, tmp_path, "hosted", "mirrored", index="main")
    pages = site.https.exchanges(PAGES)
    assert sorted(map(str, pages)) == [f"GET /main/simple/{name}/ {expected} -> 304" for name in ("hosted", "mirrored")]
    for page in pages:
        assert page.answered["etag"] == page.asked["if-none-match"]
        assert page.answered["cache-control"] == "no-cache"
        assert page.answered["vary"] == "Accept, Accept-Encoding"


@per_installer(
    {
        PIP_23: ["GET /pypi/simple/mirrored/ cache-control=max-age=0 if-none-match -> 304"],
        PIP_25: ["GET /pypi/simple/mirrored/ cache-control=max-age=0 if-none-match -> 304"],
        PIP_26: [],
        UV: [],
    }
)
def test_row_04_a_mirrored_page_is_fresh_for_a_while(
    installer: Installer, expected: list[str], site: Site, tmp_path: Path
) -> None:
    """Who believes ``max-age`` asks for nothing at all; older pips never do."""
    _second(installer, site.https, tmp_path, "mirrored", index="pypi")
    assert site.https.take() == expected


@per_installer(
    {
        PIP_23: ["GET /pypi/simple/mirrored/ cache-control=max-age=0 -> 200"],
        PIP_25: ["GET /pypi/simple/mirrored/ cache-control=max-age=0 -> 200"],
        PIP_26: ["GET /pypi/simple/mirrored/ -> 200"],
        UV: [],
    }
)
def test_row_05_over_plain_http_pip_keeps_nothing(
    installer: Installer, expected: list[str], site: Site, tmp_path: Path
) -> None:
    _second(installer, site.http, tmp_path, "mirrored", index="pypi")
    assert site.http.take(PAGES) == expected


@each_installer
def test_row_06_an_upload_is_seen_at_once(installer: Installer, site: Site, tmp_path: Path) -> None:
    """Also by those who have just looked, and without any option."""
    name = f"fresh-{installer}"
    person = Person(installer, site.https, tmp_path)
    for version in ("1.0", "2.0"):
        dist = wheel(name, version)
        site.publish(dist)
        person.install(name)
        assert version_in(person.target, dist.module, home=tmp_path) == version


REFRESH = {
    PIP_26: ("--refresh-package=:all:", "cache-control=max-age=0 if-none-match"),
    UV: ("--refresh", "cache-control=no-cache if-none-match"),
}


@per_installer(REFRESH)
def test_row_07_who_wants_a_fresh_page_is_answered(
    installer: Installer, expected: tuple[str, str], site: Site, tmp_path: Path
) -> None:
    """By a 304 if there is nothing newer; older pips have no such option, for they ask each time."""
    option, headers = expected
    person = _second(installer, site.https, tmp_path, "mirrored", index="pypi")
    site.https.forget()
    person.install(option, "mirrored", index="pypi")
    assert site.https.take(PAGES) == [f"GET /pypi/simple/mirrored/ {headers} -> 304"]
