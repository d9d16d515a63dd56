"""strace as the proofs use it, on a process that is much simpler than the daemon."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.processes import clean_environment
from tests.kit.strace import Call, can_trace, strace

SYNCS = """
import os, sys
file = os.open("synced", os.O_CREAT | os.O_WRONLY)
print("ready", flush=True)
for line in sys.stdin:
    try:
        os.fsync(file)
    except OSError as e:
        print(e.strerror, flush=True)
    else:
        print("synced", flush=True)
"""


@pytest.fixture
def syncing(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that syncs a file for every line it is given, and says how that went."""
    if not can_trace():
        pytest.skip("strace cannot be used here")
    with subprocess.Popen(
        [sys.executable, "-c", SYNCS],
        cwd=tmp_path,
        env=clean_environment(tmp_path),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert _said(process) == "ready"
        yield process
        process.kill()


def _said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def _sync(process: subprocess.Popen[str]) -> str:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
    return _said(process)


def test_one_of_its_calls_fails(syncing: subprocess.Popen[str], tmp_path: Path) -> None:
    with strace(syncing.pid, ["fsync"], tmp_path / "calls", inject="error=EIO:when=2") as calls:
        assert [_sync(syncing) for _ in range(3)] == ["synced", "Input/output error", "synced"]
    assert _sync(syncing) == "synced"
    path = str(tmp_path / "synced")
    assert calls.made() == [Call(syncing.pid, "fsync", path, None, injected) for injected in (False, True, False)]
    assert (calls.most("fsync"), calls.most("rename")) == (3, 0)


def test_it_does_not_survive_one(syncing: subprocess.Popen[str], tmp_path: Path) -> None:
    with strace(syncing.pid, ["fsync"], tmp_path / "calls", inject="signal=SIGKILL:when=2"):
        assert _sync(syncing) == "synced"
        assert _sync(syncing) == ""
    assert syncing.wait() == -9
