"""Many clients that only look into a large wheel that nobody has fetched (F14)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urljoin

from pypid.indexes.downloads import MAX_EXCERPTS
from tests.kit.daemon import Daemon, DaemonFactory
from tests.kit.dists import Dist, wheel
from tests.kit.rawclient import Answer, get
from tests.kit.upstream import Barrier, Hold, ScriptedIndex, SocketUpstream

MIB = 1024 * 1024
LOOKS = 100
LARGE = 12 * MIB
TAIL = 16 * 1024


def _url(d: Daemon, dist: Dist) -> str:
    return urljoin(d.simple, f"../files/{dist.project}/{dist.sha256[:16]}/{dist.filename}")


def test_looks_at_a_cold_wheel_cost_what_they_look_at(
    daemon: DaemonFactory, index: ScriptedIndex, upstream: SocketUpstream
) -> None:
    """A hundred looks at its end: few connections to upstream, no transfer, nothing kept."""
    big = index.add(wheel("big", "1.0", size=LARGE))
    d = daemon(config={"index": {"pypi": {"upstream": upstream.url}}})
    before = d.peak_rss()

    def look(_: int) -> Answer:
        return get(_url(d, big), headers={"Range": f"bytes=-{TAIL}"}, timeout=60)

    with ThreadPoolExecutor(LOOKS) as pool:
        answers = list(pool.map(look, range(LOOKS)))
    assert {(answer.status, answer.complete) for answer in answers} == {(206, True)}
    assert all(answer.body == big.content[-TAIL:] for answer in answers)
    asked = [seen for seen in index.requests if seen.path == index.file_path(big)]
    assert len(asked) == LOOKS
    assert all("range" in seen.headers for seen in asked)
    assert len({seen.peer_port for seen in asked}) <= MAX_EXCERPTS
    assert [path for path in (d.data / "blobs").rglob("*") if path.is_file()] == []
    assert d.peak_rss() - before < 32 * MIB


def test_end_of_a_wheel_comes_while_its_middle_is_held_up(
    daemon: DaemonFactory, index: ScriptedIndex, upstream: SocketUpstream
) -> None:
    """Then the file is completed as if nobody had looked."""
    big = index.add(wheel("big", "1.0", size=LARGE))
    d = daemon(config={"index": {"pypi": {"upstream": upstream.url}}})
    half = Barrier()
    index.script(index.file_path(big), Hold(half, at=1))
    with ThreadPoolExecutor(1) as pool:
        whole = pool.submit(get, _url(d, big), timeout=60)
        half.wait_reached(30)
        tail = get(_url(d, big), headers={"Range": f"bytes=-{TAIL}"}, timeout=30)
        assert (tail.status, tail.body, tail.headers["cache-control"]) == (206, big.content[-TAIL:], "no-store")
        half.release()
        assert whole.result(60).body == big.content
    assert index.count("GET", index.file_path(big)) == 2
