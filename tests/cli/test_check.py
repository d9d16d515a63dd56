"""``pypid check``: an index's words, before anything is uploaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import pypid
from tests.kit.dists import Dist, sdist, wheel


def write(dist: Dist, directory: Path, filename: str | None = None) -> Path:
    path = directory / (filename or dist.filename)
    path.write_bytes(dist.content)
    return path


def test_good_files(tmp_path: Path) -> None:
    paths = [write(wheel("demo"), tmp_path), write(sdist("demo"), tmp_path)]
    result = pypid("check", *paths)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [f"{path}: ok" for path in paths]


def test_every_problem_of_every_file(tmp_path: Path) -> None:
    """The good one between them, one that is none, and one that is not there."""
    bad = write(wheel("demo"), tmp_path, "Demo-2.0-py3-none-any.whl")
    good = write(wheel("demo"), tmp_path)
    other = write(wheel("demo"), tmp_path, "notes.txt")
    gone = tmp_path / "gone-1.0.tar.gz"
    result = pypid("check", bad, good, other, gone)
    assert result.exit_code == 1
    assert result.stdout == f"{good}: ok\n"
    info = "Demo-2.0.dist-info"
    name = "Filename 'Demo-2.0-py3-none-any.whl' should contain the normalized project name 'demo', not 'Demo'."
    assert f"{bad}: warning: {name}" in result.stderr
    assert f"{bad}: Invalid distribution file. WHEEL not found at {info}/WHEEL." in result.stderr
    assert f"{gone}: No such file or directory\n" in result.stderr
    assert f"{other}: " in result.stderr


def test_what_vouches_for_a_file_is_not_taken_for_one(tmp_path: Path) -> None:
    """As twine and uv do with all of dist/*: they upload it beside the file."""
    path = write(wheel("demo"), tmp_path)
    beside = [tmp_path / f"{path.name}{suffix}" for suffix in (".asc", ".publish.attestation")]
    for each in beside:
        each.write_text("anything")
    result = pypid("check", path, *beside)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"{path}: ok\n"


def test_names_are_no_commands_for_the_terminal(tmp_path: Path) -> None:
    odd = write(wheel("demo"), tmp_path, "\a-1.0-py3-none-any.whl")
    for path in (odd, tmp_path / "\agone-1.0.tar.gz"):
        result = pypid("check", path)
        assert result.exit_code == 1
        assert "\a" not in result.stderr


@pytest.mark.parametrize(("level", "code"), [("strict", 1), ("standard", 0), ("lenient", 0)])
def test_levels(level: str, code: int, tmp_path: Path) -> None:
    path = write(wheel("demo", "1.0+local"), tmp_path)
    assert pypid("check", "--level", level, path).exit_code == code
    assert pypid("check", path).exit_code == 0


def test_warnings_are_no_failure(tmp_path: Path) -> None:
    made = wheel("demo", extra_files={"other-1.0.dist-info/METADATA": b""})
    path = write(made, tmp_path)
    result = pypid("check", path)
    assert (result.exit_code, result.stdout) == (0, f"{path}: ok\n")
    assert result.stderr == f"{path}: warning: It holds metadata of another project: 'other-1.0.dist-info'.\n"
