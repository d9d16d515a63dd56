"""A reload in the middle of a transfer that many wait for."""

from __future__ import annotations

from tests.kit.daemon import DaemonFactory
from tests.kit.dists import wheel
from tests.kit.upstream import Barrier, Hold, ScriptedIndex, SocketUpstream
from tests.proofs.test_dying_transfers import CLIENTS, MIB, crowd, ends_of


def test_f15_nobody_notices_and_who_comes_later_joins(
    daemon: DaemonFactory, index: ScriptedIndex, upstream: SocketUpstream
) -> None:
    big = index.add(wheel("big", "1.0", size=10 * MIB))
    config = {"index": {"pypi": {"upstream": upstream.url}}}
    d = daemon(config=config)
    held = Barrier()
    index.script(index.file_path(big), Hold(held, at=6 * MIB))
    with crowd(d, big) as before:
        held.wait_reached()
        d.reload({"index": {"pypi": {**config["index"]["pypi"], "ttl": 1, "max_connections": 1}}})
        with crowd(d, big) as after:
            held.release()
            assert ends_of(before + after) == [big.content] * 2 * CLIENTS
    assert index.count("GET", index.file_path(big)) == 1
