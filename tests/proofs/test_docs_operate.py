"""docs/operate.md: every row of its table of failing upstreams, tried."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from pypid.domain.breaker import FAILURES
from tests.kit.daemon import Daemon, DaemonFactory
from tests.kit.dists import Dist, wheel
from tests.kit.processes import ROOT, eventually
from tests.kit.rawclient import get
from tests.kit.upstream import (
    Barrier,
    Fault,
    FlipByte,
    Hold,
    Rst,
    ScriptedIndex,
    SocketUpstream,
    Stall,
    Status,
)

GUIDE = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| [^|]+ \| `(?P<detail>[a-z0-9-]+)` \| (?P<status>\d+) \| (`(?P<log>[^`]+)` )?\|", re.MULTILINE)
ROWS = {row["detail"]: row for row in ROW.finditer(GUIDE)}

Settings = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Way:
    """How upstream fails."""

    fault: Fault | None = None
    settings: Callable[[Daemon], Settings] = lambda _: {}
    """What the mirror is to be told, beside or in place of what it was."""


WAYS = {
    "dns": Way(settings=lambda _: {"upstream": f"http://{'a' * 64}.test/simple/"}),
    "refused": Way(settings=lambda _: {"upstream": "http://127.0.0.1:1/simple/"}),
    "timeout": Way(Stall(), lambda _: {"header_timeout": 0.5}),
    "connection": Way(Rst()),
    "tls": Way(settings=lambda d: {"upstream": f"https://127.0.0.1:{d.port}/simple/"}),
    "status-503": Way(Status(503)),
    "status-429": Way(Status(429)),
    "auth": Way(Status(403)),
    "status-400": Way(Status(400)),
    "broken": Way(Status(200, {"Content-Type": "application/json"}, b"{}")),
    "digest": Way(FlipByte(-1)),
    "queue": Way(Hold(Barrier()), lambda _: {"max_connections": 1, "header_timeout": 60}),
    "breaker": Way(Status(503)),
    "offline": Way(settings=lambda _: {"offline": True}),
    "absent": Way(Status(404)),
}


def test_the_table_has_every_way() -> None:
    assert ROWS.keys() == WAYS.keys()


@pytest.mark.parametrize("detail", ROWS)
def test_a_row_of_the_table(detail: str, daemon: DaemonFactory, index: ScriptedIndex, upstream: SocketUpstream) -> None:
    """What nobody has asked for fails as the row says; what is here is served all the same."""
    row, way = ROWS[detail], WAYS[detail]
    here, cold = (index.add(wheel("demo", version)) for version in ("1.0", "2.0"))
    mirror = {"upstream": upstream.url, "allow_hosts": [f"127.0.0.1:{upstream.port}"], "ttl": 0, "grace": 0}
    d = daemon(config={"index": {"pypi": mirror}})

    def file(dist: Dist) -> str:
        return f"{d.url}files/demo/{dist.sha256[:16]}/{dist.filename}"

    assert eventually(lambda: get(file(here)).headers["cache-status"] == "pypid; hit", 10)
    begin = len(d.log())
    if settings := way.settings(d):
        d.reload({"index": {"pypi": mirror | settings}})
    if way.fault is not None:
        index.script("/packages/*" if detail == "digest" else "*", way.fault, times=None)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(get, f"{d.simple}another/", timeout=30) if detail == "queue" else None
        if first is not None:
            index.wait_requests(1, "/simple/another/")
        for number in range(FAILURES if detail == "breaker" else 0):
            assert get(f"{d.simple}unseen-{number}/").status == 503
        failed = get(file(cold) if detail == "digest" else f"{d.simple}unseen/")
        assert failed.status == int(row["status"])
        assert f"detail={detail}" in failed.headers["cache-status"]
        assert ("retry-after" in failed.headers) == (failed.status != 404)
        if row["log"]:
            d.wait_log(row["log"], start=begin)
        assert get(f"{d.simple}demo/").status == (404 if detail == "absent" else 200)
        assert get(file(here)).body == here.content
        if isinstance(way.fault, Hold):
            way.fault.barrier.release()
