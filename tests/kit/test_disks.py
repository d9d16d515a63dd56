"""The file systems of the proofs: they do to files what those of real machines do."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.kit.disks import can_mount, can_mount_images, cut, make_image, on_image, small_disk
from tests.kit.processes import run

WRITES = """
import os, sys
os.chdir(sys.argv[1])
for name in ("unsynced", "synced", "half"):
    with open(name + ".part", "w") as file:
        file.write(name)
        file.flush()
        if name != "unsynced":
            os.fsync(file.fileno())
    os.rename(name + ".part", name)
    if name == "synced":
        directory = os.open(".", os.O_RDONLY)
        os.fsync(directory)
print("written", flush=True)
input()
"""


def _run_on(prefix: Sequence[str], directory: Path, script: str) -> str:
    result = run([*prefix, sys.executable, "-c", f"import os; os.chdir({str(directory)!r}); {script}"], home=directory)
    assert result.returncode == 0, result.stdout
    return result.stdout


def test_a_small_disk_is_full_when_it_is(tmp_path: Path) -> None:
    if not can_mount():
        pytest.skip("no file system can be mounted here")
    script = "free = os.statvfs('.'); print(free.f_blocks * free.f_frsize, free.f_files)"
    assert _run_on(small_disk(tmp_path, size="1m", nr_inodes=50), tmp_path, script).split() == [str(2**20), "50"]
    assert list(tmp_path.iterdir()) == []


def test_a_power_cut_loses_what_nobody_has_waited_for(tmp_path: Path) -> None:
    """Of three files that were written and renamed: it takes a sync of the file, and one of its directory after it."""
    if not can_mount_images(tmp_path):
        pytest.skip("no image can be mounted here: that takes root, and loop devices")
    image, directory = make_image(tmp_path / "disk.img"), tmp_path / "directory"
    directory.mkdir()
    with subprocess.Popen(
        [*on_image(image, directory), sys.executable, "-c", WRITES, directory],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"written\n"
        copy = cut(image, tmp_path / "cut.img")
        process.communicate(b"\n")
    script = "print(sorted((name, open(name).read()) for name in os.listdir() if name != 'lost+found'))"
    left = [("half.part", "half"), ("synced", "synced"), ("unsynced", "")]
    assert _run_on(on_image(copy, directory), directory, script) == f"{left}\n"
