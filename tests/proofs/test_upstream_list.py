"""The whole list of an upstream, through a real daemon."""

from __future__ import annotations

import json
from collections.abc import Mapping

from tests.kit.daemon import DaemonFactory
from tests.kit.dists import wheel
from tests.kit.rawclient import get
from tests.kit.sockets import SocketUpstream

JSON = "application/vnd.pypi.simple.v1+json"


def listed(url: str) -> list[str]:
    answer = get(url, headers={"Accept": JSON})
    assert answer.status == 200
    document: Mapping[str, list[Mapping[str, str]]] = json.loads(answer.body)
    return [project["name"] for project in document["projects"]]


def test_list_is_fetched_once_and_served_when_upstream_is_gone(daemon: DaemonFactory, upstream: SocketUpstream) -> None:
    """A59: on the first ask, for all indexes that show it, and over a restart."""
    names = [f"project-{number:05}" for number in range(2_000)]
    for name in names:
        upstream.index.add(wheel(name))
    d = daemon(config={"index": {"pypi": {"upstream": upstream.url, "upstream_project_list": True}}})
    assert upstream.index.count(glob="/simple/") == 0
    assert listed(d.index_url("pypi")) == listed(d.simple) == names
    upstream.stop()
    d.restart()
    assert listed(d.index_url("pypi")) == listed(d.simple) == names
    assert upstream.index.count(glob="/simple/") == 1


def test_without_the_setting_nothing_is_asked(daemon: DaemonFactory, upstream: SocketUpstream) -> None:
    upstream.index.add(wheel("demo"))
    d = daemon(config={"index": {"pypi": {"upstream": upstream.url}}})
    assert listed(d.simple) == []
    assert upstream.index.requests == []
