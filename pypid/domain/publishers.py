"""Trusted publishers: who may upload what without a secret, by what an issuer says of him."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pypid.domain.claim_rules import Claims, Rules, unmet
from pypid.domain.names import IndexName, NormalizedName, shorten
from pypid.domain.rights import Grant, Right
from pypid.domain.tokens import Token

USER = "publisher:"
"""What the name begins with in which a publisher acts; no user's can, since htpasswd ends it at the colon."""

_WHERE = ("repository", "project_path", "sub")
_WHICH = ("ref", "environment")
_TOLD = (*_WHERE, "repository_owner_id", "project_id", *_WHICH, "job_workflow_ref", "sha", "run_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Publisher:
    """Whoever has such an identity token may upload these projects to this index."""

    name: str
    issuer: str
    """Its URL, exactly as its tokens have it."""
    index: IndexName
    projects: tuple[str, ...]
    """Patterns as in a `Grant`; never empty."""
    claims: Rules

    def covers(self, index: IndexName, right: Right, project: NormalizedName | None) -> bool:
        """Return whether it may do this; None for a project: to the index as a whole."""
        if index != self.index or right not in {Right.UPLOAD, Right.READ}:
            return False
        return Grant(self.name, only=self.projects).covers(project)


def matching(publishers: Iterable[Publisher], issuer: str, claims: Claims) -> list[Publisher]:
    """Return those that an identity token of ``issuer`` is for."""
    return [each for each in publishers if each.issuer == issuer and unmet(each.claims, claims) is None]


def may(
    token: Token,
    publishers: Mapping[str, Publisher],
    index: IndexName,
    right: Right,
    project: NormalizedName | None,
) -> bool:
    """
    Return whether a token that was made for publishers allows this now.

    ``publishers``: those there are now, by name. One that was taken out, or
    that may do less, takes its tokens along.
    """
    named = (publishers.get(name) for name in token.publishers)
    return token.covers(index, right, project) and any(
        publisher is not None and publisher.covers(index, right, project) for publisher in named
    )


def user_of(publishers: Iterable[Publisher], claims: Claims) -> str:
    """Return the name in which a token acts, for the audit log: ``publisher:app (acme/app@refs/tags/v1)``."""
    names = "+".join(publisher.name for publisher in publishers)
    where = next((text for name in _WHERE if (text := _text(claims, name))), "")
    which = next((text for name in _WHICH if (text := _text(claims, name))), "")
    return f"{USER}{names} ({where}{'@' if which else ''}{which})"


def told(claims: Claims) -> str:
    """Return the claims that say whose the token is, for people."""
    return ", ".join(f"{name} {shorten(text)}" for name in _TOLD if (text := _text(claims, name)))


def _text(claims: Claims, name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value.isprintable():
        return ""
    return value[:200]
