"""The daemon that is to be told of a new user."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pypid.cli.running import running_pid
from tests.cli.command import hash_fast, pypid
from tests.kit.processes import clean_environment

HOLD = """
import fcntl, os, sys
lock = open(sys.argv[1], "w")
fcntl.flock(lock, fcntl.LOCK_EX)
print(os.getpid(), file=lock, flush=True)
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def holder(data: Path) -> Iterator[int]:
    """A process that holds the data directory as the daemon does; yields its process id."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(data / "lock")],
        env=clean_environment(data),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield process.pid
    finally:
        process.communicate(timeout=20)


def test_the_daemon_that_runs_is_found(tmp_path: Path) -> None:
    with holder(tmp_path) as pid:
        assert running_pid(tmp_path) == pid
    assert running_pid(tmp_path) is None, "its process id is still in the file"


@pytest.mark.parametrize("content", ["", "x", "0", "-1", "1" * 40, str(os.getpid())])
def test_a_file_alone_is_no_daemon(tmp_path: Path, content: str) -> None:
    """Not even if its process id is that of somebody else by now."""
    (tmp_path / "lock").write_text(content)
    assert running_pid(tmp_path) is None


@pytest.mark.parametrize("content", ["0", "-1", str(2**22 + 1)])
def test_a_process_that_cannot_be_is_never_named(tmp_path: Path, content: str) -> None:
    """Whoever holds the lock: `kill -HUP 0` would be for the terminal, and -1 for everybody."""
    with holder(tmp_path):
        (tmp_path / "lock").write_text(content)
        assert running_pid(tmp_path) is None


def test_looking_leaves_the_lock_free(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text(str(os.getpid()))
    assert running_pid(tmp_path) is None
    with (tmp_path / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_no_data_directory(tmp_path: Path) -> None:
    assert running_pid(tmp_path / "none") is None


def test_the_command_for_it_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hash_fast(monkeypatch)
    config = tmp_path / "pypid.conf"
    config.write_text(f"[server]\ndata = '{tmp_path}'")
    with holder(tmp_path) as pid:
        result = pypid("user", "add", "alice", "--stdin", "--config", config, stdin="x")
    assert result.stdout.endswith(f"The running pypid reads the file on SIGHUP: kill -HUP {pid}\n")
