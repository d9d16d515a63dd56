"""The command as a whole."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import pypid as package
from pypid.cli.main import COMMANDS
from tests.cli.command import pypid
from tests.kit.processes import run


def test_version() -> None:
    assert pypid("--version").output == f"pypid {package.__version__}\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_line_of_help(name: str) -> None:
    """One that is not cut off, in the list and by itself."""
    (line,) = [line for line in pypid("--help").output.splitlines() if line.startswith(f"  {name} ")]
    assert line.endswith(".")
    assert not line.endswith("...")
    assert pypid(name, "--help").exit_code == 0


def test_a_wrong_command_is_a_usage_error() -> None:
    result = pypid("chek-config")
    assert result.exit_code == 2
    assert "No such command 'chek-config'" in result.stderr


def test_runs_as_a_module_and_imports_no_more_than_it_needs(tmp_path: Path) -> None:
    """`pypid --help` answers at once: neither Twisted nor bcrypt is loaded for it."""
    as_module = run([sys.executable, "-m", "pypid.cli.main", "--version"], home=tmp_path)
    assert as_module.stdout == f"pypid {package.__version__}\n"
    code = (
        "import sys; from pypid.cli.main import main; main(['--version'], standalone_mode=False);"
        "print(sorted({'twisted', 'bcrypt'} & sys.modules.keys()))"
    )
    assert run([sys.executable, "-c", code], home=tmp_path).stdout.endswith("\n[]\n")
