"""The client matrix, row 33, and row 30 for locks: what else pip and uv do with an index."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.kit.dists import sdist, wheel
from tests.kit.site import PIP_23, PIP_25, PIP_26, UV, Installer, Person, Site
from tests.kit.toml import to_toml

LEAF = wheel("leaf", "2.0")
TREE = wheel("tree", requires=["leaf"])
PIPS = pytest.mark.parametrize("pip", [PIP_23, PIP_25, PIP_26], ids=str)
LOCKING_PIPS = pytest.mark.parametrize("pip", [PIP_25, PIP_26], ids=str)


@pytest.fixture(scope="module", autouse=True)
def projects(site: Site) -> None:
    site.publish(TREE)
    for dist in (LEAF, wheel("leaf", "1.0"), sdist("leaf", "0.9"), wheel("leaf", "3.0rc1")):
        site.pypi.add(dist)


def _pip(pip: Installer, site: Site, directory: Path, *args: str | Path) -> str:
    person = Person(pip, site.https, directory)
    site.https.forget()
    index = ("--index-url", site.https.simple)
    result = person.client.run("python", "-m", "pip", *args, *index, env=site.https.env)
    assert result.returncode == 0, result.stdout
    return result.stdout


@PIPS
def test_row_33_pip_index_versions(pip: Installer, site: Site, tmp_path: Path) -> None:
    """By the project's page and nothing else."""
    said = _pip(pip, site, tmp_path, "index", "versions", "leaf")
    assert "leaf (2.0)\nAvailable versions: 2.0, 1.0, 0.9\n" in said
    assert [each.path for each in site.https.exchanges()] == ["/simple/leaf/"]


@PIPS
def test_row_33_pip_download(pip: Installer, site: Site, tmp_path: Path) -> None:
    _pip(pip, site, tmp_path, "download", "tree", "--dest", tmp_path / "files")
    downloaded = {path.name: path.read_bytes() for path in (tmp_path / "files").iterdir()}
    assert downloaded == {dist.filename: dist.content for dist in (TREE, LEAF)}


@LOCKING_PIPS
def test_row_33_pip_lock(pip: Installer, site: Site, tmp_path: Path) -> None:
    """It takes the digest from the page and loads no wheel; the URLs are the index's own."""
    lock = tmp_path / "pylock.toml"
    _pip(pip, site, tmp_path, "lock", "tree", "--output", lock)
    wheels = [each["wheels"][0] for each in tomllib.loads(lock.read_text())["packages"]]
    assert {each["name"]: each["hashes"] for each in wheels} == {
        dist.filename: {"sha256": dist.sha256} for dist in (TREE, LEAF)
    }
    assert all(each["url"].startswith(f"{site.https.url}files/") for each in wheels)
    assert site.https.exchanges("*.whl") == []


def test_row_30_uv_locks_and_installs_what_is_locked(site: Site, tmp_path: Path) -> None:
    """The lock has all that the page says of a file; the install loads the wheels and nothing else."""
    person = Person(UV, site.https, tmp_path)
    own = {"name": "own", "version": "1", "requires-python": ">=3.11", "dependencies": ["tree"]}
    (tmp_path / "pyproject.toml").write_text(to_toml({"project": own}))

    def uv(*args: str) -> None:
        site.https.forget()
        index = ("--default-index", site.https.simple)
        result = person.client.run("uv", *args, *index, cwd=tmp_path, env=site.https.env)
        assert result.returncode == 0, result.stdout

    uv("lock")
    locked = {each["name"]: each for each in tomllib.loads((tmp_path / "uv.lock").read_text())["package"]}
    for dist in (TREE, LEAF):
        (file,) = locked[dist.project]["wheels"]
        assert file["hash"] == f"sha256:{dist.sha256}"
        assert file["size"] == len(dist.content)
        assert file["upload-time"].endswith("Z")
    assert site.https.exchanges("*.whl") == []
    uv("sync", "--frozen")
    assert sorted(each.path.rpartition("/")[2] for each in site.https.exchanges()) == [LEAF.filename, TREE.filename]
