"""The file as tables of known settings, each value with the place it was written at."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from pypid.config.kinds import Kind, quote, read_text
from pypid.config.publishers import name_problem
from pypid.config.settings import ConfigError, settings_of
from pypid.domain.names import InvalidName, parse_index_name

Report = Callable[[str], None]
"""Takes one problem, complete with the place where it was found."""

_POSITION = re.compile(r" \(at line (\d+), column \d+\)$")
_END = re.compile(r" \(at end of document\)$")


@dataclass(frozen=True)
class Given:
    """A value that the user gave."""

    where: str
    """For messages: ``[server] listen``, or the name of an environment variable."""
    value: object
    plain: bool = False
    """The value is plain text, from the environment."""

    def read(self, kind: Kind) -> object:
        """Return the checked value; raises `BadValue`."""
        return read_text(kind, str(self.value)) if self.plain else kind.read(self.value)


Table = dict[str, Given]


@dataclass
class Tables:
    """What the user gave; only settings that exist."""

    server: Table = field(default_factory=dict)
    users: Table = field(default_factory=dict)
    groups: Table = field(default_factory=dict)
    """By the names of the groups, which are no settings."""
    indexes: dict[str, Table] = field(default_factory=dict)
    publishers: dict[str, Table] = field(default_factory=dict)


def read_tables(text: str, *, source: str, report: Report) -> Tables:
    """Return the tables of ``text``; raises `ConfigError` if it is no TOML, and reports all else."""
    tables = Tables()
    for name, content in _parse_toml(text, source).items():
        if name == "index":
            _read_indexes(tables, content, report)
        elif name == "groups":
            _read_groups(tables, content, report)
        elif name == "publisher":
            _read_publishers(tables, content, report)
        elif name in {"server", "users"}:
            table = _read_table(f"[{name}]", name, content, report)
            setattr(tables, name, table)
        elif isinstance(content, dict):
            near = did_you_mean(name, ["server", "users", "groups", "index.NAME", "publisher.NAME"], "[{}]")
            have = "(have: [server], [users], [groups], [index.NAME], [publisher.NAME])"
            report(f"[{quote_key(name)}]: no such table{near or f' {have}'}")
        else:
            homes = [f"[{table}] {name}" for table in ("server", "users") if name in settings_of(table)]
            hint = f" (did you mean {homes[0]}?)" if homes else ""
            report(f"{quote_key(name)}: no such setting outside a table{hint}")
    return tables


def did_you_mean(word: str, known: Iterable[str], form: str = "{}") -> str:
    """Return `` (did you mean ...?)`` with the nearest of the ``known`` words, or nothing."""
    spelling = {one.lower(): one for one in known}
    near = get_close_matches(word.lower().replace("-", "_"), spelling, n=1)
    return f" (did you mean {form.format(spelling[near[0]])}?)" if near else ""


def quote_key(key: str) -> str:
    """Return ``key`` as it may be written in TOML, harmless on a terminal."""
    return key if re.fullmatch(r"[A-Za-z0-9_-]{1,100}", key) else quote(key)


def _parse_toml(text: str, source: str) -> Mapping[str, object]:
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except RecursionError as e:
        raise ConfigError([f"{source}: lists or tables are nested too deeply"]) from e
    except ValueError as e:  # also plain ones, of dates and of endless integers
        what = str(e)
        position = _POSITION.search(what)
        line = position[1] if position else str(text.rstrip().count("\n") + 1)
        at = f"{source}:{line}" if position or _END.search(what) else source
        hint = _hint_for_line(text.split("\n")[int(line) - 1]) if position else ""
        raise ConfigError([f"{at}: {_END.sub('', _POSITION.sub('', what))}{hint}"]) from e


def _hint_for_line(line: str) -> str:
    """Return what may be meant by a line that is no TOML, where that is a matter of quotes."""
    index = re.match(r"\s*\[index\.([a-z0-9._-]+/[a-z0-9._-]+)\]", line)
    if index:
        return f' (did you mean [index."{index[1]}"]?)'
    return " (a text with a backslash stands in single quotes)" if "\\" in line else ""


def _read_indexes(tables: Tables, content: object, report: Report) -> None:
    if not isinstance(content, dict):
        report("index: expected one table for each index, such as [index.main]")
        return
    for name, table in content.items():
        header = f"[index.{name}]" if quote_key(name) == name else f"[index.{quote(name)}]"
        try:
            parse_index_name(name)
        except InvalidName as e:
            report(f"{header}: {e} (lower-case letters, digits and inner '.', '_', '-'; at most one '/')")
            continue
        tables.indexes[name] = _read_table(header, "index", table, report)


def _read_groups(tables: Tables, content: object, report: Report) -> None:
    if not isinstance(content, dict):
        report('groups: expected a table with a line for each group, such as payments = ["alice", "bob"]')
        return
    for name, users in content.items():
        where = f"[groups] {quote_key(name)}"
        if not name or name.split() != [name] or name.startswith("@"):
            report(f"{where}: no name of a group (a word without spaces; the @ stands only where a group is granted)")
        else:
            tables.groups[name] = Given(where, users)


def _read_publishers(tables: Tables, content: object, report: Report) -> None:
    if not isinstance(content, dict):
        report("publisher: expected one table for each publisher, such as [publisher.app]")
        return
    for name, table in content.items():
        header = f"[publisher.{quote_key(name)}]"
        problem = name_problem(name)
        if problem is not None:
            report(f"{header}: {problem}")
            continue
        tables.publishers[name] = _read_table(header, "publisher", table, report)


def _read_table(header: str, name: str, content: object, report: Report) -> Table:
    if not isinstance(content, dict):
        report(f"{header}: expected a table of settings, got {quote(content)}")
        return {}
    known = settings_of(name)
    table: Table = {}
    for key, value in content.items():
        if key in known:
            table[key] = Given(f"{header} {key}", value)
        else:
            report(f"{header} {quote_key(key)}: no such setting{_hint(header, name, key, value)}")
    return table


def _hint(header: str, table: str, key: str, value: object) -> str:
    if table == "index" and isinstance(value, dict):
        parent = header.removeprefix("[index.").removesuffix("]")
        return f' (a name with a slash or a dot is quoted: [index."{parent}/{key}"])'
    for other in ("server", "users", "index"):
        if key in settings_of(other):
            return f" (did you mean [{other}{'.NAME' if other == 'index' else ''}] {key}?)"
    return did_you_mean(key, settings_of(table))
