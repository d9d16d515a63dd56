"""The client matrix, rows 19 and 20: what installers and project tools make of an upstream that is down."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.clients import version_in
from tests.kit.daemon import Daemon, DaemonFactory
from tests.kit.dists import wheel
from tests.kit.projects import PDM, POETRY, Project, ProjectTool, each_tool, per_tool
from tests.kit.recorder import Recorder
from tests.kit.site import PIP_26, UV, Installer, Person, each_installer, per_installer
from tests.kit.upstream import ScriptedIndex, SocketUpstream, Status

PAGE = "GET /main/simple/demo/ -> 503"


@pytest.fixture
def d(daemon: DaemonFactory, index: ScriptedIndex, upstream: SocketUpstream) -> Daemon:
    index.add(wheel("demo"))
    return daemon(config={"index": {"pypi": {"upstream": upstream.url, "ttl": 0, "grace": 0}}})


@pytest.fixture
def recorder(d: Daemon) -> Iterator[Recorder]:
    with Recorder(d.port) as made:
        yield made


@each_installer
def test_row_19_what_is_here_is_installed(
    installer: Installer, recorder: Recorder, upstream: SocketUpstream, tmp_path: Path
) -> None:
    """By somebody else, whose client has nothing kept; the page is older than it is believed."""
    Person(installer, recorder, tmp_path / "first").install("demo")
    upstream.stop()
    recorder.forget()
    second = Person(installer, recorder, tmp_path / "second")
    second.install("demo")
    assert version_in(second.target, "demo", home=tmp_path) == "1.0"
    assert {each.status for each in recorder.exchanges()} == {200}


@each_tool
def test_row_19_what_is_here_is_locked_and_installed(
    tool: ProjectTool, recorder: Recorder, upstream: SocketUpstream, tmp_path: Path
) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        recorder.forget()
        project = Project(tool, recorder, tmp_path / name, "demo")
        project.lock()
        project.install()
        assert version_in(project.target, "demo", home=tmp_path) == "1.0"
        assert {each.status for each in recorder.exchanges()} <= {200, 304}
        upstream.stop()


@per_installer(
    {
        PIP_26: (6, "No matching distribution found for demo"),
        UV: (4, "HTTP status server error (503"),
    }
)
def test_row_20_what_nobody_has_asked_for_is_an_error(
    installer: Installer, expected: tuple[int, str], recorder: Recorder, index: ScriptedIndex, tmp_path: Path
) -> None:
    """pip comes back five times, when it was told to, and then takes it that the index does not have it."""
    tries, said = expected
    index.script("*", Status(429, {"Retry-After": "1"}), times=None)
    assert said in Person(installer, recorder, tmp_path).install("demo", fails=True)
    assert recorder.take() == [PAGE] * tries


@per_tool({POETRY: (6, "503 Server Error"), PDM: (1, "Unable to find candidates for demo")})
def test_row_20_what_nobody_has_asked_for_is_not_locked(
    tool: ProjectTool, expected: tuple[int, str], recorder: Recorder, index: ScriptedIndex, tmp_path: Path
) -> None:
    tries, said = expected
    index.script("*", Status(429, {"Retry-After": "1"}), times=None)
    assert said in Project(tool, recorder, tmp_path, "demo").lock(fails=True)
    assert recorder.take() == [PAGE] * tries
