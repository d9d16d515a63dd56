"""B66: a process looks into a stranger's file; whatever becomes of it, there is an answer."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pypid.domain.errors import InspectionFailed
from pypid.domain.validation.claims import Claims
from pypid.domain.validation.distribution import Question
from pypid.domain.validation.findings import Level
from pypid.inspection.apart import inspect_apart
from pypid.inspection.files import inspect_file
from pypid.inspection.limits import TOO_COSTLY
from tests.kit.dists import Dist, sdist, wheel

GOOD = wheel("demo", requires=["other"], requires_python=">=3.9", summary="caf\u00e9")


def question(dist: Dist, claims: Claims | None = None) -> Question:
    return Question(filename=dist.filename, level=Level.STRICT, claims=claims or Claims())


def written(dist: Dist, directory: Path) -> Path:
    path = directory / "staged.part"
    path.write_bytes(dist.content)
    return path


def script(text: str) -> tuple[str, ...]:
    return sys.executable, "-c", text


def child_that_does(work: str, limit: str = "") -> tuple[str, ...]:
    """Return the child as it is, but for one limit, with ``work`` in place of its look into the archive."""
    lines = [
        "from resource import *",
        "from pypid.inspection import child",
        f"child.LIMITS.update({{{limit}}})",
        f"def work(archive, question):\n    {work}",
        "child.inspect_distribution = work",
        "child.main()",
    ]
    return script("\n".join(lines))


@pytest.mark.parametrize(
    ("dist", "claims"),
    [
        (GOOD, Claims(requires_python=">=3.9", requires_dist=("other",))),
        (GOOD, Claims(requires_python=">=3.12")),
        (sdist("demo"), Claims()),
        (wheel("demo", "1.0+local"), Claims()),
    ],
)
def test_verdict_is_the_one_that_is_given_here(dist: Dist, claims: Claims, tmp_path: Path) -> None:
    asked = question(dist, claims)
    path = written(dist, tmp_path)
    assert inspect_apart(path, asked) == inspect_file(path, asked)


def test_process_that_breaks(tmp_path: Path) -> None:
    """The upload may be sent again; what the process said is for the log."""
    path = written(GOOD, tmp_path)
    for text, why in (
        ("raise SystemExit('broken')", "exit code 1: broken"),
        ("import os; os.kill(os.getpid(), 9)", "exit code -9"),
        ("print('no json')", "exit code 0"),
    ):
        with pytest.raises(InspectionFailed) as raised:
            inspect_apart(path, question(GOOD), child=script(text))
        assert why in raised.value.why
        assert str(raised.value) == f"{GOOD.filename} could not be looked into; it may be uploaded again"


def test_process_that_cannot_be_started(tmp_path: Path) -> None:
    """It is not the disk that is full."""
    with pytest.raises(InspectionFailed) as raised:
        inspect_apart(written(GOOD, tmp_path), question(GOOD), child=(str(tmp_path / "no-python"),))
    assert "no process could be started" in raised.value.why


def test_process_that_hangs_is_killed(tmp_path: Path) -> None:
    path, hanging = written(GOOD, tmp_path), script("input(); import time; time.sleep(99)")
    with pytest.raises(InspectionFailed) as raised:
        inspect_apart(path, question(GOOD), child=hanging, patience=0.5)
    assert "no verdict in 0.5 seconds" in raised.value.why


@pytest.mark.parametrize(
    ("limit", "work"),
    [("RLIMIT_CPU: (1, 3)", "while True: pass"), ("RLIMIT_AS: (2**28, 2**28)", "bytes(2**30)")],
)
def test_file_that_takes_too_much_is_refused(limit: str, work: str, tmp_path: Path) -> None:
    """The limits are the child's own, made smaller; what uses them up stands for a file that does."""
    path = written(GOOD, tmp_path)
    assert inspect_apart(path, question(GOOD), child=child_that_does(work, limit)) == TOO_COSTLY


def test_child_writes_no_files(tmp_path: Path) -> None:
    """It reads one archive and answers, whatever the archive made of it."""
    target = tmp_path / "written"
    writing = child_that_does(f"import pathlib; pathlib.Path({str(target)!r}).write_text('x')")
    with pytest.raises(InspectionFailed) as raised:
        inspect_apart(written(GOOD, tmp_path), question(GOOD), child=writing)
    assert "File too large" in raised.value.why
    assert target.read_bytes() == b""


def test_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        inspect_apart(tmp_path / "gone", question(GOOD))
