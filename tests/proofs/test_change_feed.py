"""A change feed, through a real daemon."""

from __future__ import annotations

from pypid.domain.xml_rpc import render_answer
from tests.kit.daemon import DaemonFactory
from tests.kit.dists import wheel
from tests.kit.processes import eventually
from tests.kit.rawclient import get
from tests.kit.sockets import SocketUpstream
from tests.kit.upstream import Status

XML = {"Content-Type": "text/xml"}


def test_page_that_changed_while_pypid_was_down_is_asked_for(daemon: DaemonFactory, upstream: SocketUpstream) -> None:
    """Its time to live is far from over; that of the page beside it, which did not change, is believed."""
    changed, same = "/simple/demo/", "/simple/same/"
    upstream.index.add(wheel("demo"))
    upstream.index.add(wheel("same"))
    change = ["demo", "2.0", 1_800_000_000, "new release", upstream.index.serial + 1]
    upstream.index.script(
        "/pypi", Status(200, XML, render_answer(upstream.index.serial)), Status(200, XML, render_answer([change]))
    )
    feed = upstream.url.removesuffix("simple/") + "pypi"
    d = daemon(config={"index": {"pypi": {"upstream": upstream.url, "change_feed": feed, "ttl": "6 h"}}})
    d.wait_log(f"the change feed {feed} is followed")
    for page in (changed, same):
        get(f"{d.url[:-1]}{page}")
    d.terminate()
    upstream.index.add(wheel("demo", "2.0"))
    d.start()
    assert eventually(lambda: b"demo-2.0" in get(f"{d.url[:-1]}{changed}").body, timeout=10)
    get(f"{d.url[:-1]}{same}")
    assert (upstream.index.count(glob=changed), upstream.index.count(glob=same)) == (2, 1)
