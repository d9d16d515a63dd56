"""Which files of a project an installer would take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from packaging.specifiers import SpecifierSet
from packaging.tags import Tag
from packaging.utils import parse_wheel_filename
from packaging.version import Version

from pypid.domain.filenames import FileKind, UnknownFilename, parse_filename
from pypid.domain.files import DistributionFile
from pypid.domain.targets import Target
from pypid.domain.wanted import Locked, Wanted


class NotOffered(ValueError):
    """The index does not have what a lock file names; the message says how it differs."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file, and what its name says."""

    file: DistributionFile
    version: Version
    tags: frozenset[Tag] | None
    """None: a source distribution, which fits everywhere."""
    build: tuple[int, str] | tuple[()] = ()


def candidates(files: Iterable[DistributionFile]) -> tuple[Candidate, ...]:
    """Return those of ``files`` whose names can be read."""
    found = []
    for file in files:
        try:
            parsed = parse_filename(file.filename)
        except UnknownFilename:
            continue
        if parsed.kind is FileKind.SDIST:
            found.append(Candidate(file, parsed.version, None))
        else:
            _, version, build, tags = parse_wheel_filename(file.filename)
            found.append(Candidate(file, version, tags, build))
    return tuple(found)


def choose(
    wanted: Wanted,
    offered: Sequence[Candidate],
    target: Target | None,
    *,
    all_versions: bool = False,
    sdists: bool = False,
) -> tuple[Candidate, ...]:
    """
    Return what an installer that wants only this would take on ``target``: a file of the newest version.

    That is the best wheel, or the source distribution where no wheel fits;
    with ``sdists`` both. With ``all_versions``, so for each version that
    matches. Without a target it is every file of the version.
    """
    pinned = _is_pinned(wanted.specifier)
    fitting = [
        candidate
        for candidate in offered
        if (candidate.file.yanked is None or pinned)
        and (not wanted.sha256s or candidate.file.sha256 in wanted.sha256s)
        and (target is None or (target.allows(candidate.file.requires_python) and _fits(candidate, target)))
    ]
    versions = {candidate.version for candidate in fitting}
    # None: only where there is nothing else.
    matching = sorted(wanted.specifier.filter(versions, prereleases=wanted.prereleases or None), reverse=True)
    return tuple(
        candidate
        for version in (matching if all_versions else matching[:1])
        for candidate in _best([one for one in fitting if one.version == version], target, sdists=sdists)
    )


def choose_locked(locked: Locked, target: Target | None, *, sdists: bool = False) -> tuple[str, ...]:
    """Return the names of the files that an installer would take; none: none fits ``target``."""
    named = (DistributionFile(filename=name, sha256=sha256 or "") for name, sha256 in locked.files.items())
    fitting = [candidate for candidate in candidates(named) if target is None or _fits(candidate, target)]
    return tuple(candidate.file.filename for candidate in _best(fitting, target, sdists=sdists))


def find_locked(locked: Locked, filename: str, offered: Mapping[str, DistributionFile]) -> DistributionFile:
    """Return the locked file among those ``offered``, by filename. Raises `NotOffered`."""
    file = offered.get(filename)
    if file is None:
        raise NotOffered("the index has no such file")
    expected = locked.files[filename]
    if expected and file.sha256 and file.sha256 != expected:
        raise NotOffered(f"the index has it with sha256 {file.sha256}, {locked.asked_by} with {expected}")
    return file


def _is_pinned(specifier: SpecifierSet) -> bool:
    """Say whether one version is named, so that it is taken though it is yanked (PEP 592)."""
    return any(one.operator in {"==", "==="} and not one.version.endswith(".*") for one in specifier)


def _fits(candidate: Candidate, target: Target) -> bool:
    return candidate.tags is None or target.rank(candidate.tags) is not None


def _best(fitting: Sequence[Candidate], target: Target | None, *, sdists: bool) -> Sequence[Candidate]:
    """Return what is taken of one version."""
    if target is None:
        return fitting
    ranked = [(target.rank(one.tags) or 0, one) for one in fitting if one.tags is not None]
    # Of two equally good wheels the higher build is taken.
    ranked.sort(key=lambda pair: pair[1].build, reverse=True)
    ranked.sort(key=lambda pair: pair[0])
    wheels = [candidate for _, candidate in ranked[:1]]
    sources = sorted((one for one in fitting if one.tags is None), key=lambda one: one.file.filename)
    return [*wheels, *(sources[:1] if sdists or not wheels else [])]
