"""What a team lays over the projects of an index that is not its own: yanked, blocked, or with another status."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from packaging.utils import canonicalize_version

from pypid.domain.filenames import UnknownFilename, parse_filename
from pypid.domain.files import DistributionFile, ProjectPage, ProjectStatus, Status, offered, versions_of
from pypid.domain.subject import Subject


class Kind(Enum):
    """What a rule does to its subject."""

    YANK = "yank"
    """It is shown as yanked (PEP 592): who asks for that very version still gets it."""
    BLOCK = "block"
    """It is not shown, and nobody gets it."""
    STATUS = "status"
    """The project has another status than it has upstream (PEP 792)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule. There is one of each kind for one subject at the most."""

    subject: Subject
    kind: Kind
    reason: str = ""
    """For people; ``""``: none is given."""
    status: Status | None = None
    """Of a rule of that kind, whose subject is a project as a whole."""
    serial: int = 0
    """Of the change that made it."""

    def covers(self, filename: str) -> bool:
        """Return whether it is about this file of its project; a name that says no version has none."""
        try:
            version = parse_filename(filename).version
        except UnknownFilename:
            return self.subject.version is None and self.subject.filename in {None, filename}
        return self.subject.covers(filename=filename, version=version)


def block_of(rules: Iterable[Rule], filename: str | None = None) -> Rule | None:
    """Return the rule that blocks the file, if one does; None for a filename: the project as a whole."""
    for rule in rules:
        if rule.kind is Kind.BLOCK and (rule.covers(filename) if filename is not None else _is_whole(rule)):
            return rule
    return None


def status_of(rules: Sequence[Rule]) -> ProjectStatus | None:
    """Return the project's status by ``rules``; None where they say nothing of it."""
    block = block_of(rules)
    if block is not None:
        return ProjectStatus(Status.QUARANTINED, block.reason or None)
    for rule in rules:
        if rule.kind is Kind.STATUS and rule.status is not None:
            return ProjectStatus(rule.status, rule.reason or None)
    return None


def laid_over(page: ProjectPage, rules: Sequence[Rule]) -> ProjectPage:
    """
    Return ``page`` as it is under ``rules``, which are of its project.

    What is yanked upstream stays so. No client may keep the page unasked: the
    rules can change at any moment.
    """
    status = status_of(rules) or page.status
    files = tuple(_yanked(file, rules) for file in page.files if block_of(rules, file.filename) is None)
    # A serial tells the rules apart, and how many there are tells that one was taken back.
    changes = (f"rules {len(rules)} {max((rule.serial for rule in rules), default=0)}",)
    versions = _versions_left(page, files, rules)
    return replace(page.revised(offered(files, status), changes), versions=versions, status=status, max_age=0)


def _versions_left(page: ProjectPage, files: tuple[DistributionFile, ...], rules: Iterable[Rule]) -> tuple[str, ...]:
    """Return the versions of ``page`` without those of which no file is left: tools would ask for them."""
    gone = set(versions_of(page.files)) - set(versions_of(files))
    gone |= {str(rule.subject.version) for rule in rules if rule.kind is Kind.BLOCK and rule.subject.version}
    spelled = {canonicalize_version(version) for version in gone}
    return tuple(version for version in page.versions if canonicalize_version(version) not in spelled)


def _yanked(file: DistributionFile, rules: Iterable[Rule]) -> DistributionFile:
    if file.yanked is not None:
        return file
    rule = next((rule for rule in rules if rule.kind is Kind.YANK and rule.covers(file.filename)), None)
    return file if rule is None else replace(file, yanked=rule.reason)


def _is_whole(rule: Rule) -> bool:
    return rule.subject.version is None and rule.subject.filename is None
