"""What somebody may do in one index: by what he is granted there, and by the token that he shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pypid.domain.names import IndexName, NormalizedName
from pypid.domain.publishers import Publisher, may
from pypid.domain.rights import NOBODY, Identity, Right, Rights


@dataclass(frozen=True, slots=True, kw_only=True)
class Permissions:
    """
    A token allows no more than it was made for, and than its user may do;
    what everybody may, its holder may as well.

    Those of trusted publishers have no user: they allow what the publishers
    may do now.
    """

    index: IndexName
    rights: Rights
    identity: Identity
    publishers: Mapping[str, Publisher] = field(default_factory=dict)
    """Those that are trusted now, by name."""

    def allow(self, right: Right, project: NormalizedName | None) -> bool:
        """Return whether ``right`` to the project is among them; None for one: to the index, so to any of it."""
        token = self.identity.token
        if token is None or self.rights.allow(NOBODY, right, project):
            return self.rights.allow(self.identity, right, project)
        if token.publishers:
            return may(token, self.publishers, self.index, right, project)
        return token.covers(self.index, right, project) and self.rights.allow(self.identity, right, project)

    def allow_all(self, right: Right) -> bool:
        """Return whether ``right`` to every project is among them."""
        token = self.identity.token
        if token is None or self.rights.allow_all(NOBODY, right):
            return self.rights.allow_all(self.identity, right)
        if token.publishers or token.projects:
            return False
        return token.covers(self.index, right, None) and self.rights.allow_all(self.identity, right)

    def scope(self, right: Right) -> str:
        """Return what is the same for those who have ``right`` to the same projects, whoever they are."""
        token = self.identity.token
        granted = self.rights.scope(self.identity, right)
        return granted if token is None else f"{granted} by {token.id}"
