"""An upstream that is down: what is here is served at once, what is not is an error that says when to try again."""

from __future__ import annotations

import time
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path

import pytest

from pypid.domain.breaker import FAILURES, PROBE_INTERVAL
from tests.kit.clients import client_venv, make_venv, pip_install, uv_pip_install, version_in
from tests.kit.daemon import Daemon, DaemonFactory
from tests.kit.dists import wheel
from tests.kit.processes import eventually
from tests.kit.rawclient import Answer, get
from tests.kit.upstream import Barrier, Fault, Hold, ScriptedIndex, SocketUpstream, Stall, Status

PROJECTS = [f"project-{number}" for number in range(20)]
RECOVERY = 15.0
"""Seconds after which all is well again, on a slow machine."""
ROOT = wheel("root", "2.0", requires=["leaf"])
TREE = (ROOT, wheel("leaf", "1.0"))

Break = Callable[[ScriptedIndex, SocketUpstream], None]


def answers(fault: Fault) -> Break:
    """Make every answer of upstream's go wrong so."""
    return lambda index, _: index.script("*", fault, times=None)


BREAKS: dict[str, Break] = {
    "refused": lambda _, upstream: upstream.stop(),
    "silent": answers(Stall()),
    "503": answers(Status(503)),
    "429": answers(Status(429, {"Retry-After": "3600"})),
    "nonsense": answers(Status(200, {"Content-Type": "application/json"}, b"<html>please sign in</html>")),
}


def pages(d: Daemon) -> list[Answer]:
    return [get(f"{d.simple}{project}/") for project in PROJECTS]


@pytest.fixture
def known(daemon: DaemonFactory, index: ScriptedIndex, upstream: SocketUpstream) -> Daemon:
    """A mirror of which every page was asked for, and each would be asked for again."""
    for project in PROJECTS:
        index.add(wheel(project))
    limits = {"header_timeout": "1 min", "page_timeout": "1 min", "max_connections": 5}
    d = daemon(config={"index": {"pypi": {"upstream": upstream.url, "ttl": 0, **limits}}})
    assert {page.status for page in pages(d)} == {200}
    return d


@pytest.mark.parametrize("how", BREAKS.values(), ids=BREAKS.keys())
@pytest.mark.parametrize(
    ("tool", "version", "install"), [("pip", "26.*", pip_install), ("uv", "0.13.*", uv_pip_install)]
)
def test_a54_what_was_installed_once_is_installed_in_every_outage(
    how: Break,
    tool: str,
    version: str,
    install: Callable[..., object],
    daemon: DaemonFactory,
    index: ScriptedIndex,
    upstream: SocketUpstream,
    tmp_path: Path,
) -> None:
    """By somebody whose client has nothing kept; upstream is asked for no file."""
    for dist in TREE:
        index.add(dist)
    d = daemon(config={"index": {"pypi": {"upstream": upstream.url, "ttl": 0, "grace": 0}}})
    for number in range(2):
        client = client_venv(tool, version, home=tmp_path / f"home-{number}")
        target = make_venv(tmp_path / f"target-{number}")
        result = install(client, target, ROOT.project, index_url=d.simple)
        assert version_in(target, ROOT.module, home=tmp_path) == ROOT.version, result
        how(index, upstream)
    for dist in TREE:
        assert index.count(glob=f"{index.file_path(dist)}*") == 2  # the file and its metadata, before


def test_a54_nobody_waits_for_an_upstream_that_is_silent(known: Daemon, index: ScriptedIndex) -> None:
    """All are answered while upstream still owes its first answer, and nobody has given up waiting for it."""
    silence = Barrier()
    index.script("*", Hold(silence), times=None)
    before = len(index.requests)
    for _ in range(3):
        assert [page.status for page in pages(known)] == [200] * len(PROJECTS)
    assert silence.reached > 0
    assert not any(seen.left for seen in index.requests[before:])
    silence.release()


def test_a54_an_upstream_that_is_down_is_hardly_asked(known: Daemon, index: ScriptedIndex) -> None:
    """However much is asked of us; what nobody has asked for before is refused as quickly."""
    index.script("*", Status(503), times=None)
    before = len(index.requests)
    begin = time.monotonic()
    for number in range(FAILURES):
        assert get(f"{known.simple}unseen-{number}/").status == 503
    for _ in range(5):
        for page in pages(known):
            assert page.status == 200
            assert "fwd=" not in page.headers["cache-status"]
        unseen = get(f"{known.simple}unseen-9/")
        assert (unseen.status, unseen.headers["cache-status"]) == (503, "pypid; fwd=uri-miss; detail=breaker")
    probes = 1 + (time.monotonic() - begin) // PROBE_INTERVAL
    assert len(index.requests) - before <= FAILURES + probes


def test_a55_a_short_while_after_an_outage_pages_are_fresh(
    daemon: DaemonFactory, index: ScriptedIndex, upstream: SocketUpstream
) -> None:
    index.add(wheel("demo", "1.0"))
    d = daemon(config={"index": {"pypi": {"upstream": upstream.url, "ttl": 0}}})
    assert get(f"{d.simple}demo/").status == 200
    index.add(wheel("demo", "2.0"))
    index.add(wheel("fresh"))
    upstream.stop()
    for number in range(FAILURES):
        assert get(f"{d.simple}unseen-{number}/").status == 503
    upstream.start()
    assert eventually(lambda: get(f"{d.simple}fresh/").status == 200, RECOVERY)
    assert eventually(lambda: b"demo-2.0" in get(f"{d.simple}demo/").body, RECOVERY)
    d.wait_log("upstream answers again")


def test_a55_an_upstream_that_is_back_is_not_run_over(known: Daemon, index: ScriptedIndex) -> None:
    """Of twenty pages that are to be refreshed, five are asked for at a time, which is `max_connections`."""
    index.script("*", *[Status(503)] * FAILURES)
    for number in range(FAILURES):
        assert get(f"{known.simple}unseen-{number}/").status == 503
    index.add(wheel("fresh"))
    assert eventually(lambda: get(f"{known.simple}fresh/").status == 200, RECOVERY)
    crowd = Barrier()
    index.script("*", Hold(crowd), times=None)
    assert {page.status for page in pages(known)} == {200}
    crowd.wait_reached(count=5)
    assert {page.status for page in pages(known)} == {200}
    assert crowd.reached == 5
    crowd.release()


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a11_errors_of_upstream_are_answered_from_what_is_here(
    status: int, daemon: DaemonFactory, index: ScriptedIndex, upstream: SocketUpstream
) -> None:
    index.add(wheel("demo"))
    d = daemon(config={"index": {"pypi": {"upstream": upstream.url, "ttl": 0, "grace": 0}}})
    assert get(f"{d.simple}demo/").status == 200
    index.script("*", Status(status, {"Retry-After": "77"}), times=None)
    page, unseen = get(f"{d.simple}demo/"), get(f"{d.simple}unseen/")
    assert page.status == 200
    assert f"detail=status-{status}" in page.headers["cache-status"]
    assert unseen.status == 503
    assert unseen.headers["retry-after"] == "77"
    assert unseen.headers["cache-control"] == "no-store"


def _in_an_hour() -> str:
    return formatdate(time.time() + 3600, usegmt=True)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        pytest.param({"Retry-After": "42"}, 42, id="seconds"),
        pytest.param({"Retry-After": _in_an_hour(), "Date": formatdate(usegmt=True)}, 600, id="a-date"),
        pytest.param({"Retry-After": "9" * 30}, 600, id="absurd"),
        pytest.param({"Retry-After": "-5"}, 5, id="negative"),
        pytest.param({}, 5, id="unsaid"),
    ],
)
def test_a12_an_upstream_that_says_when_to_come_back_is_left_alone_until_then(
    said: dict[str, str], told: int, daemon: DaemonFactory, index: ScriptedIndex, upstream: SocketUpstream
) -> None:
    """Clients are told the same, between a second and ten minutes; what is here is served meanwhile."""
    index.add(wheel("demo"))
    d = daemon(config={"index": {"pypi": {"upstream": upstream.url, "ttl": 0}}})
    assert get(f"{d.simple}demo/").status == 200
    index.script("*", Status(429, said), times=None)
    first, second = get(f"{d.simple}unseen/"), get(f"{d.simple}another/")
    assert [(answer.status, answer.headers["cache-status"]) for answer in (first, second)] == [
        (503, "pypid; fwd=uri-miss; detail=status-429"),
        (503, "pypid; fwd=uri-miss; detail=breaker"),
    ]
    assert first.headers["retry-after"] == str(told)
    assert 1 <= int(second.headers["retry-after"]) <= told
    assert get(f"{d.simple}demo/").status == 200
    assert index.count(glob="*") == 2
