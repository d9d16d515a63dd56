"""Asking for a verdict, and what it must say."""

from __future__ import annotations

import io

from pypid.domain.validation.claims import NO_CLAIMS, Claims
from pypid.domain.validation.distribution import Question, Verdict, inspect_distribution
from pypid.domain.validation.findings import Level

SDIST = "demo-1.0.tar.gz"


def verdict(content: bytes, filename: str, level: Level = Level.STANDARD, claims: Claims = NO_CLAIMS) -> Verdict:
    return inspect_distribution(io.BytesIO(content), Question(filename=filename, level=level, claims=claims))


def effects(content: bytes, filename: str, text: str, claims: Claims = NO_CLAIMS) -> str:
    """Return what each level does about what it says with ``text``: r(efused), w(arned) or i(gnored)."""
    return "".join(_effect(verdict(content, filename, level, claims), text) for level in Level)


def _effect(said: Verdict, text: str) -> str:
    if any(text in problem for problem in said.problems):
        return "r"
    return "w" if any(text in warning for warning in said.warnings) else "i"
