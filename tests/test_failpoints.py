"""Failpoints by themselves; what they show of the daemon is in ``tests/proofs/test_publish_crashes.py``."""

from __future__ import annotations

import errno
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import pypid
from pypid.failpoints import Failpoint, arm, reached
from tests.kit.processes import clean_environment, run

SCRIPT = "import sys; from pypid.failpoints import *; arm(sys.argv[1]); reached(Failpoint.BLOB_LINKED); print('on')"


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    arm("")


def test_nothing_happens_where_nothing_is_armed() -> None:
    for point in Failpoint:
        reached(point)


def test_the_disk_refuses_at_every_pass() -> None:
    arm("blob.linked=raise:ENOSPC")
    for _ in range(2):
        with pytest.raises(OSError, match="No space left") as raised:
            reached(Failpoint.BLOB_LINKED)
        assert raised.value.errno == errno.ENOSPC
    reached(Failpoint.BLOB_DIRECTORY_SYNCED)


def test_one_pass_only() -> None:
    arm("blob.linked@2=raise:EIO, staging.synced@1=raise:EIO")
    reached(Failpoint.BLOB_LINKED)
    with pytest.raises(OSError, match="Input/output"):
        reached(Failpoint.BLOB_LINKED)
    reached(Failpoint.BLOB_LINKED)
    with pytest.raises(OSError, match="Input/output"):
        reached(Failpoint.STAGING_SYNCED)


def test_from_one_pass_on() -> None:
    arm("blob.linked@2+=raise:EIO")
    reached(Failpoint.BLOB_LINKED)
    for _ in range(2):
        with pytest.raises(OSError, match="Input/output"):
            reached(Failpoint.BLOB_LINKED)


def test_killed(tmp_path: Path) -> None:
    killed = run([sys.executable, "-c", SCRIPT, "blob.linked=kill"], home=tmp_path)
    assert (killed.returncode, killed.stdout) == (-signal.SIGKILL, "")


def test_stopped_until_it_may_go_on(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SCRIPT, "blob.linked=stop"]
    with subprocess.Popen(command, env=clean_environment(tmp_path), stdout=subprocess.PIPE) as process:
        try:
            pid, status = os.waitpid(process.pid, os.WUNTRACED)
            assert (pid, os.WIFSTOPPED(status)) == (process.pid, True)
        finally:
            process.send_signal(signal.SIGCONT)
        assert process.communicate()[0] == b"on\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("blob.lost=kill", "no failpoint 'blob.lost' (have: staging.created, "),
        ("blob.linked", "expected NAME=ACTION"),
        ("blob.linked@0=kill", "expected NAME=ACTION"),
        ("blob.linked+=kill", "expected NAME=ACTION"),
        ("blob.linked=explode", "expected kill, stop or raise:ERRNO"),
        ("blob.linked=raise:EWHAT", "expected kill, stop or raise:ERRNO"),
        ("blob.linked=raise:errorcode", "expected kill, stop or raise:ERRNO"),
        ("staging.synced=raise:EIO,blob.lost=kill", "no failpoint"),
    ],
)
def test_what_is_not_understood_arms_nothing(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        arm(text)
    for point in Failpoint:
        reached(point)


def test_each_is_reached_from_one_place() -> None:
    """A name that no code reaches proves nothing, one that two places reach does not say which."""
    sources = "".join(path.read_text("utf-8") for path in Path(pypid.__file__).parent.rglob("*.py"))
    assert {
        point.name: len(re.findall(rf"\bFailpoint\.{point.name}\b", sources)) for point in Failpoint
    } == dict.fromkeys(Failpoint.__members__, 1)
