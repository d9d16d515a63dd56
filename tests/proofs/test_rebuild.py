"""hosted.db lost or damaged under a real daemon, and made anew: what clients are told is the same to the byte (C24)."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from subprocess import CompletedProcess
from xmlrpc.client import dumps

import pytest

from tests.kit.daemon import Daemon, DaemonFactory
from tests.kit.dists import Dist, sdist, wheel
from tests.kit.ledger import Ledger
from tests.kit.pages import JSON
from tests.kit.processes import run
from tests.kit.rawclient import get
from tests.kit.upstream import ScriptedIndex, SocketUpstream
from tests.web.forms import fields_of, multipart

INDEXES = ("main", "team/dev")
NAMES = ("demo", "gone", "old", "bad", "nobody")
PATHS = (
    *(f"{index}/simple/" for index in ("", *INDEXES)),
    *(f"{index}/simple/{name}/" for index in INDEXES for name in NAMES),
    *(f"pypi/{name}/json" for name in NAMES),
    "pypi/demo/1.0/json",
    *(f"-/api/v1/indexes/{index}/projects/{name}" for index in INDEXES for name in NAMES),
    "mirror/simple/theirs/",
    "-/api/v1/indexes/mirror/projects/theirs",
)
CALLS = (
    dumps((), "list_packages_with_serial"),
    dumps((0,), "changelog_since_serial"),
    dumps(({"name": "o"},), "search"),
)
SAME = ("etag", "x-pypi-last-serial", "content-type", "cache-control", "location")
"""Headers that must be the same; others have the time of day."""

Seen = dict[tuple[str, str], tuple[int, Mapping[str, str | None], bytes]]


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path)


@pytest.fixture
def d(daemon: DaemonFactory, ledger: Ledger, index: ScriptedIndex, upstream: SocketUpstream) -> Daemon:
    """A daemon with every kind of change behind it."""
    index.add(wheel("theirs"))
    hosted = {"bases": [], "admin": ["authenticated"]}
    mirror = {"upstream": upstream.url, "admin": ["authenticated"]}
    indexes = {"main": hosted, "team/dev": hosted, "mirror": mirror}
    d = daemon({**ledger.config, "index": {**indexes, "pypi": {"enabled": False}}})
    for each in INDEXES:
        for dist in (wheel("demo", "1.0"), sdist("demo", "1.0"), wheel("demo", "2.0"), wheel("gone"), wheel("bad")):
            _upload(d, ledger, each, dist)
    _upload(d, ledger, "main", wheel("old"))
    demo = "-/api/v1/indexes/main/projects/demo"
    _call(d, ledger, "PUT", f"{demo}/releases/2.0/yank", {"reason": "broken <on> caf\u00e9"})
    _call(d, ledger, "DELETE", f"{demo}/files/{sdist('demo', '1.0').filename}")
    _call(d, ledger, "DELETE", "-/api/v1/indexes/main/projects/gone")
    _call(d, ledger, "DELETE", "-/api/v1/indexes/team/dev/projects/gone?release_name=true")
    _call(d, ledger, "PUT", "-/api/v1/indexes/main/projects/old/status", {"status": "deprecated", "reason": "use demo"})
    _call(d, ledger, "PUT", "-/api/v1/indexes/main/projects/bad/status", {"status": "quarantined"})
    _call(d, ledger, "PUT", "-/api/v1/indexes/mirror/projects/theirs/releases/1.0/yank", {"reason": "not here"})
    return d


def _upload(d: Daemon, ledger: Ledger, index: str, dist: Dist, *, status: int = 200) -> None:
    content_type, body = multipart(fields_of(dist), dist)
    answer = ledger.ask(d, f"{index}/", method="POST", headers={"Content-Type": content_type}, body=body)
    assert answer is not None
    assert answer.status == status, answer.reason


def _call(d: Daemon, ledger: Ledger, method: str, path: str, fields: Mapping[str, str] | None = None) -> None:
    headers = {} if fields is None else {"Content-Type": "application/json"}
    body = b"" if fields is None else json.dumps(fields).encode()
    answer = ledger.ask(d, path, method=method, headers=headers, body=body)
    assert answer is not None
    assert answer.status == 200, (path, answer.status, answer.body)


def _everything(d: Daemon, ledger: Ledger) -> Seen:
    """Return all that can be asked about what was uploaded."""
    seen: Seen = {}
    for path in PATHS:
        for accept in ("text/html", JSON):
            answer = ledger.ask(d, path, method="GET", headers={"Accept": accept})
            assert answer is not None
            seen[path, accept] = (answer.status, {name: answer.headers.get(name) for name in SAME}, answer.body)
    for call in CALLS:
        answer = get(f"{d.url}pypi", method="POST", headers={"Content-Type": "text/xml"}, body=call.encode())
        seen["pypi", call] = (answer.status, {}, answer.body)
    return seen


def _pypid(d: Daemon, *args: str) -> CompletedProcess[str]:
    return run(
        [sys.executable, "-m", "pypid.cli.main", *args, "--config", str(d.config_file)], home=d.directory, timeout=60
    )


def _damage(d: Daemon, how: str) -> None:
    path = d.data / "hosted.db"
    if how == "a page":
        content = bytearray(path.read_bytes())
        assert len(content) >= 3 * 4096
        content[4096:8192] = bytes(4096)
        path.write_bytes(content)
    elif how == "empty":
        path.write_bytes(b"")
    else:
        path.unlink()


@pytest.mark.parametrize("how", ["gone", "a page"])
def test_c24_what_is_shown_is_the_same_to_the_byte(d: Daemon, ledger: Ledger, how: str) -> None:
    before = _everything(d, ledger)
    statuses = {path: status for (path, _), (status, _, _) in before.items()}
    assert [statuses[f"main/simple/{name}/"] for name in NAMES] == [200, 200, 200, 200, 404]
    assert statuses["team/dev/simple/gone/"] == 404, "its name was given away"
    headers = {path: headers for (path, _), (_, headers, _) in before.items()}
    assert headers["pypi/demo/json"]["x-pypi-last-serial"] == "13"
    assert headers["main/simple/demo/"]["etag"] is not None
    d.terminate()
    _damage(d, how)
    begin = len(d.log())
    with pytest.raises(AssertionError, match="did not start"):
        d.start()
    assert "'pypid rebuild' makes it anew" in d.log()[begin:]
    result = _pypid(d, "rebuild")
    assert result.returncode == 0, result.stdout
    d.start()
    assert _everything(d, ledger) == before
    deleted = sdist("demo", "1.0")
    _upload(d, ledger, "main", sdist("demo", "1.0", summary="Other"), status=400)
    _upload(d, ledger, "main", deleted)


def test_c24_a_daemon_that_must_not_start_says_so_with_its_exit_code(d: Daemon) -> None:
    d.terminate()
    _damage(d, "empty")
    with pytest.raises(AssertionError, match="did not start"):
        d.start()
    twistd = [sys.executable, "-c", "from twisted.scripts.twistd import run; run()", "--nodaemon", "--pidfile="]
    ended = run([*twistd, "pypid", "--config", d.config_file], home=d.directory, timeout=60)
    assert ended.returncode == os.EX_DATAERR
    assert (d.data / "hosted.db").read_bytes() == b"", "no new one was begun"


def test_a_running_daemon_is_not_disturbed(d: Daemon, ledger: Ledger) -> None:
    before = _everything(d, ledger)
    result = _pypid(d, "rebuild")
    assert result.returncode == 1
    assert "a pypid is using" in result.stdout
    assert _everything(d, ledger) == before
