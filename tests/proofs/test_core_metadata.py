"""Real resolvers get core metadata for every wheel of a mirror, whatever its upstream has."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from pypid.domain.metadata import PART
from pypid.domain.names import normalize_name
from tests.kit.clients import Client, make_venv, python_of, version_in
from tests.kit.daemon import Daemon, DaemonFactory
from tests.kit.dists import Dist, wheel
from tests.kit.site import UV, Installer, each_installer
from tests.kit.upstream import PageStyle, ScriptedIndex, SetHeaders, SocketUpstream, Status

MIB = 1024 * 1024
LIBRARY = random.Random(0).randbytes(8 * MIB)


def _big(name: str, *requires: str) -> Dist:
    module = name.replace("-", "_")
    return wheel(name, "1.0", requires=requires, extra_files={f"{module}/lib.so": LIBRARY})


TREE = (
    _big("app-root", "left-part", "right-part"),
    _big("left-part", "deep-part"),
    _big("right-part"),
    _big("deep-part"),
)


def _compile(uv: Client, d: Daemon, directory: Path) -> None:
    directory.mkdir()
    wanted = directory / "requirements.in"
    wanted.write_text("app-root\n")
    result = uv.run("uv", "pip", "compile", "--default-index", d.simple, "--no-annotate", "--no-header", wanted)
    assert result.returncode == 0, result.stdout
    for dist in TREE:
        assert f"{dist.project}==1.0\n" in result.stdout


def test_a_tree_is_resolved_without_fetching_a_wheel(daemon: DaemonFactory, tmp_path: Path) -> None:
    """Over an upstream that has only HTML; again by another client, and by one after a restart without upstream."""
    index = ScriptedIndex(PageStyle(json=False, sizes=False, upload_times=False))
    for dist in TREE:
        index.add(dist, core_metadata=False)
    with SocketUpstream(index) as upstream:
        d = daemon(config={"index": {"pypi": {"upstream": upstream.url}}})
        _compile(UV.client(tmp_path / "first"), d, tmp_path / "one")
        for dist in TREE:
            seen = [each for each in index.requests if each.path == index.file_path(dist)]
            size = len(dist.content)
            parts = [each.headers.get("range") for each in seen if each.method != "HEAD"]
            assert parts == [f"bytes={size - PART}-{size - 1}"]
        asked = len(index.requests)
        _compile(UV.client(tmp_path / "second"), d, tmp_path / "two")
        assert len(index.requests) == asked
    d.restart()
    _compile(UV.client(tmp_path / "third"), d, tmp_path / "three")


@each_installer
def test_a_tree_is_installed_over_an_upstream_that_sends_no_ranges(
    installer: Installer, daemon: DaemonFactory, tmp_path: Path
) -> None:
    """Each wheel is then fetched once, for its metadata and for itself."""
    index = ScriptedIndex(PageStyle(json=False, sizes=False, upload_times=False))
    with SocketUpstream(index) as upstream:
        for dist in TREE:
            index.add(dist, core_metadata=False)
            index.script(index.file_path(dist), SetHeaders({}), Status(200, {}, dist.content))
        d = daemon(config={"index": {"pypi": {"upstream": upstream.url}}})
        target = make_venv(tmp_path / "target")
        result = installer.install(installer.client(tmp_path / "home"), target, "app-root", index_url=d.simple)
        assert result.returncode == 0, result.stdout
        for dist in TREE:
            assert version_in(target, dist.module, home=tmp_path) == "1.0"
            assert index.count("GET", index.file_path(dist)) == 2, "once for a part, in vain"


@each_installer
@pytest.mark.parametrize("fault", [Status(200, {}, b"Name: evil\n"), Status(404), Status(403)], ids=str)
def test_an_upstream_that_does_not_keep_to_what_it_claims_stops_nobody(
    installer: Installer, fault: Status, daemon: DaemonFactory, tmp_path: Path
) -> None:
    """A46: the claim is right, but what is beside the wheel is not. What is in it is what was claimed."""
    index = ScriptedIndex()
    dist = index.add(TREE[3])
    index.script("*.metadata", fault, times=None)
    with SocketUpstream(index) as upstream:
        d = daemon(config={"index": {"pypi": {"upstream": upstream.url}}})
        target = make_venv(tmp_path / "target")
        result = installer.install(installer.client(tmp_path / "home"), target, dist.project, index_url=d.simple)
        assert result.returncode == 0, result.stdout
        assert version_in(target, dist.module, home=tmp_path) == "1.0"
        # Wrong bytes are asked for once more, past every cache (A14).
        assert index.count(glob="*.metadata") == (2 if fault.status == 200 else 1)


@each_installer
def test_a_wrong_claim_stops_who_was_told_it_and_nobody_after(
    installer: Installer, daemon: DaemonFactory, tmp_path: Path
) -> None:
    """A46: nothing that these could be answered would let them go on."""
    index = ScriptedIndex()
    dist = TREE[3]
    index.add(replace(dist, metadata=b"something else"))
    index.script("*.metadata", Status(200, {}, dist.metadata or b""), times=None)
    with SocketUpstream(index) as upstream:
        d = daemon(config={"index": {"pypi": {"upstream": upstream.url}}})
        results = []
        for number in range(2):
            client = installer.client(tmp_path / f"home-{number}")
            results.append(
                installer.install(client, make_venv(tmp_path / f"{number}"), dist.project, index_url=d.simple)
            )
    assert "hash" in results[0].stdout.lower(), results[0].stdout
    assert [result.returncode == 0 for result in results] == [False, True], results[1].stdout
    assert version_in(python_of(tmp_path / "1"), dist.module, home=tmp_path) == "1.0"
    # Wrong bytes are asked for once more, past every cache (A14), and then the claim is withdrawn.
    assert index.count(glob="*.metadata") == 2


@each_installer
def test_a_wheel_without_metadata_is_claimed_to_have_some_only_until_somebody_looked(
    installer: Installer, daemon: DaemonFactory, tmp_path: Path
) -> None:
    """The 404 stops the first; the next say themselves what is wrong with the wheel."""
    index = ScriptedIndex(PageStyle(json=False))
    misnamed = replace(wheel("other"), filename="demo-1.0-py3-none-any.whl", project=normalize_name("demo"))
    index.add(misnamed, core_metadata=False)
    with SocketUpstream(index) as upstream:
        d = daemon(config={"index": {"pypi": {"upstream": upstream.url}}})
        results = []
        for number in range(2):
            client = installer.client(tmp_path / f"home-{number}")
            results.append(installer.install(client, make_venv(tmp_path / f"{number}"), "demo", index_url=d.simple))
    assert ["404" in result.stdout for result in results] == [True, False], results[1].stdout
    assert [result.returncode == 0 for result in results] == [False, False]
