"""Who may do what: the rights of an index, by user, by group and by project."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from pypid.domain.names import NormalizedName

if TYPE_CHECKING:
    from pypid.domain.tokens import Token

ANONYMOUS = "anonymous"
"""Everybody, signed in or not."""

AUTHENTICATED = "authenticated"
"""Everybody who is signed in."""

GROUP = "@"
"""What the name of a group begins with, where users may stand too."""

NOT = "!"
"""What a pattern begins with whose projects are left out."""


class Right(Enum):
    """What can be allowed."""

    READ = "read"
    """Pages, files and everything that is said of them."""
    UPLOAD = "upload"
    """New files; to yank, and to take that back."""
    DELETE = "delete"
    """Deleting files, releases and projects."""
    ADMIN = "admin"
    """Everything: project statuses, blocks, the audit log, retention as well."""


class GrantProblem(ValueError):
    """The text says no grant."""


@dataclass(frozen=True, slots=True)
class Grant:
    """One line of a setting: who, and for which projects."""

    who: str
    """A user, ``@`` with a group, `ANONYMOUS` or `AUTHENTICATED`."""
    only: tuple[str, ...] = ()
    """Patterns of normalized project names; none: all projects."""
    not_: tuple[str, ...] = ()
    """Patterns of those that are left out."""

    def covers(self, project: NormalizedName | None) -> bool:
        """Return whether it is about ``project``; None: about the index, which any grant is."""
        if project is None:
            return True
        if any(fnmatchcase(project, pattern) for pattern in self.not_):
            return False
        return not self.only or any(fnmatchcase(project, pattern) for pattern in self.only)

    @property
    def is_for_all_projects(self) -> bool:
        return not self.only and not self.not_


def parse_grant(text: str) -> Grant:
    """
    Return what ``text`` grants: who, then patterns of projects, ``!`` before those that are left out.

    >>> parse_grant("@payments acme-pay-* !acme-pay-test")
    Grant(who='@payments', only=('acme-pay-*',), not_=('acme-pay-test',))

    Raises `GrantProblem` with a sentence.
    """
    who, *patterns = text.split() or [""]
    if not who or who == GROUP:
        raise GrantProblem("it names nobody: a user, @GROUP, authenticated or anonymous")
    if ":" in who or not who.isprintable():
        raise GrantProblem(f"{who!r}: nobody can be called that, the names of users have no ':'")
    if who.startswith(NOT):
        raise GrantProblem(f"{who!r}: only projects can be left out with !, who may do nothing is simply not listed")
    return Grant(
        who,
        only=tuple(project_pattern(pattern) for pattern in patterns if not pattern.startswith(NOT)),
        not_=tuple(project_pattern(pattern.removeprefix(NOT)) for pattern in patterns if pattern.startswith(NOT)),
    )


_IN_PATTERNS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_.*?")


def project_pattern(text: str) -> str:
    """Return the pattern as normalized names are spelled. Raises `GrantProblem` with a sentence."""
    strange = sorted(set(text.lower()) - _IN_PATTERNS)
    if not text or strange:
        what = f"{strange[0]!r} is in no project name" if strange else "it is empty"
        raise GrantProblem(f"the project pattern {text!r}: {what}; letters, digits, '-' and '*' or '?' are")
    return text.lower().replace("_", "-").replace(".", "-")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks."""

    user: str | None = None
    """None: nobody has signed in."""
    groups: frozenset[str] = frozenset()
    is_operator: bool = False
    """Whether it is who runs pypid, on its own machine, who may do everything."""
    token: Token | None = None
    """With which he has signed in; None: with a password, or not at all."""

    def is_one_of(self, who: str) -> bool:
        """Return whether a grant for ``who`` is for this one."""
        if who == ANONYMOUS:
            return True
        if self.user is None:
            return False
        if who.startswith(GROUP):
            return who[len(GROUP) :] in self.groups
        return who in {AUTHENTICATED, self.user}


NOBODY = Identity()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """
    The grants of one index. What is not granted is denied.

    Who may upload or delete may read the same projects; who administers may
    do everything.
    """

    grants: Mapping[Right, Collection[Grant]] = field(default_factory=dict)

    def allow(self, identity: Identity, right: Right, project: NormalizedName | None) -> bool:
        """
        Return whether ``identity`` has ``right`` to the project.

        None for a project: to the index as a whole, which whoever has the right to any project has.
        """
        return identity.is_operator or any(
            identity.is_one_of(grant.who) and grant.covers(project) for grant in self._giving(right)
        )

    def allow_all(self, identity: Identity, right: Right) -> bool:
        """Return whether ``identity`` has ``right`` to every project, by one grant."""
        return identity.is_operator or any(
            identity.is_one_of(grant.who) and grant.is_for_all_projects for grant in self._giving(right)
        )

    def is_public(self, right: Right) -> bool:
        """Return whether everybody has ``right`` to all projects: shared caches may keep what it gives."""
        return self.allow_all(NOBODY, right)

    def scope(self, identity: Identity, right: Right) -> str:
        """Return what is the same for those who have ``right`` to the same projects, whoever they are."""
        given = {(grant.only, grant.not_) for grant in self._giving(right) if identity.is_one_of(grant.who)}
        return "everything" if identity.is_operator else repr(sorted(given))

    def _giving(self, right: Right) -> Iterator[Grant]:
        return (grant for each in _IMPLIED_BY[right] for grant in self.grants.get(each, ()))


NO_RIGHTS = Rights()

_IMPLIED_BY: Mapping[Right, tuple[Right, ...]] = {
    Right.READ: (Right.READ, Right.UPLOAD, Right.DELETE, Right.ADMIN),
    Right.UPLOAD: (Right.UPLOAD, Right.ADMIN),
    Right.DELETE: (Right.DELETE, Right.ADMIN),
    Right.ADMIN: (Right.ADMIN,),
}
