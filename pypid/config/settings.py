"""Everything that can be set: each setting once, with its kind, its default and the reason for it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Annotated, get_type_hints
from urllib.parse import urlsplit

from pypid.config.grants import Grants
from pypid.config.kinds import (
    Age,
    BaseUrl,
    Ceiling,
    Choice,
    Count,
    CountLimit,
    Duration,
    EndpointUrl,
    FilePath,
    Flag,
    IndexReference,
    Kind,
    OneOf,
    OptionalFile,
    ProxyChoice,
    Size,
    SizeLimit,
    Word,
)
from pypid.config.lists import (
    BaseUrls,
    Directories,
    FilePaths,
    HostPatterns,
    IndexReferences,
    ListenAddresses,
    ProxyPeers,
    Signers,
    Statuses,
)
from pypid.config.publishers import Audience, PublisherConfig
from pypid.domain.eviction import Limits
from pypid.domain.groups import Groups
from pypid.domain.names import IndexName
from pypid.domain.proxies import ProxyRules
from pypid.domain.retention import Retention
from pypid.domain.rights import ANONYMOUS, AUTHENTICATED, Grant, Right, Rights
from pypid.domain.upload_rules import Attesting, Shadowing
from pypid.domain.validation.findings import Level

DEFAULT_UPSTREAM = "https://pypi.org/simple/"
DEFAULT_FILE_HOST = "files.pythonhosted.org"
"""Where the default upstream has its files; it is allowed wherever that is the upstream."""

FIND_LINKS = "find-links"
"""The layout of one page for all projects."""

MIB = 2**20
GIB = 2**30
MAIN = IndexName("main")


class ConfigError(Exception):
    """The configuration cannot be used; ``problems`` has every reason, one line each."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, kw_only=True)
class ServerConfig:
    """The table ``[server]``: what holds for every index."""

    listen: Annotated[tuple[str, ...], ListenAddresses()] = ("tcp:8080",)
    """Twisted endpoint descriptions, and those of ours for TLS."""
    certificates: Annotated[tuple[Path, ...], FilePaths()] = ()
    """PEM files for TLS, each with a certificate and those above it; a client chooses by name. Absolute once parsed."""
    private_keys: Annotated[tuple[Path, ...], FilePaths()] = ()
    """PEM files of their keys, in any order; a key may also be with its certificate. Absolute once parsed."""
    client_ca: Annotated[Path | None, OptionalFile()] = None
    """PEM file of the authorities that vouch for clients. None: clients are not asked, as few have a certificate."""
    client_certificates: Annotated[str, Choice(("required", "optional"))] = "required"
    """Whether a client of TLS must have a certificate of `client_ca`: who names one wants no other clients."""
    insecure_http: Annotated[bool, Flag()] = False
    """
    Whether other machines are served over http although there is TLS.

    Whoever is in between can read their passwords and change their packages.
    """
    data: Annotated[Path, FilePath()] = Path("pypid-data")
    """The directory of everything that is kept. Absolute once parsed."""
    default_index: Annotated[IndexName, IndexReference()] = MAIN
    """The index that answers at ``/simple/``."""
    max_upload: Annotated[int, Size()] = 2 * GIB
    """Bytes of one upload. Several times the largest files in use, such as GPU builds."""
    drain: Annotated[float, Duration(least=0)] = 10.0
    """Seconds that a stop waits for requests under way. Below pip's own time-out of 15 s."""
    header_timeout: Annotated[float, Duration()] = 10.0
    """Seconds for a client to send the head of a request: slow senders must not hold connections."""
    idle_timeout: Annotated[float, Duration()] = 60.0
    """Seconds that an open connection may wait for its next request."""
    stall_timeout: Annotated[float, Duration()] = 60.0
    """Seconds without progress, of a client that reads nothing."""
    trusted_proxies: Annotated[tuple[str, ...], ProxyPeers()] = ()
    """
    Addresses, networks and ``unix``: peers that are believed when they say whom they ask for, and how.

    Nobody: what anybody can write says nothing.
    """
    connections_per_address: Annotated[int, Count()] = 256
    """
    Connections that one address may have, unless it is a trusted proxy's.

    Five `uv` at once, which open 50 each, and few enough that no single machine takes all there are.
    """
    rendered_pages: Annotated[int, Size(least=0)] = 64 * MIB
    """Bytes of memory for pages as they are sent; no single one gets more than a quarter."""
    page_memory: Annotated[int, Size(least=0)] = 128 * MIB
    """Bytes of memory for parsed project pages."""
    cache_size: Annotated[int | None, SizeLimit()] = None
    """
    Bytes of mirrored files on the disk. None: as many as `keep_free` leaves room for.

    No number fits both a laptop and a server, and `keep_free` is what keeps a disk from filling up.
    """
    keep_free: Annotated[int, Size(least=0)] = GIB
    """Bytes of the disk that mirrored files leave free: for uploads, the databases and whoever else needs it."""
    offline: Annotated[bool, Flag()] = False
    """Whether no upstream at all is asked."""
    download_days: Annotated[int, Count(most=36_500)] = 400
    """
    Days of which the downloads of each file are kept one by one, before only their sum is.

    More than a year, so that this month can be compared with the same one a year ago.
    """
    oidc_audience: Annotated[str, Audience()] = "pypid"
    """
    The audience of identity tokens, of which this server takes no others.

    The server's own name is safer where there are several: nobody can then take to one what was made for another.
    """
    sigstore_root: Annotated[Path | None, OptionalFile()] = None
    """
    JSON file of the authorities that attestations are verified by. Absolute once parsed.

    None: those of the public Sigstore, which come with the extra; few have their own.
    """

    @property
    def room(self) -> Limits:
        """What mirrored files may take of the disk."""
        return Limits(cache_size=self.cache_size, keep_free=self.keep_free)


EVERYBODY = (Grant(ANONYMOUS),)
SIGNED_IN = (Grant(AUTHENTICATED),)


@dataclass(frozen=True, kw_only=True)
class AccessConfig:
    """What every index has: who may use it."""

    read: Annotated[tuple[Grant, ...], Grants()] = EVERYBODY
    """Who may have pages and files. Most networks that have an index trust who is in them to install."""
    admin: Annotated[tuple[Grant, ...], Grants()] = ()
    """Who may do everything. Nobody but the operator of the machine, unless it is said: it changes others' builds."""

    @property
    def rights(self) -> Rights:
        return Rights(grants={Right.READ: self.read, Right.ADMIN: self.admin})


@dataclass(frozen=True, kw_only=True)
class HostedConfig(AccessConfig):
    """An index that keeps what is uploaded to it, in front of its bases if it has any."""

    upload: Annotated[tuple[Grant, ...], Grants()] = SIGNED_IN
    """Who may upload, and yank."""
    delete: Annotated[tuple[Grant, ...], Grants()] = ()
    """Who may delete. Nobody but the operator of the machine, unless it is said: it breaks builds."""

    bases: Annotated[tuple[IndexName, ...], IndexReferences()] = ()
    """Indexes that are asked, in this order, for projects that this one does not have."""
    validation: Annotated[Level, OneOf(Level)] = Level.STANDARD
    """How much is demanded of an upload: what PyPI does, what a team needs, or only what safety demands."""
    attestations: Annotated[Attesting, OneOf(Attesting)] = Attesting.CHECK
    """What is demanded of attestations: few uploads have any, and their signatures take an extra to verify."""
    signers: Annotated[tuple[str, ...], Signers()] = ()
    """Who may have signed them, such as ``https://github.com/acme/*``; none: anybody, whom readers are told."""
    volatile: Annotated[bool, Flag()] = False
    """Whether a file may be published in the place of another one of its name: lock files would not find theirs."""
    shadowing: Annotated[Shadowing, OneOf(Shadowing)] = Shadowing.REFUSE
    """Whether a project of a mirror below, that people here use, may be hidden by an upload: all would get that."""
    keep_releases: Annotated[int | None, CountLimit()] = None
    """Of each project; None: all. What a team needs of its past nobody else knows, so nothing goes by default."""
    drop_prereleases_after: Annotated[float, Age()] = math.inf
    """Seconds since the last upload to a pre-release, development releases included."""
    drop_dev_after: Annotated[float, Age()] = math.inf
    """Seconds since the last upload to a development release: nightly builds age faster than release candidates."""
    drop_unused_after: Annotated[float, Age()] = math.inf
    """Seconds without a download, nor an upload, of a release."""

    @property
    def rights(self) -> Rights:
        granted = {Right.READ: self.read, Right.UPLOAD: self.upload, Right.DELETE: self.delete, Right.ADMIN: self.admin}
        return Rights(grants=granted)

    @property
    def retention(self) -> Retention:
        """Which releases go by themselves."""
        return Retention(
            keep_releases=self.keep_releases,
            drop_prereleases_after=self.drop_prereleases_after,
            drop_dev_after=self.drop_dev_after,
            drop_unused_after=self.drop_unused_after,
        )


@dataclass(frozen=True, kw_only=True)
class MirrorConfig(AccessConfig):
    """An index that fetches from another one, and keeps what it fetched."""

    upstream: Annotated[str, BaseUrl()]
    """Base URL of a simple index, which ends in a slash, or URL of a page of links."""
    failover: Annotated[tuple[str, ...], BaseUrls()] = ()
    """Base URLs of replicas of upstream: asked in this order where it cannot be asked."""
    layout: Annotated[str, Choice(("simple", FIND_LINKS))] = "simple"
    """What is at `upstream`: a page for each project, or one page with the links to the files of all."""
    allow_hosts: Annotated[tuple[str, ...], HostPatterns()] = ()
    """
    Hosts beside upstream's own that may be asked for files, or for pages that it redirects to.

    What a page says is a stranger's text: it could as well name a service inside the network.
    """
    missing_status: Annotated[tuple[int, ...], Statuses()] = ()
    """
    Statuses that mean "no such project" as 404 and 410 do.

    None is guessed: where 403 means "not for you", the next index would be asked for the name.
    """
    proxy: Annotated[ProxyRules | None, ProxyChoice()] = None
    """How upstream is reached. None: as the environment says, where machines say it for every program."""
    allow_private: Annotated[bool, Flag()] = False
    """
    Other hosts than the upstream's own may have private addresses.

    An upstream on the internet has no reason to send us into our own network.
    """
    ca_file: Annotated[Path | None, OptionalFile()] = None
    """PEM file of the authorities to trust. None: those of the machine, as most want. Absolute once parsed."""
    client_certificate: Annotated[Path | None, OptionalFile()] = None
    """PEM file of the certificate to show to the upstream's own server. Few ask for one. Absolute once parsed."""
    client_key: Annotated[Path | None, OptionalFile()] = None
    """PEM file of its private key. None: the same file. Absolute once parsed."""
    ttl: Annotated[float, Duration(least=0)] = 600.0
    """Seconds for which a page is taken at its word: what PyPI itself allows caches (max-age)."""
    grace: Annotated[float, Duration(least=0)] = 600.0
    """Seconds more for which an old page is sent at once while a newer one is fetched behind it."""
    max_stale: Annotated[float, Ceiling()] = 7 * 86400.0
    """Seconds after which an old page is not sent even if upstream is down: an outage of a long week-end passes."""
    change_feed: Annotated[str, EndpointUrl()] = ""
    """URL of XML-RPC with `changelog_since_serial`, so that `ttl` may be hours; "" is none: few upstreams have one."""
    serve_quarantined: Annotated[bool, Flag()] = False
    """Whether files fetched earlier are sent though their project is in quarantine: it mostly means malware."""
    offline: Annotated[bool, Flag()] = False
    """Whether upstream is not asked."""
    connect_timeout: Annotated[float, Duration()] = 5.0
    """
    Seconds for each step of connecting: finding the address, connecting, a proxy's connecting, beginning TLS.

    A healthy upstream takes far less. The sum is limited by `header_timeout`.
    """
    header_timeout: Annotated[float, Duration()] = 10.0
    """Seconds to the end of an answer's head: below pip's 15 s, so that our error arrives before pip's."""
    idle_timeout: Annotated[float, Duration()] = 20.0
    """Seconds without a byte in an answer's body."""
    page_timeout: Annotated[float, Duration()] = 20.0
    """Seconds for one page as a whole: ends an upstream that drips."""
    file_timeout: Annotated[float, Duration()] = 3600.0
    """Seconds for one file as a whole: 3 GiB over 1 MB/s, yet a drip does not hold its readers for ever."""
    max_connections: Annotated[int, Count()] = 20
    """Requests that one host answers at a time, of pages and of files each: what one `uv` asks for at once."""
    user: Annotated[str, Word()] = ""
    """The user that the upstream knows us as, and no other host is told; "" is none."""
    password: Annotated[str, Word()] = field(default="", repr=False)
    token: Annotated[str, Word()] = field(default="", repr=False)
    """A bearer token, instead of user and password."""
    secret_file: Annotated[Path | None, OptionalFile()] = None
    """A file with the password where there is a user, and else with the token."""
    netrc: Annotated[Path | None, OptionalFile()] = None
    """A file in the format of netrc that has the upstream's host with user and password."""
    max_page: Annotated[int, Size()] = 64 * MIB
    """Bytes of one page, decompressed: a small compressed answer must not unfold without end."""
    upstream_project_list: Annotated[bool, Flag()] = False
    """Whether the project list has all of upstream's. PyPI's is 50 MB, and no installer asks for it."""
    max_file: Annotated[int, Size()] = 10 * GIB
    """Bytes of one file."""

    @property
    def allowed_hosts(self) -> tuple[str, ...]:
        """As `allow_hosts`, with the file host of the default upstream where this is that."""
        is_default = urlsplit(self.upstream).hostname == urlsplit(DEFAULT_UPSTREAM).hostname
        return (*self.allow_hosts, DEFAULT_FILE_HOST) if is_default else self.allow_hosts


@dataclass(frozen=True, kw_only=True)
class DirectoryConfig(AccessConfig):
    """An index of the files that somebody puts into directories."""

    directory: Annotated[tuple[Path, ...], Directories()]
    """Where they are, and below. Of two files of one name, that of the first directory counts. Absolute once parsed."""
    rescan: Annotated[float, Duration(least=1)] = 10.0
    """Seconds between two looks at all files: of 25,000 on a local disk each takes a quarter of a second."""


IndexConfig = HostedConfig | MirrorConfig | DirectoryConfig


@dataclass(frozen=True, kw_only=True)
class UsersConfig:
    """The table ``[users]``: who may sign in."""

    htpasswd: Annotated[Path, FilePath()] = Path("htpasswd")
    """The file of users and their passwords. Absolute once parsed; relative in the file: inside `data`."""
    group_file: Annotated[Path | None, OptionalFile()] = None
    """A file of groups as Apache has them. Absolute once parsed; relative in the file: inside `data`."""
    bcrypt_only: Annotated[bool, Flag()] = False
    """Whether no other hashes are checked: people have files with others, which still work, with a warning each."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """The whole configuration, checked."""

    server: ServerConfig
    indexes: Mapping[IndexName, IndexConfig]
    """In the order of the file; read-only."""
    users: UsersConfig
    groups: Groups = field(default_factory=dict)
    """Those of the table ``[groups]``; those of the group file are beside them."""
    publishers: Mapping[str, PublisherConfig] = field(default_factory=dict)
    """By name, in the order of the file; read-only."""
    source: str
    """Where it came from: a path, or "built-in defaults"."""

    @property
    def verifying(self) -> tuple[IndexName, ...]:
        """The indexes that take no attestations which have not been verified."""
        return tuple(
            name
            for name, index in self.indexes.items()
            if isinstance(index, HostedConfig) and (index.signers or index.attestations is not Attesting.CHECK)
        )

    @property
    def retention(self) -> Mapping[IndexName, Retention]:
        """Which releases go by themselves, for each hosted index."""
        return {name: index.retention for name, index in self.indexes.items() if isinstance(index, HostedConfig)}


BUILT_IN_INDEXES: Mapping[str, Mapping[str, object]] = {
    "pypi": {"upstream": DEFAULT_UPSTREAM},
    "main": {"bases": ["pypi"]},
}
"""The indexes of a configuration that names none, as tables."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One thing that can be set."""

    table: str
    """``server``, ``index`` (one table for each index) or ``users``."""
    key: str
    kind: Kind
    default: object
    """None where that is the default, or where there is none and the setting must be given."""


def _settings(table: str, model: type) -> tuple[Setting, ...]:
    kinds = get_type_hints(model, include_extras=True)
    return tuple(
        Setting(
            table=table,
            key=field.name,
            kind=kinds[field.name].__metadata__[0],
            default=None if field.default is MISSING else field.default,
        )
        for field in fields(model)
        if field.name in model.__annotations__  # what is inherited is every index's
    )


SERVER_SETTINGS = _settings("server", ServerConfig)
USERS_SETTINGS = _settings("users", UsersConfig)
ACCESS_SETTINGS = _settings("index", AccessConfig)
HOSTED_SETTINGS = _settings("index", HostedConfig)
MIRROR_SETTINGS = _settings("index", MirrorConfig)
DIRECTORY_SETTINGS = _settings("index", DirectoryConfig)
PUBLISHER_SETTINGS = _settings("publisher", PublisherConfig)
"""Of tables that only the file can have: no variable of the environment makes a publisher."""
ENABLED = Setting(table="index", key="enabled", kind=Flag(), default=True)
"""False takes an index out of service, also a built-in one."""

INDEX_SETTINGS = (ENABLED, *ACCESS_SETTINGS, *HOSTED_SETTINGS, *MIRROR_SETTINGS, *DIRECTORY_SETTINGS)

SETTINGS = (*SERVER_SETTINGS, *INDEX_SETTINGS, *USERS_SETTINGS)
"""Every setting there is: the file, the environment and the documentation are held to this list."""


def settings_of(table: str) -> dict[str, Setting]:
    """Return the settings that a table of this name may have, by key."""
    return {setting.key: setting for setting in (*SETTINGS, *PUBLISHER_SETTINGS) if setting.table == table}
