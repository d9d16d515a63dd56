"""Mirrors that are each other's upstream (A58)."""

from __future__ import annotations

from tests.kit.daemon import Config, Daemon, DaemonFactory
from tests.kit.dists import wheel
from tests.kit.rawclient import get
from tests.kit.upstream import ScriptedIndex, SocketUpstream

NOWHERE = "http://127.0.0.1:9/simple/"


def mirror_of(upstream: str) -> Config:
    return {"index": {"pypi": {"upstream": upstream}}}


def test_a58_two_that_mirror_each_other_say_so(daemon: DaemonFactory) -> None:
    """At once, in words, and never by a 404; whichever is asked, and however often."""
    far = daemon(config=mirror_of(NOWHERE))
    near = daemon(config=mirror_of(far.simple))
    far.reload(mirror_of(near.simple))
    for d in (near, far) * 3:
        answer = get(f"{d.simple}demo/")
        assert answer.status == 508
        assert b"circle" in answer.body


def test_a58_three_in_a_row_and_no_more(daemon: DaemonFactory, index: ScriptedIndex, upstream: SocketUpstream) -> None:
    index.add(wheel("demo", "1.0"))
    row: list[Daemon] = []
    for _ in range(4):
        row.append(daemon(config=mirror_of(row[-1].simple if row else upstream.url)))
    assert get(f"{row[3].simple}demo/").status == 508
    assert get(f"{row[2].simple}demo/").status == 200
    assert index.count(glob="/simple/demo/") == 1
