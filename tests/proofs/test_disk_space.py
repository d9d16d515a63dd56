"""A disk that does not fill up: what makes way, and what its clients notice of that, which is nothing."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urljoin

import pytest

from tests.kit.clients import client_venv, make_venv, pip_install, version_in
from tests.kit.daemon import Config, Daemon, DaemonFactory
from tests.kit.disks import can_mount, small_disk
from tests.kit.dists import Dist, wheel
from tests.kit.processes import eventually, run
from tests.kit.rawclient import get
from tests.kit.upstream import ScriptedIndex, SocketUpstream

MIB = 1024 * 1024
NAMES = ("ash", "birch", "cedar", "date", "elm", "fir")


def _wheels(index: ScriptedIndex, size: int) -> list[Dist]:
    return [index.add(wheel(name, "1.0", size=size)) for name in NAMES]


def _config(upstream: SocketUpstream, **server: object) -> Config:
    return {"server": server, "index": {"pypi": {"upstream": upstream.url}}}


def _fetch(d: Daemon, dist: Dist) -> None:
    answer = get(urljoin(d.simple, f"../files/{dist.project}/{dist.sha256[:16]}/{dist.filename}"), timeout=30)
    assert (answer.status, answer.complete) == (200, True)
    assert answer.body == dist.content


def _fetched(index: ScriptedIndex, dists: Sequence[Dist]) -> list[int]:
    """Return how often upstream was asked for each."""
    return [index.count("GET", index.file_path(dist)) for dist in dists]


def _kept(d: Daemon, dists: Sequence[Dist]) -> list[bool]:
    return [(d.data / "blobs" / dist.sha256[:2] / dist.sha256).exists() for dist in dists]


def _gc(d: Daemon, *args: str) -> str:
    command = [sys.executable, "-m", "pypid.cli.main", "gc", *args, "--config", str(d.config_file)]
    result = run(command, home=d.directory)
    assert result.returncode == 0, result.stdout
    return result.stdout


def test_only_what_made_way_is_fetched_again(
    daemon: DaemonFactory, index: ScriptedIndex, upstream: SocketUpstream, tmp_path: Path
) -> None:
    """Installed, evicted and installed again by pip; the order is that of the last uses, over two restarts."""
    dists = _wheels(index, 2 * MIB)
    d = daemon(config=_config(upstream))
    pip = client_venv("pip", "26.*", home=tmp_path)
    for number, names in enumerate((NAMES, NAMES[:1])):
        target = make_venv(tmp_path / f"before-{number}")
        result = pip_install(pip, target, "--no-cache-dir", *names, index_url=d.simple)
        assert result.returncode == 0, result.stdout
    assert "to go     nothing" in _gc(d, "--dry-run")
    d.terminate()
    d.configure(_config(upstream, cache_size="10.5 MiB"))
    # Two wheels, and the metadata of five, which pip asks for before it fetches any wheel.
    assert "to go     7 files, 4.0 MiB" in _gc(d, "--dry-run")
    assert _gc(d).startswith("7 files, 4.0 MiB")
    left = _kept(d, dists)
    assert (left[0], left.count(False)) == (True, 2)
    d.configure(_config(upstream))
    d.start()
    target = make_venv(tmp_path / "after")
    result = pip_install(pip, target, "--no-cache-dir", *NAMES, index_url=d.simple)
    assert result.returncode == 0, result.stdout
    assert {version_in(target, dist.module, home=tmp_path) for dist in dists} == {"1.0"}
    assert _fetched(index, dists) == [1 if kept else 2 for kept in left]


def test_the_older_make_way_while_it_runs(
    daemon: DaemonFactory, index: ScriptedIndex, upstream: SocketUpstream
) -> None:
    dists = _wheels(index, 2 * MIB)
    d = daemon(config=_config(upstream, cache_size="11 MiB"))
    for dist in dists[:4]:
        _fetch(d, dist)
    d.restart()  # what was used a minute ago is no longer in use
    for dist in dists[4:]:
        _fetch(d, dist)
    assert eventually(lambda: _kept(d, dists) == [False, False, True, True, True, True], 10), _kept(d, dists)
    for dist in [*dists[2:], *dists[:2]]:
        _fetch(d, dist)
    assert _fetched(index, dists) == [2, 2, 1, 1, 1, 1]


def test_a_running_daemon_is_asked_to_make_room(
    daemon: DaemonFactory, index: ScriptedIndex, upstream: SocketUpstream
) -> None:
    dists = _wheels(index, MIB)[:2]
    d = daemon(config=_config(upstream))
    _fetch(d, dists[0])
    d.restart()
    _fetch(d, dists[1])
    d.configure(_config(upstream, cache_size="1 MiB"))
    assert f"process {d.pid}" in _gc(d)
    assert eventually(lambda: _kept(d, dists) == [False, True], 10)


def test_a_file_larger_than_the_cache_is_passed_on(
    daemon: DaemonFactory, index: ScriptedIndex, upstream: SocketUpstream
) -> None:
    """F20: it takes nobody's place, and each who asks for it has it from upstream."""
    small, large = index.add(wheel("small", "1.0", size=MIB)), index.add(wheel("large", "1.0", size=8 * MIB))
    d = daemon(config=_config(upstream, cache_size="4 MiB"))
    for dist in (small, large, large, small):
        _fetch(d, dist)
    assert (_fetched(index, [small, large]), _kept(d, [small, large])) == ([1, 2], [True, False])
    d.wait_log("is not kept: there is no room for it")


@pytest.mark.skipif(not can_mount(), reason="no file system can be mounted here, not even in a namespace of its own")
def test_a_disk_that_is_full_costs_no_client_its_file(
    daemon: DaemonFactory, index: ScriptedIndex, upstream: SocketUpstream, tmp_path: Path
) -> None:
    """C06: twice what the disk holds is fetched, and again; what is not kept passes through the reserve."""
    dists = [index.add(wheel(f"{name}-{number}", "1.0", size=4 * MIB)) for name in NAMES for number in range(2)]
    data = tmp_path / "daemon-0" / "data"
    data.mkdir(parents=True)
    d = daemon(config=_config(upstream, keep_free="6 MiB"), prefix=small_disk(data, size="24m"))
    for dist in dists * 2:
        _fetch(d, dist)
    assert set(_fetched(index, dists)) == {1, 2}, "some are kept, and the others are not"
    d.wait_log("there is too little room for mirrored files")
