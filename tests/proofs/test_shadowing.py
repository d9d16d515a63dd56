"""B57: a daemon whose people have a project from a mirror, and somebody who uploads to its name."""

from __future__ import annotations

from pathlib import Path

from tests.kit.daemon import DaemonFactory
from tests.kit.dists import wheel
from tests.kit.publishers import TWINE_7, UV_PUBLISH, Target
from tests.kit.rawclient import get
from tests.kit.upstream import ScriptedIndex, SocketUpstream

PASSWORD = "correct horse battery staple"


def test_what_is_in_use_is_not_hidden_by_mistake(
    daemon: DaemonFactory, index: ScriptedIndex, upstream: SocketUpstream, tmp_path: Path
) -> None:
    """However many indexes are in between; and where it is meant, the configuration says so."""
    theirs, ours = index.add(wheel("demo", "1.0")), wheel("demo", "2.0")
    indexes = {"pypi": {"upstream": upstream.url}, "team": {"bases": ["pypi"]}, "main": {"bases": ["team"]}}
    d = daemon(config={"index": indexes})
    d.add_user("alice", PASSWORD)
    page = f"{d.simple}demo/"
    assert theirs.filename in get(page).body.decode()
    target = Target(url=d.url, user="alice", password=PASSWORD)
    for publisher in (TWINE_7, UV_PUBLISH):
        refused = publisher.publish(tmp_path / publisher.name, ours, target)
        assert refused.returncode != 0
        assert "demo is in use here as a project of pypi" in " ".join(refused.stdout.split()), refused.stdout
    assert theirs.filename in get(page).body.decode()
    d.reload({"index": {**indexes, "main": {"bases": ["team"], "shadowing": "allow"}}})
    result = TWINE_7.publish(tmp_path / TWINE_7.name, ours, target)
    assert result.returncode == 0, result.stdout
    shown = get(page).body.decode()
    assert (ours.filename in shown, theirs.filename in shown) == (True, False)
