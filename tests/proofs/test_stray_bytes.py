"""Upstream answers that say too much, over real sockets."""

from __future__ import annotations

from urllib.parse import urljoin

import pytest

from tests.kit.daemon import Daemon, DaemonFactory
from tests.kit.dists import Dist, wheel
from tests.kit.rawclient import Answer, get
from tests.kit.upstream import Append, Barrier, Fault, Hold, ScriptedIndex, SocketUpstream

STRAY = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"


def file_of(d: Daemon, dist: Dist) -> Answer:
    return get(urljoin(d.simple, f"../files/{dist.project}/{dist.sha256[:16]}/{dist.filename}"), timeout=60)


@pytest.mark.parametrize("late", [False, True], ids=["at once", "later"])
def test_a52_bytes_after_an_answer_are_nobodys(
    daemon: DaemonFactory,
    index: ScriptedIndex,
    upstream: SocketUpstream,
    late: bool,  # noqa: FBT001
) -> None:
    """Neither the next file nor the next page is what stands there."""
    first, second = index.add(wheel("first", "1.0")), index.add(wheel("second", "1.0"))
    d = daemon(config={"index": {"pypi": {"upstream": upstream.url, "ttl": 0, "grace": 0}}})
    barrier = Barrier()
    stray: Fault = Append(STRAY)
    index.script(index.file_path(first), Hold(barrier, at=len(first.content)) | stray if late else stray)
    assert file_of(d, first).body == first.content
    if late:
        barrier.release()
    for _ in range(3):
        page = get(f"{d.simple}first/")
        assert page.status == 200
        assert b"evil" not in page.body
    assert file_of(d, second).body == second.content
