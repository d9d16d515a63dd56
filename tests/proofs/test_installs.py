"""Real installers install through pypid from an upstream, and again when the upstream is gone."""

from __future__ import annotations

import bz2
import gzip
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.kit.clients import make_venv, version_in
from tests.kit.daemon import DaemonFactory
from tests.kit.dists import sdist, wheel
from tests.kit.site import PIP_23, PIP_25, PIP_26, UV, Installer, each_installer, per_installer
from tests.kit.upstream import PageStyle, ScriptedIndex, SocketUpstream

ROOT = wheel("app-root", "2.0", requires=["left-part>=1", "right-part"], requires_python=">=3.8")
LEFT = wheel("left-part", "1.5", requires=["deep_part"])
RIGHT = wheel("right-part", "3.0", requires=["deep-part"])
DEEP = wheel("Deep.Part", "0.1")
TREE = (ROOT, LEFT, RIGHT, DEEP)


def _fill(index: ScriptedIndex) -> None:
    for dist in TREE:
        index.add(dist)
    index.add(wheel("app-root", "1.0"))
    index.add(wheel("app-root", "9.0", requires_python=">=4"))


def _install(installer: Installer, home: Path, url: str, place: Path) -> Path:
    target = make_venv(place)
    result = installer.install(installer.client(home), target, "app-root", index_url=url)
    assert result.returncode == 0, result.stdout
    for dist in TREE:
        assert version_in(target, dist.module, home=place) == dist.version
    return target


@each_installer
def test_a_tree_is_installed_and_again_without_upstream(
    installer: Installer,
    daemon: DaemonFactory,
    index: ScriptedIndex,
    upstream: SocketUpstream,
    tmp_path: Path,
) -> None:
    """The first install asks upstream once for each page and file; later ones, by anybody, for nothing."""
    _fill(index)
    d = daemon(config={"index": {"pypi": {"upstream": upstream.url}}})
    _install(installer, tmp_path / "first", d.simple, tmp_path / "one")
    for dist in TREE:
        assert index.count("GET", f"/simple/{dist.project}/") == 1
        assert index.count("GET", index.file_path(dist)) == 1
        assert index.count("GET", f"{index.file_path(dist)}.metadata") == 1
    assert len(index.requests) == 3 * len(TREE), index.paths()

    upstream.stop()
    _install(installer, tmp_path / "second", d.simple, tmp_path / "two")
    d.restart()
    _install(installer, tmp_path / "third", d.simple, tmp_path / "three")
    assert len(index.requests) == 3 * len(TREE)


@each_installer
def test_an_upstream_that_has_only_html(installer: Installer, daemon: DaemonFactory, tmp_path: Path) -> None:
    """Without JSON, sizes and upload times a tree is installed all the same, a source distribution in it too."""
    index = ScriptedIndex(PageStyle(json=False, sizes=False, upload_times=False))
    _fill(index)
    source = index.add(sdist("only-source", "1.0"))
    with SocketUpstream(index) as upstream:
        d = daemon(config={"index": {"pypi": {"upstream": upstream.url}}})
        target = _install(installer, tmp_path / "home", d.simple, tmp_path / "target")
        result = installer.install(installer.client(tmp_path / "home"), target, "only-source", index_url=d.simple)
        assert result.returncode == 0, result.stdout
        assert version_in(target, source.module, home=tmp_path) == "1.0"
    assert index.count("GET", index.file_path(source)) == 1


@per_installer({**dict.fromkeys((PIP_23, PIP_25, PIP_26), "Successfully installed"), UV: "PEP 625"})
def test_an_old_source_distribution(
    installer: Installer,
    expected: str,
    daemon: DaemonFactory,
    index: ScriptedIndex,
    upstream: SocketUpstream,
    tmp_path: Path,
) -> None:
    """As with PyPI itself: pip installs it, uv finds it and says why it does not."""
    new = sdist("old-source", "1.0")
    content = bz2.compress(gzip.decompress(new.content))
    index.add(replace(new, filename="Old-Source-1.0.tar.bz2", content=content))
    d = daemon(config={"index": {"pypi": {"upstream": upstream.url}}})
    target = make_venv(tmp_path / "target")
    result = installer.install(installer.client(tmp_path / "home"), target, "old-source", index_url=d.simple)
    assert expected in result.stdout


@pytest.mark.parametrize(("installer", "option"), [(PIP_26, "--uploaded-prior-to"), (UV, "--exclude-newer")], ids=str)
def test_a_cool_down_over_an_upstream_that_has_only_html(
    installer: Installer, option: str, daemon: DaemonFactory, tmp_path: Path
) -> None:
    """Without upload times pip would fail and uv find nothing; with ours a file is as old as when it was first seen."""
    index = ScriptedIndex(PageStyle(json=False, sizes=False, upload_times=False))
    _fill(index)
    with SocketUpstream(index) as upstream:
        d = daemon(config={"index": {"pypi": {"upstream": upstream.url}}})
        client = installer.client(tmp_path / "home")
        target = make_venv(tmp_path / "target")
        yesterday, tomorrow = ((datetime.now(UTC) + timedelta(days=n)).strftime("%Y-%m-%dT%H:%M:%SZ") for n in (-1, 1))
        too_new = installer.install(client, target, option, yesterday, "app-root", index_url=d.simple)
        assert too_new.returncode != 0
        assert "does not provide upload-time" not in too_new.stdout
        d.restart()
        result = installer.install(client, target, option, tomorrow, "app-root", index_url=d.simple)
        assert result.returncode == 0, result.stdout
        assert version_in(target, ROOT.module, home=tmp_path) == ROOT.version


def test_an_upstream_that_is_down_is_no_missing_project(
    daemon: DaemonFactory, index: ScriptedIndex, upstream: SocketUpstream, tmp_path: Path
) -> None:
    """uv stops with an error instead of taking the name from the next index; nothing is said to be missing."""
    decoy = ScriptedIndex()
    decoy.add(wheel("app-root", "6.6.6"))
    d = daemon(config={"index": {"pypi": {"upstream": upstream.url}}})
    upstream.stop()
    uv = UV.client(tmp_path / "home")
    with SocketUpstream(decoy) as other:
        target = make_venv(tmp_path / "target")
        env = {"UV_HTTP_RETRIES": "0"}
        index_args = ["--index", d.simple, "--default-index", other.url]
        result = uv.run("uv", "pip", "install", "--python", target, *index_args, "app-root", env=env)
    assert result.returncode != 0
    assert "503" in result.stdout
    assert decoy.requests == []
    assert index.requests == []
