"""A directory as an index: real files, a real daemon, real installers."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.kit import procfs
from tests.kit.clients import client_venv, make_venv, pip_install, version_in
from tests.kit.daemon import Daemon, DaemonFactory
from tests.kit.dists import Dist, sdist, wheel
from tests.kit.processes import eventually, run
from tests.kit.rawclient import connect, get
from tests.kit.tars import tar_gz, tar_member
from tests.kit.upstream import ScriptedIndex, SocketUpstream

MIB = 2**20
SECONDS = 30
"""For what comes after a look or two, of which there is one a second."""

MANY = 25_000


def config(*roots: Path, **others: Mapping[str, Any]) -> dict[str, Any]:
    local = {"directory": [str(root) for root in roots], "rescan": 1}
    return {
        "server": {"default_index": "local"},
        "index": {"pypi": {"enabled": False}, "main": {"bases": []}, "local": local, **others},
    }


def listed(d: Daemon, project: str = "demo") -> dict[str, str]:
    """The URL of each file, by its sha256."""
    url = f"{d.url}local/simple/{project}/"
    answer = get(url, headers={"Accept": "application/vnd.pypi.simple.v1+json"})
    if answer.status == 404:
        return {}
    assert answer.status == 200, answer
    files = json.loads(answer.body)["files"]
    return {
        file["hashes"]["sha256"]: url.replace(f"simple/{project}/", "") + file["url"][len("../../") :] for file in files
    }


def put(root: Path, dist: Dist, below: str = "") -> Path:
    path = root / below / dist.filename
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(dist.content)
    return path


def wait_listed(d: Daemon, *dists: Dist) -> None:
    for dist in dists:
        assert eventually(lambda dist=dist: dist.sha256 in listed(d, dist.project), SECONDS), d.log()  # type: ignore[misc]  # lambdas with defaults


def looked(d: Daemon, root: Path, number: int) -> None:
    """Return when what was there before this call was looked at at least twice."""
    marker = wheel("marker", f"{number}.0")
    put(root, marker)
    wait_listed(d, marker)


def test_pip_installs_what_was_copied_into_a_running_index(
    daemon: DaemonFactory, index: ScriptedIndex, upstream: SocketUpstream, tmp_path: Path
) -> None:
    """Issue 5, item 8: below a base, without a restart; the names that are there are asked for nowhere else."""
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    index.add(wheel("acme-tools", "99.0"))
    public = index.add(wheel("public-part", "2.0"))
    others: dict[str, dict[str, Any]] = {"pypi": {"upstream": upstream.url}, "main": {"bases": ["local", "pypi"]}}
    d = daemon(config=config(first, second, **others))
    ours = wheel("Acme_Tools", "1.0", requires=["public-part", "old-part"], requires_python=">=3.8")
    theirs = wheel("Acme_Tools", "1.0", summary="Of the second directory")
    old = sdist("old-part", "3.0")
    put(second, theirs)
    put(first, ours, "team/a")
    put(second, old)
    wait_listed(d, ours, old)
    pip = client_venv("pip", "26.*", home=tmp_path / "home")
    target = make_venv(tmp_path / "target")
    installed = pip_install(pip, target, "--no-cache-dir", "acme.tools", index_url=d.index_url("main"))
    assert installed.returncode == 0, installed.stdout
    for dist, version in ((ours, "1.0"), (public, "2.0"), (old, "3.0")):
        assert version_in(target, dist.module, home=tmp_path) == version
    assert not [path for path in index.paths() if "acme" in path or "old-part" in path]
    assert "is hidden behind" in d.log()


def test_copy_is_never_listed_half(daemon: DaemonFactory, tmp_path: Path) -> None:
    """Neither one that writes under the name, as scp does, nor one that renames, as rsync does."""
    root = tmp_path / "packages"
    root.mkdir()
    d = daemon(config=config(root))
    slow, renamed = wheel("demo", "1.0", size=MIB), sdist("demo", "2.0")
    hidden = root / f".{renamed.filename}.x7Zk2q"
    with (root / slow.filename).open("wb") as copy:
        for part in range(3):
            copy.write(slow.content[part * MIB // 4 : (part + 1) * MIB // 4])
            copy.flush()
            hidden.write_bytes(renamed.content)
            looked(d, root, part)
            assert listed(d) == {}
        copy.write(slow.content[3 * MIB // 4 :])
    hidden.rename(root / renamed.filename)
    wait_listed(d, slow, renamed)


def test_scp_copies_into_it(daemon: DaemonFactory, tmp_path: Path) -> None:
    """With -p, which gives the copy the old time of the original."""
    root = tmp_path / "packages"
    root.mkdir()
    d = daemon(config=config(root))
    demo = wheel("demo")
    path = put(tmp_path, demo)
    copied = run(["scp", "-p", str(path), f"{root}/"], home=tmp_path)
    assert copied.returncode == 0, copied.stdout
    wait_listed(d, demo)


def test_file_that_is_replaced_while_it_is_fetched(daemon: DaemonFactory, tmp_path: Path) -> None:
    """A42: by renaming, the download ends right; by writing over it, never. Then the new one has a URL of its own."""
    root = tmp_path / "packages"
    old = wheel("demo", size=20 * MIB, summary="Old")
    new = wheel("demo", size=20 * MIB, summary="New")
    newest = wheel("demo", size=20 * MIB, summary="Last")
    path = put(root, old)
    d = daemon(config=config(root))
    wait_listed(d, old)
    url = listed(d)[old.sha256]
    with connect("127.0.0.1", d.port, receive_buffer=4096) as client:
        client.request("GET", url[len(d.url) - 1 :])
        assert client.read_head().status == 200
        put(tmp_path, new).replace(path)
        wait_listed(d, new)
        assert client.read(len(old.content)) == old.content
    assert get(url).status == 404
    with connect("127.0.0.1", d.port, receive_buffer=4096) as client:
        client.request("GET", listed(d)[new.sha256][len(d.url) - 1 :])
        assert client.read_head().status == 200
        put(root, newest)
        assert len(client.read(len(new.content))) < len(new.content)
    wait_listed(d, newest)


def test_second_start_reads_no_file_again(daemon: DaemonFactory, tmp_path: Path) -> None:
    """25,000 files: it looks at them, and believes what it has read of them before."""
    root = tmp_path / "packages"
    for number in range(250):
        (root / str(number)).mkdir(parents=True)
    source = random.Random(1)
    content = tar_gz(tar_member("demo-1/setup.py", source.randbytes(4000)))
    for number in range(MANY):
        (root / str(number % 250) / f"demo_{number}-1.0.tar.gz").write_bytes(content)
    d = daemon(config=config(root))
    d.wait_log(f"{MANY} files to offer, 0 to be read", timeout=120)
    begin = len(d.log())
    d.restart()
    d.wait_log(f"{MANY} files to offer, 0 to be read", start=begin)
    assert listed(d, "demo-17")
    assert procfs.bytes_read(d.pid) < MANY * len(content) / 2
    shutil.rmtree(root)


def test_directory_that_goes_away_is_an_outage_of_its_index_alone(daemon: DaemonFactory, tmp_path: Path) -> None:
    """E40: at the start, while it runs, and when nothing is left of it; and a reload has it looked at."""
    root = tmp_path / "packages"
    d = daemon(config=config(root))
    assert get(f"{d.url}local/simple/demo/").status == 503
    assert get(f"{d.url}main/simple/demo/").status == 404
    demo = wheel("demo")
    put(root, demo)
    assert eventually(lambda: get(f"{d.url}local/simple/demo/").status == 200, SECONDS)
    wait_listed(d, demo)
    away = root.rename(tmp_path / "away")
    assert eventually(lambda: get(f"{d.url}local/simple/demo/").status == 503, SECONDS)
    root.mkdir()
    d.restart()
    assert get(f"{d.url}local/simple/demo/").status == 503
    assert "is its disk mounted?" in d.log()
    seldom = config(away)
    seldom["index"]["local"]["rescan"] = "1 h"
    d.reload(seldom)
    wait_listed(d, demo)
    put(away, wheel("demo", "2.0"))
    d.reload(config(away))
    wait_listed(d, wheel("demo", "2.0"))
