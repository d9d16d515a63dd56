"""Looking into a distribution file in this process."""

from __future__ import annotations

from pathlib import Path

from pypid.domain.validation.distribution import Question, Verdict, inspect_distribution


def inspect_file(path: Path, question: Question) -> Verdict:
    """Return the verdict on the file at ``path``. Raises `OSError` when it cannot be read."""
    with path.open("rb") as archive:
        return inspect_distribution(archive, question)
