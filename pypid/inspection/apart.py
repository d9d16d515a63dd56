"""
Looking into a stranger's file in a process of its own.

A thread could not be stopped, nor its memory be bounded, and it would share
the interpreter with the reactor: an sdist that takes 5 seconds to unpack
would slow every other answer for as long. A process costs 0.1 s to start,
little beside the upload; one that waits for its next file would save that,
and would look into it with whatever the last one left behind.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from pypid.domain.errors import InspectionFailed
from pypid.domain.validation.distribution import Question, Verdict
from pypid.inspection.limits import TOO_COSTLY, WALL_SECONDS

_TOLD = 2000
"""Characters of what a broken process said that go to the log."""

# -I: nothing from the working directory or the environment gets into it.
CHILD = (sys.executable, "-I", "-m", "pypid.inspection.child")


def inspect_apart(
    path: Path, question: Question, *, child: Sequence[str] = CHILD, patience: float = WALL_SECONDS
) -> Verdict:
    """
    Return the verdict on the file at ``path``; blocks until it is there.

    A file that takes too much to look into is refused for that. Raises
    `InspectionFailed` when the process broke, could not be started, or had no
    verdict in ``patience`` seconds, and `OSError` when there is no such file.
    """
    with path.open("rb") as archive:
        descriptor = archive.fileno()
        try:
            done = subprocess.run(
                [*child, str(descriptor)],
                input=msgspec.json.encode(question),
                capture_output=True,
                pass_fds=(descriptor,),
                env={},
                timeout=patience,
                check=False,
            )
        except subprocess.TimeoutExpired as e:
            raise InspectionFailed(question.filename, f"no verdict in {patience:g} seconds") from e
        except OSError as e:
            raise InspectionFailed(question.filename, f"no process could be started: {e}") from e
    if done.returncode == -signal.SIGXCPU:
        return TOO_COSTLY
    try:
        return msgspec.json.decode(done.stdout, type=Verdict)
    except msgspec.DecodeError as e:
        said = done.stderr.decode(errors="replace")[-_TOLD:]
        raise InspectionFailed(question.filename, f"exit code {done.returncode}: {said}") from e
