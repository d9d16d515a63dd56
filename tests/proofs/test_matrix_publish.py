"""The client matrix, rows P1 to P12 but for trusted publishing: what every client that publishes makes of an answer."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from tests.kit.clients import Client, Result
from tests.kit.dists import Dist, wheel
from tests.kit.publishers import (
    DISTUTILS,
    FLIT,
    HATCH,
    PDM,
    POETRY,
    PUBLISHERS,
    TWINE_4,
    TWINE_7,
    UV_PUBLISH,
    Publisher,
    Target,
    pdm,
    poetry,
    uv,
)
from tests.kit.rawclient import get
from tests.kit.recorder import Recorder
from tests.kit.site import PASSWORD, USER, Site

each_publisher = pytest.mark.parametrize("publisher", PUBLISHERS, ids=str)
SENDERS = [each for each in PUBLISHERS if not each.builds]
"""Those that publish what they are given, byte for byte."""
each_sender = pytest.mark.parametrize("publisher", SENDERS, ids=str)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where each client has a directory of its own: their first starts take the most time."""
    return tmp_path_factory.mktemp("desk")


@pytest.fixture
def recorder(site: Site) -> Recorder:
    site.http.forget()
    return site.http


def _target(url: str, *, password: str = PASSWORD) -> Target:
    return Target(url=url, user=USER, password=password)


def _listed(site: Site, project: str) -> list[dict[str, Any]]:
    page = get(f"{site.daemon.index_url('main')}{project}/", headers={"Accept": "application/vnd.pypi.simple.v1+json"})
    files: list[dict[str, Any]] = json.loads(page.body)["files"] if page.status == 200 else []
    return files


def _posted(recorder: Recorder) -> list[int]:
    """Return the statuses of what was posted."""
    return [each.status for each in recorder.exchanges() if each.method == "POST"]


def _unwrapped(text: str) -> str:
    return " ".join(text.split())


def _named(publisher: Publisher, row: str) -> str:
    """Return a project's name that no other test uses."""
    return f"{row}-{publisher.name.replace('.', '-')}"


@each_publisher
def test_rows_p1_to_p3(publisher: Publisher, site: Site, recorder: Recorder, desk: Path) -> None:
    """
    What is published is listed at once, with the time at which it came; the same again is no error; other bytes are.

    The archives of distutils have the time in them: they are never the same.
    """
    dist, before = wheel(_named(publisher, "p1")), datetime.now(UTC)
    result = publisher.publish(desk / publisher.name, dist, _target(f"{recorder.url}legacy"))
    assert result.returncode == 0, result.stdout
    listed = _listed(site, dist.project)
    assert len(listed) == (2 if publisher is FLIT else 1)
    if not publisher.builds:
        assert listed[0]["hashes"] == {"sha256": dist.sha256}
    for file in listed:
        assert before <= datetime.fromisoformat(file["upload-time"]) <= datetime.now(UTC)
    if publisher is not DISTUTILS:
        result = publisher.publish(desk / publisher.name, dist, _target(recorder.url))
        assert result.returncode == 0, result.stdout
        # hatch finds the name, and sends nothing.
        assert _posted(recorder) == [200] * {HATCH: 1, FLIT: 4}.get(publisher, 2)
    other = wheel(_named(publisher, "p1"), summary="Another")
    refused = publisher.publish(desk / publisher.name, other, _target(recorder.url))
    assert ("already exists" if publisher is HATCH else "File already exists") in _unwrapped(refused.stdout)
    assert (refused.returncode == 0) == (publisher is HATCH)
    assert _listed(site, dist.project) == listed


@pytest.mark.parametrize(("publisher", "publish"), [(POETRY, poetry), (PDM, pdm)], ids=["poetry", "pdm"])
def test_row_p3_what_exists_is_passed_over_if_asked(
    publisher: Publisher, publish: Callable[..., Result], site: Site, recorder: Recorder, desk: Path
) -> None:
    """By the words of the answer: that is all poetry and pdm go by."""

    def skipping(client: Client, directory: Path, dist: Dist, target: Target, /) -> Result:
        return publish(client, directory, dist, target, "--skip-existing")

    lenient = replace(publisher, run=skipping)
    name = _named(publisher, "p3-skip")
    for dist in (wheel(name), wheel(name, summary="Another")):
        result = lenient.publish(desk / publisher.name, dist, _target(recorder.url))
        assert result.returncode == 0, result.stdout
    assert _posted(recorder) == [200, 400]
    (listed,) = _listed(site, name)
    assert listed["hashes"] == {"sha256": wheel(name).sha256}


def test_row_p3_uv_compares_with_what_is_published(recorder: Recorder, desk: Path) -> None:
    """With a URL to check, it sends nothing twice, and knows other bytes by their digest."""
    check = ("--check-url", f"{recorder.url}simple/")

    def checking(client: Client, directory: Path, dist: Dist, target: Target, /) -> Result:
        return uv(client, directory, dist, target, *check)

    careful = replace(UV_PUBLISH, run=checking)
    dist = wheel("p3-uv-check")
    for _ in range(2):
        result = careful.publish(desk / UV_PUBLISH.name, dist, _target(recorder.url))
        assert result.returncode == 0, result.stdout
    assert _posted(recorder) == [200]
    refused = careful.publish(desk / UV_PUBLISH.name, wheel("p3-uv-check", summary="Another"), _target(recorder.url))
    assert refused.returncode == 2
    assert _posted(recorder) == [200]


@each_publisher
def test_row_p4_a_wrong_password(publisher: Publisher, site: Site, recorder: Recorder, desk: Path) -> None:
    """The reason is on every screen."""
    dist = wheel(_named(publisher, "p4"))
    refused = publisher.publish(desk / publisher.name, dist, _target(recorder.url, password="wrong"))
    assert refused.returncode != 0
    assert "Invalid user name or password" in _unwrapped(refused.stdout), refused.stdout
    assert _listed(site, dist.project) == []


@pytest.mark.parametrize(
    ("publisher", "path"),
    [*((each, "main/simple/") for each in PUBLISHERS), *((TWINE_7, path) for path in ("nosuch/", "nosuch", "html/"))],
    ids=str,
)
def test_row_p5_a_wrong_url(publisher: Publisher, path: str, site: Site, recorder: Recorder, desk: Path) -> None:
    """Nobody is redirected, and everybody is told the right one."""
    dist = wheel(_named(publisher, "p5"))
    refused = publisher.publish(desk / publisher.name, dist, _target(f"{recorder.url}{path}"))
    assert refused.returncode != 0
    assert "distributions are uploaded to" in _unwrapped(refused.stdout), refused.stdout
    assert not any("location" in each.answered for each in recorder.exchanges())
    assert set(_posted(recorder)) <= {403, 404, 405}
    assert _listed(site, dist.project) == []


def test_row_p9_an_answer_that_is_lost(site: Site, recorder: Recorder, desk: Path) -> None:
    """twine sends the file again by itself; by then it is there, which is no error."""
    dist = wheel("p9-twine")
    recorder.lose("/")
    result = TWINE_7.publish(desk / TWINE_7.name, dist, _target(recorder.url))
    assert result.returncode == 0, result.stdout
    assert "500" in result.stdout
    assert _posted(recorder) == [200, 200]
    assert len(_listed(site, dist.project)) == 1


NEW = """\
Metadata-Version: 2.4
Name: {name}
Version: 1.0
License-Expression: MIT
License-File: LICENSE
Classifier: Private :: Do Not Upload
Project-URL: Home, http://example.com/
Provides-Extra: extra
Requires-Dist: other>=2; extra == "extra"
"""


def _renewed(dist: Dist, metadata: bytes) -> Dist:
    """Return ``dist`` with other metadata and a licence, and no digests in RECORD."""
    info = f"{dist.module}-{dist.version}.dist-info"
    files = {f"{info}/METADATA": metadata, f"{info}/licenses/LICENSE": b"free"}
    with zipfile.ZipFile(BytesIO(dist.content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()} | files
    members[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in members).encode()
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return replace(dist, content=buffer.getvalue(), metadata=metadata)


# twine 4 reads no metadata that is newer than itself.
@pytest.mark.parametrize("publisher", [each for each in SENDERS if each is not TWINE_4], ids=str)
def test_row_p11_newer_metadata(publisher: Publisher, site: Site, recorder: Recorder, desk: Path) -> None:
    """In the form of each client, which is held to what the file says."""
    name = _named(publisher, "p11")
    dist = _renewed(wheel(name), NEW.format(name=name).encode())
    result = publisher.publish(desk / publisher.name, dist, _target(recorder.url))
    assert result.returncode == 0, result.stdout
    assert len(_listed(site, name)) == 1


@each_sender
def test_row_p12_what_only_a_private_index_takes(
    publisher: Publisher, site: Site, recorder: Recorder, desk: Path
) -> None:
    """A local version, and a wheel for the Linux that it was built on."""
    dist = wheel(_named(publisher, "p12"), "1.0+cu126")
    built = replace(dist, filename=dist.filename.replace("none-any", "none-linux_x86_64"))
    result = publisher.publish(desk / publisher.name, built, _target(recorder.url))
    assert result.returncode == 0, result.stdout
    assert [file["filename"] for file in _listed(site, dist.project)] == [built.filename]
