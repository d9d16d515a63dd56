"""What upstream has taken away: the page is gone, and what lock files name stays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.kit.clients import Result, client_venv, make_venv, pip_install, uv_pip_install, version_in
from tests.kit.daemon import Daemon, DaemonFactory
from tests.kit.dists import Dist, wheel
from tests.kit.processes import eventually
from tests.kit.rawclient import get
from tests.kit.upstream import ScriptedIndex, SocketUpstream, Status

LOCKED, NEVER_FETCHED = wheel("locked", "1.0"), wheel("locked", "2.0")


@pytest.fixture
def d(daemon: DaemonFactory, index: ScriptedIndex, upstream: SocketUpstream) -> Daemon:
    for dist in (LOCKED, NEVER_FETCHED):
        index.add(dist)
    return daemon(config={"index": {"pypi": {"upstream": upstream.url, "ttl": 0, "grace": 0}}})


def file_url(d: Daemon, dist: Dist) -> str:
    return f"{d.url}files/{dist.project}/{dist.sha256[:16]}/{dist.filename}"


def keep(d: Daemon, dist: Dist) -> None:
    """Have the file fetched, and wait until it is kept: who asks first has its end while the disk still works."""
    assert get(file_url(d, dist)).body == dist.content
    assert eventually(lambda: get(file_url(d, dist)).headers["cache-status"] == "pypid; hit", 10)


@pytest.mark.parametrize(
    ("tool", "version", "install"), [("pip", "26.*", pip_install), ("uv", "0.13.*", uv_pip_install)], ids=["pip", "uv"]
)
def test_a24_a_lock_file_outlives_its_project(
    tool: str, version: str, install: Callable[..., Result], d: Daemon, index: ScriptedIndex, tmp_path: Path
) -> None:
    """With URL and hash, as pip and uv lock; after a restart, too. By its name the project is not found."""
    keep(d, LOCKED)
    index.remove_project("locked")
    assert get(f"{d.simple}locked/").status == 404
    d.restart()
    lock = tmp_path / "requirements.txt"
    lock.write_text(f"locked @ {file_url(d, LOCKED)} --hash=sha256:{LOCKED.sha256}\n")
    client = client_venv(tool, version, home=tmp_path / "home")
    target = make_venv(tmp_path / "target")
    result = install(client, target, "--require-hashes", "-r", lock, index_url=d.simple)
    assert result.returncode == 0, result.stdout
    assert version_in(target, "locked", home=tmp_path) == "1.0"
    assert install(client, target, "locked==2.0", index_url=d.simple).returncode != 0
    assert get(file_url(d, NEVER_FETCHED)).status == 404
    d.wait_log("locked")


@pytest.mark.parametrize("status", [410, 451])
def test_a25_upstream_says_why_and_is_believed_for_long(status: int, d: Daemon, index: ScriptedIndex) -> None:
    keep(d, LOCKED)
    index.script("/simple/*", Status(status), times=None)
    before = index.count(glob="/simple/*")
    for _ in range(3):
        page = get(f"{d.simple}locked/")
        assert page.status == 404
        assert f"upstream says {status}" in page.reason
    assert int(page.headers["cache-status"].split("ttl=")[1].split(";")[0]) > 60
    assert index.count(glob="/simple/*") == before + 1
    assert get(file_url(d, LOCKED)).body == LOCKED.content
