"""Offline, as an operator turns it on and off, and as pip meets it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.kit.daemon import Daemon, DaemonFactory
from tests.kit.dists import wheel
from tests.kit.processes import run
from tests.kit.rawclient import get
from tests.kit.sockets import SocketUpstream


def turn(d: Daemon, state: str) -> None:
    begin = len(d.log())
    command: list[str | Path] = [sys.executable, "-m", "pypid.cli.main", "offline", state, "--config", d.config_file]
    result = run(command, home=d.data.parent)
    assert result.returncode == 0, result.stderr
    assert f"(process {d.pid})" in result.stdout
    d.wait_log("reloaded", start=begin)


def test_offline_is_turned_on_and_off_while_it_runs(daemon: DaemonFactory, upstream: SocketUpstream) -> None:
    """What was fetched is served over a restart as well, nobody is asked, and what is not here is no 404."""
    demo = upstream.index.add(wheel("demo"))
    upstream.index.add(wheel("later"))
    d = daemon(config={"index": {"pypi": {"upstream": upstream.url, "ttl": 0}}})
    file = f"{d.url}files/demo/{demo.sha256[:16]}/{demo.filename}"
    assert get(file).body == demo.content
    turn(d, "on")
    asked = len(upstream.index.requests)
    for _ in range(2):
        page, missing = get(f"{d.simple}demo/"), get(f"{d.simple}later/")
        assert (page.status, missing.status) == (200, 503)
        assert "detail=offline" in page.headers["cache-status"]
        assert missing.headers["cache-status"] == "pypid; fwd=uri-miss; detail=offline"
        assert missing.headers["retry-after"] == "1"
        assert get(file).body == demo.content
        assert get(f"{d.url}-/health").body == b"ok\noffline: pypi\n"
        d.restart()
    assert len(upstream.index.requests) == asked
    turn(d, "off")
    assert get(f"{d.simple}later/").status == 200
    assert get(f"{d.url}-/health").body == b"ok\n"


@pytest.mark.parametrize("table", ["server", "index"])
def test_offline_by_setting(daemon: DaemonFactory, upstream: SocketUpstream, table: str) -> None:
    upstream.index.add(wheel("demo"))
    mirror = {"upstream": upstream.url, "offline": table == "index"}
    d = daemon(config={"server": {"offline": table == "server"}, "index": {"pypi": mirror}})
    assert get(f"{d.simple}demo/").status == 503
    assert upstream.index.requests == []
    d.expect_in_log("offline: the upstreams of pypi are not asked")
