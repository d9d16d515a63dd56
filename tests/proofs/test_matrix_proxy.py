"""The client matrix, row 25: pypid below a path of a reverse proxy that tells it nothing of that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.clients import version_in
from tests.kit.dists import wheel
from tests.kit.recorder import Recorder
from tests.kit.site import Installer, Person, Site, each_installer

OURS = wheel("ours", requires=["theirs"])
THEIRS = wheel("theirs")


@pytest.fixture(scope="module")
def proxy(site: Site) -> Iterator[Recorder]:
    site.publish(OURS)
    site.pypi.add(THEIRS)
    with Recorder(site.daemon.port, prefix="/team/python") as recorder:
        yield recorder


@pytest.mark.parametrize("url", ["simple/", "main/simple/", "main/", ""])
@each_installer
def test_row_25_an_index_below_a_path(installer: Installer, url: str, proxy: Recorder, tmp_path: Path) -> None:
    """Links and redirects are relative, so all of them stay below it."""
    proxy.forget()
    person = Person(installer, proxy, tmp_path)
    person.install("ours", index_url=f"{proxy.url}{url}")
    for dist in (OURS, THEIRS):
        assert version_in(person.target, dist.module, home=tmp_path) == dist.version
    assert len(proxy.exchanges("/team/python/*")) == len(proxy.exchanges())
    assert {each.status for each in proxy.exchanges()} == ({200} if url.endswith("simple/") else {200, 302})
