"""Running the ``pypid`` command inside the test's own process, where no daemon is needed."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pypid.cli.main import main
from pypid.cli.password import hash_password

FAST = 4
"""bcrypt's least cost."""


def pypid(*args: str | Path, stdin: str | bytes = "") -> Result:
    """Run ``pypid ARGS``; a traceback is a failure of the test."""
    return CliRunner().invoke(main, [str(arg) for arg in args], input=stdin, catch_exceptions=False, prog_name="pypid")


def without_settings(monkeypatch: pytest.MonkeyPatch, directory: Path) -> None:
    """Leave out what this machine's environment says about pypid; work in ``directory``; hash fast."""
    monkeypatch.setenv("PYPID_CONFIG", str(directory / "pypid.conf"))
    monkeypatch.chdir(directory)
    (directory / "pypid.conf").touch()
    hash_fast(monkeypatch)


def hash_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pypid.cli.user.hash_password", partial(hash_password, cost=FAST))
