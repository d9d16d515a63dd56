"""The settings in force: replaced by a reload whole, read by a request once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pypid.domain.errors import IndexNotFound, NotHosted
from pypid.domain.groups import Groups
from pypid.domain.names import IndexName
from pypid.domain.permissions import Permissions
from pypid.domain.rights import NO_RIGHTS, Identity, Right, Rights
from pypid.domain.trusted_proxies import TrustedProxies
from pypid.domain.upload_rules import UploadRules
from pypid.indexes.change_feed import ChangeFeed
from pypid.indexes.index import Index
from pypid.indexes.looks import Looks
from pypid.indexes.trusted_publishing import TrustedPublishing
from pypid.web.auth import Authenticator


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What a request needs to know of the configuration; it keeps the one it began with."""

    indexes: Mapping[IndexName, Index]
    hosted: Mapping[IndexName, UploadRules]
    """The indexes that accept uploads, and what each demands of them."""
    offline: frozenset[IndexName] = frozenset()
    """The mirrors whose upstream is not asked."""
    feeds: tuple[ChangeFeed, ...] = ()
    directories: Mapping[IndexName, tuple[Looks, float]] = field(default_factory=dict)
    """The indexes of files that somebody puts there, and the seconds between two looks at them."""
    default_index: IndexName
    rights: Mapping[IndexName, Rights] = field(default_factory=dict)
    """Who may do what, in each index; of what is not here nobody may do anything."""
    groups: Groups = field(default_factory=dict)
    publishing: TrustedPublishing | None = None
    """What exchanges identity tokens; None: no publisher is trusted."""
    authenticator: Authenticator
    max_upload: int
    """Bytes of one upload's body."""
    stall_timeout: float
    """Seconds for which a client may read nothing of its answer."""
    trusted_proxies: TrustedProxies = field(default_factory=TrustedProxies)
    """Who is believed whom it asks for."""
    connections_per_address: int = 256
    """How many of them one address may have."""
    https_port: int | None = None
    """Where other machines are sent that come without TLS; None: they are answered."""
    is_open: bool = field(init=False)
    """Whether everybody may read everything: then it is no secret which indexes there are."""

    def __post_init__(self) -> None:
        is_open = all(self.rights_of(name).is_public(Right.READ) for name in self.indexes)
        object.__setattr__(self, "is_open", is_open)

    def rights_of(self, index: IndexName) -> Rights:
        return self.rights.get(index, NO_RIGHTS)

    def visible_to(self, identity: Identity) -> frozenset[IndexName]:
        """Return the indexes of which it is no secret to ``identity`` that they are there."""
        if self.is_open:
            return frozenset(self.indexes)
        return frozenset(name for name in self.indexes if self.permissions(identity, name).allow(Right.READ, None))

    def permissions(self, identity: Identity, index: IndexName) -> Permissions:
        """Return what ``identity`` may do in the index of that name: nothing if there is none."""
        publishers = {} if self.publishing is None else self.publishing.publishers
        return Permissions(index=index, rights=self.rights_of(index), identity=identity, publishers=publishers)

    def index(self, name: IndexName | None) -> Index:
        """Return the index of that name, None being the default one. Raises `IndexNotFound`."""
        name = name or self.default_index
        index = self.indexes.get(name)
        if index is None:
            raise IndexNotFound(f"there is no index {name}")
        return index

    def upload_target(self, name: IndexName | None) -> IndexName:
        """Return the index to upload to. Raises `IndexNotFound`, `NotHosted`."""
        target = self.index(name).name
        if target in self.directories:
            raise NotHosted(f"{target} takes no uploads: copy the file into its directory on the server")
        if target not in self.hosted:
            raise NotHosted(f"{target} mirrors another index: nothing can be uploaded to it")
        return target


class Current:
    """
    Holds the snapshot in force.

    Read `value` once per request; never keep it longer. It is set before the
    first connection is accepted.
    """

    value: Snapshot
