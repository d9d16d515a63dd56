"""Settings given by environment variables: ``PYPID_SERVER__LISTEN``, ``PYPID_INDEX__PYPI__UPSTREAM``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from pypid.config.settings import BUILT_IN_INDEXES, settings_of
from pypid.config.tables import Given, Report, Tables, did_you_mean

PREFIX = "PYPID_"

CONFIG_VARIABLE = "PYPID_CONFIG"
"""The path of the file, where no option gives one."""

NOT_SETTINGS = frozenset({CONFIG_VARIABLE, "PYPID_FAILPOINTS", "PYPID_PASSWORD"})
"""
Variables with the prefix that are no settings.

PYPID_FAILPOINTS is for pypid's own tests, PYPID_PASSWORD for its commands that sign in.
"""

_SERVICE_LINK = re.compile(r"PYPID_(SERVICE_(HOST|PORT(_\w+)?)|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)", re.ASCII)
"""What Kubernetes tells every container of a service that is called ``pypid``; PYPID_PORT is among it, too."""


class Target(NamedTuple):
    """The setting that a variable stands for."""

    table: str
    index_name: str
    """Empty unless ``table`` is ``index``."""
    key: str


def overlay(tables: Tables, environ: Mapping[str, str], report: Report) -> None:
    """Put what ``environ`` gives over what ``tables`` have, and report the variables that mean nothing."""
    indexes = list(dict.fromkeys([*tables.indexes, *BUILT_IN_INDEXES]))
    targets = _targets(indexes)
    for variable in sorted(environ):
        name = variable.upper()
        if not name.startswith(PREFIX) or name in NOT_SETTINGS or _is_service_link(name, environ[variable]):
            continue
        match targets.get(name, []):
            case [target]:
                given = Given(variable, environ[variable], plain=True)
                _table(tables, target)[target.key] = given
            case []:
                report(f"{variable}: {_unknown(name, targets, indexes)}")
            case several:
                names = " and ".join(repr(target.index_name) for target in several)
                report(f"{variable}: could mean the indexes {names}: use the file for these")


def _is_service_link(name: str, value: str) -> bool:
    # A user who means the port to listen on writes a number, and is told that there is no such setting.
    return bool(_SERVICE_LINK.fullmatch(name)) or (name == "PYPID_PORT" and "://" in value)


def _targets(indexes: Iterable[str]) -> dict[str, list[Target]]:
    found: dict[str, list[Target]] = {}
    for table in ("server", "users"):
        for key in settings_of(table):
            found.setdefault(f"{PREFIX}{table}__{key}".upper(), []).append(Target(table, "", key))
    for index in indexes:
        for key in settings_of("index"):
            variable = f"{PREFIX}INDEX__{_fold(index)}__{key}".upper()
            found.setdefault(variable, []).append(Target("index", index, key))
    return found


def _fold(index: str) -> str:
    """Return the name as it is spelled in a variable, which can have letters, digits and ``_`` only."""
    return re.sub(r"[^A-Za-z0-9]", "_", index)


def _table(tables: Tables, target: Target) -> dict[str, Given]:
    if target.table == "index":
        return tables.indexes.setdefault(target.index_name, {})
    return tables.server if target.table == "server" else tables.users


def _unknown(variable: str, targets: Mapping[str, list[Target]], indexes: Iterable[str]) -> str:
    table, _, rest = variable.removeprefix(PREFIX).partition("__")
    name, _, key = rest.rpartition("__")
    have = {_fold(index).lower() for index in indexes}
    if table == "INDEX" and key.lower() in settings_of("index") and name.lower() not in have:
        return (
            f"no index {name.lower()!r} (have: {', '.join(sorted(indexes))}); "
            "a new index is made in the file, the environment can only change one"
        )
    near = did_you_mean(variable, targets)
    return f"no such setting{near or f' (form: {PREFIX}TABLE__SETTING, {PREFIX}INDEX__NAME__SETTING)'}"
