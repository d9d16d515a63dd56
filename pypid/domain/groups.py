"""Groups of users: an Apache group file, and what the configuration says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pypid.domain.names import shorten

Groups = Mapping[str, frozenset[str]]
"""The users of each group."""

MAX_LINE = 64 * 1024
"""Characters of one line: a thousand users with long names."""


@dataclass(frozen=True, slots=True)
class GroupFile:
    """What a group file says."""

    groups: Groups
    problems: tuple[str, ...]
    """A sentence for each line that says nothing, with its number."""


def read_group_file(text: str) -> GroupFile:
    """
    Return the groups of ``text``, in the format of Apache's AuthGroupFile: ``NAME: USER USER ...``.

    A group that has several lines has the users of all. Comments, empty lines
    and any line ends are passed over.
    """
    found: dict[str, set[str]] = {}
    problems: list[str] = []
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        name, colon, users = stripped.partition(":")
        name = name.strip()
        if len(line) > MAX_LINE or not colon or not name or len(name.split()) > 1:
            problems.append(f"line {number}: expected 'GROUP: USER USER ...', got {shorten(stripped)}")
            continue
        found.setdefault(name, set()).update(users.split())
    return GroupFile({name: frozenset(users) for name, users in found.items()}, tuple(problems))


def united(each: Iterable[Groups]) -> Groups:
    """Return the groups of all, each with all of its users."""
    found: dict[str, frozenset[str]] = {}
    for groups in each:
        for name, users in groups.items():
            found[name] = found.get(name, frozenset()) | users
    return found


def groups_of(user: str, groups: Groups) -> frozenset[str]:
    """Return the groups that ``user`` is in."""
    return frozenset(name for name, users in groups.items() if user in users)


def unknown_groups(names: Sequence[str], groups: Groups) -> list[str]:
    """Return those of ``names`` that are no group, in their order."""
    return [name for name in dict.fromkeys(names) if name not in groups]
