"""The client matrix, rows 27 and 28: a page of 11,221 files, and fifty who want the same new wheel at once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.kit.clients import version_in
from tests.kit.daemon import DaemonFactory
from tests.kit.dists import Dist, wheel
from tests.kit.recorder import Recorder
from tests.kit.site import INSTALLERS, PIP_23, PIP_25, PIP_26, UV, Installer, Person, Site, each_installer
from tests.kit.upstream import ScriptedIndex, SocketUpstream

FILES = 11_221
"""As grpcio has, in names as long as its."""
NEWEST = wheel("huge", "1000.0")
TAGS = [
    f"cp3{minor}-cp3{minor}-{platform}"
    for minor in range(7, 15)
    for platform in (
        "macosx_11_0_universal2",
        "manylinux_2_17_aarch64.manylinux2014_aarch64",
        "manylinux_2_17_x86_64.manylinux2014_x86_64",
        "musllinux_1_1_x86_64",
        "win32",
        "win_amd64",
    )
]
MOST_MEMORY = 128 * 2**20
"""Bytes that such a page may cost the daemon, which keeps it parsed and rendered in two ways: it was 45 MiB."""

CROWD = [UV] * 38 + [PIP_23, PIP_25, PIP_26] * 4
LATE = wheel("late", size=2_000_000)
PATIENCE = {"PIP_DEFAULT_TIMEOUT": "120", "UV_HTTP_TIMEOUT": "120"}
"""Seconds that each waits for the last of them to come, on a slow machine."""


def _huge() -> Iterator[Dist]:
    """Make files that nobody loads: only the page tells of them."""
    for number in range(FILES - 1):
        version, tag = f"1.{number // len(TAGS)}.0", TAGS[number % len(TAGS)]
        name = f"huge-{version}-{tag}.whl"
        yield Dist(filename=name, project=NEWEST.project, version=version, content=name.encode(), metadata=b"none")


@pytest.fixture(scope="module")
def memory_before(site: Site) -> int:
    for dist in (*_huge(), NEWEST):
        site.pypi.add(dist)
    return site.daemon.peak_rss()


@each_installer
def test_row_27_a_page_of_11221_files(installer: Installer, memory_before: int, site: Site, tmp_path: Path) -> None:
    """Every installer finds its file in it, upstream is asked once for all of them, and memory is bounded."""
    person = Person(installer, site.https, tmp_path)
    person.install("huge", index="pypi")
    assert version_in(person.target, "huge", home=tmp_path) == NEWEST.version
    assert site.pypi.count(glob="/simple/huge/") == 1
    assert site.daemon.peak_rss() - memory_before < MOST_MEMORY


def test_row_28_fifty_cold_downloads_are_one_for_upstream(
    daemon: DaemonFactory, index: ScriptedIndex, upstream: SocketUpstream, tmp_path: Path
) -> None:
    """The first bytes come when all have asked; each gets the whole wheel."""
    index.add(LATE)
    body = index.hold_body("*.whl")
    d = daemon(config={"index": {"pypi": {"upstream": upstream.url, "idle_timeout": "2 min"}}})
    for installer in INSTALLERS:
        # Not by fifty at the same time.
        installer.client(tmp_path)
    with Recorder(d.port) as recorder, ThreadPoolExecutor(len(CROWD)) as pool:
        people = [Person(installer, recorder, tmp_path / f"{number}") for number, installer in enumerate(CROWD)]
        installs = [pool.submit(person.install, LATE.project, env=PATIENCE) for person in people]
        recorder.wait(len(CROWD), "*.whl", timeout=90)
        body.send(LATE.content)
        body.finish()
        for install in installs:
            install.result()
    for person in people:
        assert version_in(person.target, LATE.module, home=tmp_path) == LATE.version
    assert index.count("GET", "*.whl") == 1
    assert len(recorder.exchanges("*.whl")) == len(CROWD)
