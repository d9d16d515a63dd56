"""Releases that make way, and the downloads that tell which: a real daemon, what it is told, and what it does."""

from __future__ import annotations

import base64
import json
import os
import sys
import time
from pathlib import Path
from urllib.parse import urljoin

from twisted.internet.task import Clock

from pypid.config import load_config
from pypid.daemon.chores import FIRST_RETENTION, chores
from pypid.domain.names import IndexName, NormalizedName
from tests.indexes.releases import MAIN, Shelf, result
from tests.kit.clients import client_venv, make_venv, pip_install
from tests.kit.daemon import Daemon, DaemonFactory
from tests.kit.dists import Dist, sdist, wheel
from tests.kit.pages import JSON
from tests.kit.processes import run
from tests.kit.rawclient import get
from tests.kit.upstream import ScriptedIndex, SocketUpstream
from tests.web.forms import fields_of, multipart

PASSWORD = "correct horse battery staple"
CREDENTIALS = base64.b64encode(f"alice:{PASSWORD}".encode()).decode()
PYPI = IndexName("pypi")


def upload(d: Daemon, dist: Dist) -> int:
    content_type, body = multipart(fields_of(dist), dist)
    headers = {"Authorization": f"Basic {CREDENTIALS}", "Content-Type": content_type}
    return get(d.url, method="POST", headers=headers, body=body).status


def listed(d: Daemon, project: str) -> list[str]:
    answer = get(f"{d.simple}{project}/", headers={"Accept": JSON})
    return [file["filename"] for file in json.loads(answer.body)["files"]]


def file_url(d: Daemon, dist: Dist) -> str:
    return urljoin(d.url, f"files/{dist.project}/{dist.sha256[:16]}/{dist.filename}")


def foretold(d: Daemon, *options: str) -> list[str]:
    """Return what `pypid retain --dry-run` says."""
    return retain(d, "--dry-run", *options)


def retain(d: Daemon, *options: str) -> list[str]:
    command = [sys.executable, "-m", "pypid.cli.main", "retain", "--config", str(d.config_file), *options]
    said = run(command, home=d.directory)
    assert said.returncode == 0, said.stdout
    return said.stdout.splitlines()


def test_what_a_dry_run_lists_is_what_goes(daemon: DaemonFactory) -> None:
    """While the daemon runs nothing is touched; its own clock then deletes exactly that, and for good."""
    d = daemon(config={"index": {"main": {"bases": [], "keep_releases": 2}, "pypi": {"enabled": False}}})
    d.add_user("alice", PASSWORD)
    dists = [make("demo", f"1.{minor}") for minor in (9, 10, 11, 8) for make in (wheel, sdist)]
    assert [upload(d, dist) for dist in dists] == [200] * 8
    assert foretold(d) == [
        "main: demo 1.8 (2 files): older than the last 2",
        "main: demo 1.9 (2 files): older than the last 2",
        "main: 2 releases, 4 files would go",
    ]
    assert len(listed(d, "demo")) == 8
    d.terminate()

    clock = Clock()
    with Shelf(d.data, time.time()) as shelf:
        shelf.rule(load_config(d.config_file, {}).retention)
        service = chores(clock, shelf.counts, shelf.retainer, shelf.tokens)
        service.startService()
        clock.advance(FIRST_RETENTION)
        service.stopService()

    d.start()
    left = {dist.filename for dist in dists if dist.version in {"1.10", "1.11"}}
    assert set(listed(d, "demo")) == left
    assert foretold(d) == ["main: 0 releases, 0 files would go"]
    gone = dists[0]
    assert get(file_url(d, gone)).status == 404
    assert upload(d, wheel("demo", "1.9", summary="another")) == 400, "the filename is used up"
    lines = [json.loads(line) for line in (d.data / "audit.jsonl").read_text().splitlines()]
    deleted = {line["filename"]: line["user"] for line in lines if line["action"] == "delete"}
    assert deleted == {dist.filename: "retention" for dist in dists if dist.filename not in left}


def test_what_a_dry_run_lists_goes_at_once_when_asked_for(daemon: DaemonFactory) -> None:
    d = daemon(config={"index": {"main": {"bases": [], "keep_releases": 1}, "pypi": {"enabled": False}}})
    d.add_user("alice", PASSWORD)
    assert [upload(d, wheel("demo", version)) for version in ("1.0", "2.0")] == [200, 200]
    lines = ["main: demo 1.0 (1 file): not the last one", "main: 1 release, 1 file would go"]
    assert foretold(d) == lines
    assert retain(d) == [lines[0], "main: 1 release, 1 file are gone"]
    assert listed(d, "demo") == [wheel("demo", "2.0").filename]
    assert retain(d, "--index", "main") == ["main: 0 releases, 0 files are gone"]


def test_downloads_are_counted_where_the_file_is(
    daemon: DaemonFactory, index: ScriptedIndex, upstream: SocketUpstream, tmp_path: Path
) -> None:
    """pip's; twice for a file that came twice. A stop in good order loses none."""
    d = daemon(config={"index": {"pypi": {"upstream": upstream.url}}})
    d.add_user("alice", PASSWORD)
    theirs = index.add(wheel("public-part", "2.0"))
    ours = wheel("acme-tools", "1.0", requires=["public-part"])
    assert upload(d, ours) == 200
    pip = client_venv("pip", "26.*", home=tmp_path / "home")
    for name in ("one", "two"):
        installed = pip_install(pip, make_venv(tmp_path / name), "--no-cache-dir", "acme-tools", index_url=d.simple)
        assert installed.returncode == 0, installed.stdout
    assert get(file_url(d, ours), method="HEAD").status == 200
    d.terminate()
    with Shelf(d.data, time.time()) as shelf:
        of_main = result(shelf.counts.of_project(MAIN, NormalizedName("acme-tools")))
        of_mirror = result(shelf.counts.of_project(PYPI, NormalizedName("public-part")))
        assert {name: each.total for name, each in of_main.items()} == {ours.filename: 2}
        assert {name: each.total for name, each in of_mirror.items()} == {theirs.filename: 2}
        assert result(shelf.counts.of_project(MAIN, NormalizedName("public-part"))) == {}


def test_damaged_counts_cost_no_start(daemon: DaemonFactory) -> None:
    d = daemon(config={"index": {"main": {"bases": [], "drop_dev_after": "30 d"}, "pypi": {"enabled": False}}})
    d.terminate()
    (d.data / "counts.db").write_bytes(os.urandom(8192))
    d.start()
    d.wait_log("counts.db is damaged")
    assert len(list(d.data.glob("counts.db.corrupt-*"))) == 1
    assert foretold(d, "--index", "main") == [
        "main: 0 releases, 0 files would go",
        "main: no release goes for its age yet: pypid has not run for a week without a break",
    ]
