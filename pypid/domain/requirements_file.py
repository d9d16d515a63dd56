"""pip's requirements files: the lines that name a project, and the files that they include."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NoReturn

from packaging.requirements import InvalidRequirement, Requirement

from pypid.domain.names import InvalidName, shorten
from pypid.domain.wanted import Wanted, want

_COMMENT = re.compile(r"(^|\s+)#.*$")
_OPTION = re.compile(r"(?:^|\s)-")
_PLACE = re.compile(r"[/\\]|^\.|\.(?:whl|zip|tar\.gz|tgz|tar\.bz2|tar\.xz)$", re.IGNORECASE)
"""What pip takes for a path or a URL: only a requirement with a URL of its own has any of it."""

_SHA256 = re.compile(r"sha256:([0-9a-f]{64})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Include:
    """Another file that is meant to be read."""

    path: str
    """As written: relative to the file that includes it."""
    constraints: bool
    """It only limits versions (``-c``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementsFile:
    """What one file says."""

    wanted: tuple[Wanted, ...]
    includes: tuple[Include, ...]
    skipped: tuple[str, ...]
    """A line for each thing that no index has: a path, a URL, something editable."""
    problems: tuple[str, ...]
    """A line for each that makes no sense."""


class _BadOption(ValueError):
    pass


class _Options(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _BadOption(message)


def parse_requirements(text: str, name: str) -> RequirementsFile:
    """Return what the file ``name`` says; the options that choose indexes and how to build are left out."""
    wanted: list[Wanted] = []
    includes: list[Include] = []
    skipped: list[str] = []
    problems: list[str] = []
    prereleases = False
    for number, line in _logical_lines(text):
        place = f"{name}:{number}"
        try:
            requirement, options = _split(line)
            if requirement:
                _add(requirement, options.hash, place, wanted, skipped)
        except ValueError as e:
            problems.append(f"{place}: {e}")
            continue
        includes += [Include(path, constraints=False) for path in options.requirement]
        includes += [Include(path, constraints=True) for path in options.constraint]
        skipped += [f"{place}: -e {shorten(path)} is not from an index" for path in options.editable]
        prereleases = prereleases or options.pre
    if prereleases:
        wanted = [replace(one, prereleases=True) for one in wanted]
    return RequirementsFile(
        wanted=tuple(wanted), includes=tuple(includes), skipped=tuple(skipped), problems=tuple(problems)
    )


def parse_requirement(text: str, asked_by: str) -> Wanted | None:
    """
    Return what one requirement asks for; None for one that is not from an index.

    Raises `ValueError` for what is none.
    """
    if _PLACE.search(text.partition(";")[0].strip()):
        return None
    try:
        requirement = Requirement(text)
    except InvalidRequirement as e:
        raise ValueError(f"{shorten(text)} is no requirement: {str(e).partition(chr(10))[0]}") from e
    try:
        return None if requirement.url else want(requirement, asked_by)
    except InvalidName as e:
        raise ValueError(str(e)) from e


def _add(text: str, hashes: Iterable[str], place: str, wanted: list[Wanted], skipped: list[str]) -> None:
    one = parse_requirement(text, place)
    if one is None:
        skipped.append(f"{place}: {shorten(text)} is not from an index")
        return
    digests = [_SHA256.fullmatch(value) for value in hashes]
    wanted.append(replace(one, sha256s=frozenset(match[1].lower() for match in digests if match)))


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Return what is left without comments and continuations, by the number of its first line."""
    parts: list[str] = []
    first = 0
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        first = first if parts else number
        comment = _COMMENT.match(line) is not None
        if line.endswith("\\") and not comment:
            parts.append(line.strip("\\"))
            continue
        # A line that is a comment ends what was continued before it.
        yield from _uncommented(first, "".join([*parts, f" {line}" if comment else line]))
        parts.clear()
    yield from _uncommented(first, "".join(parts))


def _uncommented(number: int, line: str) -> Iterator[tuple[int, str]]:
    if rest := _COMMENT.sub("", line).strip():
        yield number, rest


def _split(line: str) -> tuple[str, argparse.Namespace]:
    """Return the requirement, ``""`` if it is a line of options, and the options. Raises `ValueError`."""
    match = _OPTION.search(line)
    end = len(line) if match is None else match.start()
    return line[:end].strip(), _options.parse_args(shlex.split(line[end:]))


def _make_options() -> _Options:
    # Abbreviations are pip's too, and nobody's habit.
    parser = _Options(add_help=False, allow_abbrev=False)
    for read in ("-r --requirement", "-c --constraint", "-e --editable", "--hash"):
        parser.add_argument(*read.split(), action="append", default=[])
    parser.add_argument("--pre", action="store_true")
    for ignored in (
        *("-i --index-url --pypi-url", "--extra-index-url", "-f --find-links", "--trusted-host", "--use-feature"),
        *("--no-binary", "--only-binary", "--global-option", "-C --config-settings --config-setting"),
    ):
        parser.add_argument(*ignored.split(), action="append", dest="ignored")
    for flag in ("--no-index", "--prefer-binary", "--require-hashes"):
        parser.add_argument(flag, action="store_true", dest="ignored_flag")
    return parser


_options = _make_options()
