"""What the Makefile says on a machine that cannot run pypid yet, and what it leaves alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import pypid

REPOSITORY = Path(pypid.__file__).parents[1]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A directory with what the Makefile reads before anything is installed."""
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(REPOSITORY / name, tmp_path)
    return tmp_path


def make(clone: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # Not what the make that may have started these tests would hand down.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(["make", *arguments], cwd=clone, env=environment, text=True, capture_output=True, check=False)


def write_python(path: Path, *, refuse: str) -> Path:
    """An interpreter that fails whatever it is asked with the word ``refuse`` in it."""
    path.write_text(f'#!/bin/sh\ncase "$*" in *{refuse}*) exit 1;; esac\nexec {sys.executable} "$@"\n')
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("target", ["run", "test", "lint"])
def test_says_which_package_is_missing(clone: Path, target: str) -> None:
    """Debian's Python without python3-venv: the message names the package for just this Python."""
    done = make(clone, target, f"PYTHON={write_python(clone / 'python3', refuse='ensurepip')}")
    assert done.returncode != 0
    assert f"apt-get install python{sys.version_info.major}.{sys.version_info.minor}-venv\n" in done.stderr
    assert not (clone / ".venv").exists()


def test_says_that_python_is_too_old(clone: Path) -> None:
    old = write_python(clone / "python3.9", refuse="version_info")
    done = make(clone, "run", f"PYTHON={old}")
    assert done.returncode != 0
    assert f"needs Python 3.11 or newer, and none of these is: {old}" in done.stderr


def test_takes_the_first_python_that_will_do(clone: Path) -> None:
    """A first choice without ensurepip does not stop a second one with it."""
    poor = write_python(clone / "poor", refuse="ensurepip")
    done = make(clone, ".venv/made", f"PYTHONS=./absent {poor} {sys.executable}")
    assert done.returncode == 0, done.stderr
    assert (clone / ".venv" / "bin" / "python").exists()


def test_clean_keeps_the_data(clone: Path) -> None:
    """`make clean` takes away environments and caches, never an uploaded file."""
    for made in (".venv/bin", "pypid/__pycache__", "tests", "twisted/plugins", "pypid-data/blobs"):
        (clone / made).mkdir(parents=True)
    kept = clone / "pypid-data" / "blobs" / "precious"
    kept.touch()
    cache = clone / "twisted" / "plugins" / "dropin.cache"
    cache.touch()
    done = make(clone, "clean")
    assert done.returncode == 0, done.stderr
    assert kept.exists()
    assert [path for path in (clone / ".venv", clone / "pypid/__pycache__", cache) if path.exists()] == []
