"""What was found in a distribution file, and what that means at each level of validation."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto

MAX_FINDINGS = 50
"""Problems that one answer tells, and warnings as many: a hostile archive could have a million."""


class Level(Enum):
    """How much an index demands of an upload; the values are those of the setting ``validation``."""

    STRICT = "strict"
    """What PyPI demands."""
    STANDARD = "standard"
    """What installers and this server need; a private index has a right to local versions and to its own platforms."""
    LENIENT = "lenient"
    """What safety demands, and no more: for files that old tools made."""


class _Effect(Enum):
    REFUSED = auto()
    WARNED = auto()
    IGNORED = auto()


class Weight(Enum):
    """How serious a finding is. Each value is its effect at the levels strict, standard and lenient."""

    SAFETY = ("safety", _Effect.REFUSED, _Effect.REFUSED, _Effect.REFUSED)
    """Readers would disagree about the file, or it does harm."""
    FORM = ("form", _Effect.REFUSED, _Effect.REFUSED, _Effect.WARNED)
    """It goes against a standard, and some client will trip over it."""
    ADVICE = ("advice", _Effect.REFUSED, _Effect.WARNED, _Effect.IGNORED)
    """It goes against a standard, and installs all the same."""
    POLICY = ("policy", _Effect.REFUSED, _Effect.IGNORED, _Effect.IGNORED)
    """Only PyPI, which is for everybody, has to mind."""
    NOTE = ("note", _Effect.WARNED, _Effect.WARNED, _Effect.IGNORED)
    """Also PyPI accepts it; it is likely a mistake."""

    def effect(self, level: Level) -> _Effect:
        _, strict, standard, lenient = self.value
        return {Level.STRICT: strict, Level.STANDARD: standard, Level.LENIENT: lenient}[level]


class Findings:
    """Collects what is found in one file; each text once."""

    def __init__(self, level: Level) -> None:
        self._level = level
        self._texts: Mapping[_Effect, dict[str, None]] = {effect: {} for effect in _Effect}
        self._omitted = dict.fromkeys(_Effect, 0)

    def add(self, weight: Weight, text: str) -> None:
        effect = weight.effect(self._level)
        texts = self._texts[effect]
        if len(texts) < MAX_FINDINGS:
            texts[text] = None
        elif text not in texts:
            self._omitted[effect] += 1

    @property
    def problems(self) -> tuple[str, ...]:
        """Why the file is refused; empty if it is not."""
        return self._told(_Effect.REFUSED)

    @property
    def warnings(self) -> tuple[str, ...]:
        return self._told(_Effect.WARNED)

    def _told(self, effect: _Effect) -> tuple[str, ...]:
        omitted = self._omitted[effect]
        return (*self._texts[effect], *([f"And {omitted} more."] if omitted else []))


class NotAccepted(ValueError):
    """The archive cannot be read, or not by all readers alike; the message says why, without a full stop."""
