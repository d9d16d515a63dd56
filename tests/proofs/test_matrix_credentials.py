"""The client matrix, rows 15 and 17: clients that send a password, which reading does not need."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.kit.dists import wheel
from tests.kit.site import (
    PASSWORD,
    PIP_23,
    PIP_25,
    PIP_26,
    USER,
    UV,
    Installer,
    Person,
    Site,
    each_installer,
    per_installer,
)

REQUESTS = 3
"""For the page, the metadata and the wheel."""


@pytest.fixture(scope="module", autouse=True)
def projects(site: Site) -> None:
    site.publish(wheel("hosted"))


def _passwords(site: Site) -> list[str]:
    """Return the user and password of each request, ``""`` for one without."""
    exchanges = site.https.exchanges()
    assert {each.status for each in exchanges} == {200}
    sent = [each.asked.get("authorization", "").removeprefix("Basic ") for each in exchanges]
    return [b64decode(each).decode() for each in sent]


@pytest.mark.parametrize("password", [PASSWORD, "wrong"])
@each_installer
def test_row_15_a_password_in_the_url_goes_with_every_request(
    installer: Installer, password: str, site: Site, tmp_path: Path
) -> None:
    """Also to the files, whose links are relative. A wrong one does no harm, since everybody may read."""
    site.https.forget()
    url = site.https.simple.replace("://", f"://{USER}:{quote(password)}@")
    Person(installer, site.https, tmp_path).install("hosted", index_url=url)
    assert _passwords(site) == [f"{USER}:{password}"] * REQUESTS


@per_installer({PIP_23: f"{USER}:secret", PIP_25: f"{USER}:secret", PIP_26: f"{USER}:secret", UV: ""})
def test_row_15_a_password_in_netrc(installer: Installer, expected: str, site: Site, tmp_path: Path) -> None:
    """pip sends it unasked; uv would wait for a 401."""
    person = Person(installer, site.https, tmp_path)
    netrc = person.client.home / ".netrc"
    netrc.parent.mkdir(exist_ok=True)
    netrc.touch(mode=0o600)
    netrc.write_text(f"machine localhost login {USER} password secret\n")
    site.https.forget()
    person.install("hosted")
    assert _passwords(site) == [expected] * REQUESTS


def test_row_15_a_password_in_the_environment(site: Site, tmp_path: Path) -> None:
    """For the index of that name: only uv has such names."""
    site.https.forget()
    named = f"--index=corp={site.https.index_url('main')}"
    env = {"UV_INDEX_CORP_USERNAME": USER, "UV_INDEX_CORP_PASSWORD": PASSWORD}
    Person(UV, site.https, tmp_path).install("hosted", named, index="html", env=env)
    assert _passwords(site) == [f"{USER}:{PASSWORD}"] * REQUESTS


@each_installer
def test_row_17_a_token_in_place_of_a_user(installer: Installer, site: Site, tmp_path: Path) -> None:
    """It is sent as a user with an empty password."""
    site.https.forget()
    Person(installer, site.https, tmp_path).install("hosted", index_url=site.https.simple.replace("://", "://token@"))
    assert _passwords(site) == ["token:"] * REQUESTS
