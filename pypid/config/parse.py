"""The text of pypid.conf and the environment, turned into a `Config` or into every problem at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pypid.config.bases import check_bases
from pypid.config.environment import overlay
from pypid.config.kinds import BadValue
from pypid.config.lists import UserNames
from pypid.config.publishers import PublisherConfig, publisher_problems
from pypid.config.settings import (
    ACCESS_SETTINGS,
    BUILT_IN_INDEXES,
    DIRECTORY_SETTINGS,
    ENABLED,
    FIND_LINKS,
    HOSTED_SETTINGS,
    MIRROR_SETTINGS,
    PUBLISHER_SETTINGS,
    SERVER_SETTINGS,
    USERS_SETTINGS,
    Config,
    ConfigError,
    DirectoryConfig,
    HostedConfig,
    IndexConfig,
    MirrorConfig,
    ServerConfig,
    Setting,
    UsersConfig,
)
from pypid.config.tables import Given, Table, Tables, quote_key, read_tables
from pypid.config.tls import absolute, tls_problems
from pypid.domain.groups import Groups
from pypid.domain.names import IndexName


def parse_config(
    text: str,
    environ: Mapping[str, str] = MappingProxyType({}),
    *,
    source: str = "pypid.conf",
    directory: Path = Path(),
) -> Config:
    """
    Return the configuration that ``text`` (TOML) and ``environ`` give.

    ``source`` is what messages call the text; a relative ``data``, and the
    path of a certificate or of packages, is inside ``directory``, which is itself relative
    to the working directory. Nothing is read or created. Raises `ConfigError`
    with every problem.
    """
    problems: list[str] = []
    tables = read_tables(text, source=source, report=problems.append)
    overlay(tables, environ, problems.append)
    reading = _Reading(problems, directory)
    server = ServerConfig(**reading.values(tables.server, SERVER_SETTINGS))
    users = UsersConfig(**reading.values(tables.users, USERS_SETTINGS))
    groups = reading.groups(tables.groups)
    indexes = reading.indexes(tables)
    publishers = reading.publishers(tables)
    if not reading.is_index(server.default_index):
        given = tables.server.get("default_index")
        where = given.where if given else "[server] default_index"
        problems.append(f"{where}: {reading.no_index(server.default_index)}")
    if not problems:  # else what does not fit may be what could not be read
        hosted = frozenset(name for name, index in indexes.items() if isinstance(index, HostedConfig))
        problems += publisher_problems(publishers, hosted)
        problems += tls_problems(server, lambda key: tables.server[key].where)
    if problems:
        raise ConfigError(problems)
    data = (directory / server.data).absolute()
    root = None if server.sigstore_root is None else (directory / server.sigstore_root).absolute()
    return Config(
        server=replace(
            server,
            data=data,
            sigstore_root=root,
            certificates=absolute(server.certificates, directory),
            private_keys=absolute(server.private_keys, directory),
            client_ca=(directory / server.client_ca).absolute() if server.client_ca else None,
        ),
        indexes=MappingProxyType(indexes),
        users=replace(
            users,
            htpasswd=data / users.htpasswd,
            group_file=None if users.group_file is None else data / users.group_file,
        ),
        groups=groups,
        publishers=MappingProxyType(publishers),
        source=source,
    )


_NOT_OF_A_MIRROR = {
    "bases": "an index has `upstream` or `bases`: give the mirror a name, and that to `bases`",
    "directory": "an index has `upstream` or `directory`: give each a name, and these to `bases` of a third",
    "rescan": "only an index with `directory` has this setting",
}
"""Why a mirror cannot have a setting of other indexes, where there is more to say than that it takes no uploads."""

_NOT_OF_FILES = {"bases": "an index has `directory` or `bases`: give the directory a name, and that to `bases`"}
"""The same of an index with `directory`."""


class _Reading:
    """Turns tables into values, collecting what is wrong."""

    def __init__(self, problems: list[str], directory: Path) -> None:
        self._problems = problems
        self._directory = directory
        self._names: list[str] = []
        self._disabled: list[str] = []

    def values(self, table: Table, settings: tuple[Setting, ...]) -> dict[str, Any]:
        """Return the good values among those of ``settings`` that ``table`` has."""
        values = {}
        for setting in settings:
            given = table.get(setting.key)
            if given is not None:
                try:
                    values[setting.key] = given.read(setting.kind)
                except BadValue as e:
                    self._problems.append(f"{given.where}: {e}")
        return values

    def groups(self, table: Table) -> Groups:
        """Return the groups of the table, whose keys are their names."""
        found: dict[str, frozenset[str]] = {}
        for name, given in table.items():
            try:
                found[name] = frozenset(UserNames().read(given.value))
            except BadValue as e:
                self._problems.append(f"{given.where}: {e}")
        return MappingProxyType(found)

    def indexes(self, tables: Tables) -> dict[IndexName, IndexConfig]:
        """Return those that are enabled; the built-in ones come after those that the file names."""
        enabled: dict[str, Table] = {}
        for name in dict.fromkeys([*tables.indexes, *BUILT_IN_INDEXES]):
            table = _with_built_in(name, tables.indexes.get(name, {}))
            if self.values(table, (ENABLED,)).get("enabled", True):
                enabled[name] = table
            else:
                self._disabled.append(name)
        self._names = list(enabled)
        indexes = {IndexName(name): self._index(table) for name, table in enabled.items()}
        bases = {name: index.bases for name, index in indexes.items() if isinstance(index, HostedConfig)}
        check_bases(
            bases,
            where=lambda name: enabled[name]["bases"].where,
            missing=lambda base: None if self.is_index(base) else self.no_index(base),
            report=self._problems.append,
        )
        return indexes

    def publishers(self, tables: Tables) -> dict[str, PublisherConfig]:
        """Return those of which everything is there that must be."""
        found: dict[str, PublisherConfig] = {}
        for name, table in tables.publishers.items():
            values = self.values(table, PUBLISHER_SETTINGS)
            for key in ("jwks", "ca_file"):
                if isinstance(values.get(key), Path):
                    values[key] = (self._directory / values[key]).absolute()
            missing = [key for key in ("issuer", "index", "projects") if key not in table]
            if missing:
                self._problems.append(f"[publisher.{name}]: {' and '.join(missing)} must be given")
            elif values.keys() >= table.keys():  # else what is bad has been reported
                found[name] = PublisherConfig(**values)
        return found

    def is_index(self, name: str) -> bool:
        return name in self._names

    def no_index(self, name: str) -> str:
        """Return the message for a reference to an index that is not there."""
        if name in self._disabled:
            return f"the index {name!r} is not enabled"
        return f"no index {name!r} (have: {', '.join(sorted(self._names)) or 'none'})"

    def _index(self, table: Table) -> IndexConfig:
        if "upstream" in table:
            return self._mirror(table)
        if "directory" in table:
            return self._files(table)
        self._refuse(table, MIRROR_SETTINGS, "only a mirror has this setting (an index with `upstream`)")
        self._refuse(table, DIRECTORY_SETTINGS, "only an index with `directory` has this setting")
        return HostedConfig(**self.values(table, (*ACCESS_SETTINGS, *HOSTED_SETTINGS)))

    def _mirror(self, table: Table) -> MirrorConfig:
        for setting in (*HOSTED_SETTINGS, *DIRECTORY_SETTINGS):
            self._refuse(table, (setting,), _NOT_OF_A_MIRROR.get(setting.key, "a mirror takes no uploads"))
        values = self.values(table, (*ACCESS_SETTINGS, *MIRROR_SETTINGS))
        for key, value in values.items():
            if isinstance(value, Path):
                values[key] = (self._directory / value).absolute()
        if values.get("layout") == FIND_LINKS and values.get("upstream_project_list"):
            where = table["upstream_project_list"].where
            self._problems.append(f'{where}: there is no list of projects where the layout is "{FIND_LINKS}"')
        # A bad upstream has been reported; the rest is still read, for its problems.
        return MirrorConfig(**{"upstream": "", **values})

    def _files(self, table: Table) -> DirectoryConfig:
        for setting in HOSTED_SETTINGS:
            self._refuse(table, (setting,), _NOT_OF_FILES.get(setting.key, "a directory takes no uploads"))
        self._refuse(table, MIRROR_SETTINGS, "only a mirror has this setting (an index with `upstream`)")
        values = self.values(table, (*ACCESS_SETTINGS, *DIRECTORY_SETTINGS))
        roots = tuple((self._directory / root).absolute() for root in values.get("directory", ()))
        return DirectoryConfig(**{**values, "directory": roots})

    def _refuse(self, table: Table, settings: tuple[Setting, ...], why: str) -> None:
        for setting in settings:
            if setting.key in table:
                self._problems.append(f"{table[setting.key].where}: {why}")


def _with_built_in(name: str, table: Table) -> Table:
    """Return the table with what the built-in index of that name has, unless it says what it is itself."""
    if table.keys() & {"upstream", "bases", "directory"}:
        return table
    built_in = BUILT_IN_INDEXES.get(name, {})
    return {key: Given(f"[index.{quote_key(name)}] {key} (built in)", value) for key, value in built_in.items()} | table
