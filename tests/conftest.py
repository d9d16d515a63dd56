"""Fixtures for every test, and the rule that nothing is skipped in CI."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.kit.daemon import Config, Daemon, DaemonFactory
from tests.kit.upstream import ScriptedIndex, SocketUpstream

IN_CI = os.environ.get("CI") == "true"

# Machines are slow now and then, which is no finding; CI must fail twice on what it failed once.
settings.register_profile("pypid", deadline=None, derandomize=IN_CI)
settings.load_profile("pypid")


@pytest.fixture
def index() -> ScriptedIndex:
    """What `upstream` serves."""
    return ScriptedIndex()


@pytest.fixture
def upstream(index: ScriptedIndex) -> Iterator[SocketUpstream]:
    """A started upstream."""
    with SocketUpstream(index) as started:
        yield started


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[DaemonFactory]:
    """A factory of started daemons, held to the invariants when the test is over."""
    with ExitStack() as ends:
        started: list[Daemon] = []

        def start(config: Config | None = None, **kwargs: Any) -> Daemon:
            made = Daemon(tmp_path / f"daemon-{len(started)}", config or {}, **kwargs)
            started.append(made)
            ends.callback(made.kill)
            made.start()
            ends.callback(_check, made)
            return made

        yield start


def _check(daemon: Daemon) -> None:
    # One that the test stopped or killed is the test's own business; one that died is not.
    if not daemon.stopped:
        daemon.check_invariants()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI, make a skip a failure, unless a ``skipif`` says that it can never be run there."""
    report = yield
    in_ci = os.environ.get("CI") == "true"
    if in_ci and report.skipped and not hasattr(report, "wasxfail") and item.get_closest_marker("skipif") is None:
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {call.excinfo.value if call.excinfo else 'no reason'}"
    return report
