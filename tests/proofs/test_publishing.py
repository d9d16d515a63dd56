"""What a team uploads: there within a second, theirs alone, and never mistaken for a stranger's."""

from __future__ import annotations

import json
import time
from pathlib import Path

from tests.kit.clients import Client, client_venv, make_venv, pip_install, twine_upload, uv_publish, version_in
from tests.kit.daemon import Daemon, DaemonFactory
from tests.kit.dists import Dist, sdist, wheel
from tests.kit.rawclient import get
from tests.kit.upstream import ScriptedIndex, SocketUpstream

PASSWORD = "correct horse battery staple"


def _written(dist: Dist, directory: Path) -> Path:
    directory.mkdir(exist_ok=True)
    path = directory / dist.filename
    path.write_bytes(dist.content)
    return path


def _twine(tmp_path: Path) -> Client:
    return client_venv("twine", "7.*", home=tmp_path / "home")


def _unwrapped(text: str) -> str:
    """What was written to a terminal of some width."""
    return " ".join(text.split())


def _listed(d: Daemon, project: str) -> list[dict[str, object]]:
    answer = get(f"{d.simple}{project}/", headers={"Accept": "application/vnd.pypi.simple.v1+json"})
    assert answer.status == 200
    files: list[dict[str, object]] = json.loads(answer.body)["files"]
    return files


def test_twine_uploads_and_pip_installs_it_within_a_second(
    daemon: DaemonFactory, index: ScriptedIndex, upstream: SocketUpstream, tmp_path: Path
) -> None:
    """A stranger's higher version of the same name is neither offered nor asked for."""
    ours = wheel("acme-tools", "1.0", requires=["public-part"], requires_python=">=3.8")
    index.add(wheel("acme-tools", "99.0"))
    public = index.add(wheel("public-part", "2.0"))
    d = daemon(config={"index": {"pypi": {"upstream": upstream.url}}})
    d.add_user("alice", PASSWORD)
    pip = client_venv("pip", "26.*", home=tmp_path / "home")
    # A pip that has looked before, and might remember that there was nothing.
    assert get(f"{d.simple}public-part/").status == 200
    result = twine_upload(_twine(tmp_path), d.url, "alice", PASSWORD, _written(ours, tmp_path / "dist"))
    assert result.returncode == 0, result.stdout
    uploaded = time.monotonic()
    (listed,) = _listed(d, "acme-tools")
    assert time.monotonic() - uploaded < 1
    assert listed["hashes"] == {"sha256": ours.sha256}
    assert listed["core-metadata"] == {"sha256": ours.metadata_sha256}
    assert listed["requires-python"] == ">=3.8"
    assert str(listed["upload-time"]).endswith("Z")

    for spelling in ("acme-tools", "Acme_Tools", "acme.tools"):
        target = make_venv(tmp_path / spelling)
        installed = pip_install(pip, target, "--no-cache-dir", spelling, index_url=d.simple)
        assert installed.returncode == 0, installed.stdout
        assert version_in(target, ours.module, home=tmp_path) == "1.0"
        assert version_in(target, public.module, home=tmp_path) == "2.0"
    refused = pip_install(pip, make_venv(tmp_path / "higher"), "acme-tools>=2", index_url=d.simple)
    assert refused.returncode != 0
    assert not [path for path in index.paths() if "acme" in path]


def test_uv_publishes_and_what_is_published_stays(daemon: DaemonFactory, tmp_path: Path) -> None:
    """The same bytes again are welcome, others are not, and all is there after a restart."""
    d = daemon(config={"index": {"main": {"bases": []}, "pypi": {"enabled": False}}})
    d.add_user("alice", PASSWORD)
    uv = client_venv("uv", "0.13.*", home=tmp_path / "home")
    files = [_written(dist, tmp_path / "dist") for dist in (wheel("demo", "1.0"), sdist("demo", "1.0"))]
    for _ in range(2):
        result = uv_publish(uv, f"{d.url}legacy/", "alice", PASSWORD, *files)
        assert result.returncode == 0, result.stdout
    before = _listed(d, "demo")
    assert {each["filename"] for each in before} == {path.name for path in files}

    other = _written(wheel("demo", "1.0", summary="Another"), tmp_path / "other")
    refused = uv_publish(uv, f"{d.url}main/", "alice", PASSWORD, other)
    assert refused.returncode != 0
    assert "File already exists" in refused.stdout
    refused = twine_upload(_twine(tmp_path), d.url, "alice", PASSWORD, other)
    assert refused.returncode != 0
    assert "File already exists" in refused.stdout
    d.restart()
    assert _listed(d, "demo") == before


def test_uploads_are_refused_until_there_is_a_user(daemon: DaemonFactory, tmp_path: Path) -> None:
    """twine shows how to make one; a wrong password is said to be wrong; the user file's end does not open the door."""
    d = daemon()
    path = _written(wheel("demo", "1.0"), tmp_path / "dist")
    twine = _twine(tmp_path)
    refused = twine_upload(twine, d.url, "alice", PASSWORD, path)
    assert refused.returncode != 0
    assert "pypid user add" in _unwrapped(refused.stdout)
    d.add_user("alice", PASSWORD)
    refused = twine_upload(twine, d.url, "alice", "wrong", path)
    assert refused.returncode != 0
    assert "401" in refused.stdout
    accepted = twine_upload(twine, d.url, "alice", PASSWORD, path)
    assert accepted.returncode == 0, accepted.stdout


def test_an_upload_to_a_mirror_is_refused(daemon: DaemonFactory, tmp_path: Path) -> None:
    """The reason is on twine's screen, and the mirror is unchanged."""
    d = daemon()
    d.add_user("alice", PASSWORD)
    path = _written(wheel("demo", "1.0"), tmp_path / "dist")
    refused = twine_upload(_twine(tmp_path), f"{d.url}pypi/legacy/", "alice", PASSWORD, path)
    assert refused.returncode != 0
    assert "mirrors another index" in _unwrapped(refused.stdout)


def test_a_big_upload_costs_no_memory(daemon: DaemonFactory, tmp_path: Path) -> None:
    """A wheel of 200 MiB is received in less memory than a tenth of it."""
    d = daemon(config={"index": {"main": {"bases": []}, "pypi": {"enabled": False}}})
    d.add_user("alice", PASSWORD)
    big = wheel("big", "1.0", size=200 * 2**20)
    before = d.peak_rss()
    result = twine_upload(_twine(tmp_path), d.url, "alice", PASSWORD, _written(big, tmp_path / "dist"))
    assert result.returncode == 0, result.stdout
    assert d.peak_rss() - before < 20 * 2**20
    (listed,) = _listed(d, "big")
    assert listed["hashes"] == {"sha256": big.sha256}
