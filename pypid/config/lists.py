"""The kinds of lists that a setting can have, and how each is checked."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

from pypid.config.kinds import BadValue, BaseUrl, FilePath, index_name, quote
from pypid.config.listen import BadAddress, check_listen_address
from pypid.domain.names import IndexName
from pypid.domain.reach import check_pattern
from pypid.domain.trusted_proxies import UNIX, parse_network


@dataclass(frozen=True)
class Listed:
    """A kind whose value is a list of different texts; one text alone stands for a list of it."""

    def split(self, text: str) -> object:
        return [item.strip() for item in text.split(",")] if text.strip() else []


@dataclass(frozen=True)
class IndexReferences(Listed):
    def read(self, value: object) -> tuple[IndexName, ...]:
        texts = _texts(value, "names of indexes")
        _check_each(texts, index_name)
        return tuple(IndexName(text) for text in texts)


@dataclass(frozen=True)
class ListenAddresses(Listed):
    """At least one endpoint to listen on."""

    def read(self, value: object) -> tuple[str, ...]:
        addresses = _texts(value, "addresses such as 'tcp:8080'")
        if not addresses:
            raise BadValue("expected at least one address, such as 'tcp:8080'")
        _check_each(addresses, check_listen_address)
        return addresses


@dataclass(frozen=True)
class BaseUrls(Listed):
    def read(self, value: object) -> tuple[str, ...]:
        texts = _texts(value, "URLs")
        _check_each(texts, BaseUrl().read)
        return tuple(BaseUrl().read(text) for text in texts)


@dataclass(frozen=True)
class Directories(Listed):
    """At least one directory, none of them inside another one of them."""

    def read(self, value: object) -> tuple[Path, ...]:
        texts = _texts(value, "directories")
        if not texts:
            raise BadValue("expected at least one directory")
        _check_each(texts, FilePath().read)
        paths = tuple(Path(text) for text in texts)
        for inner, outer in permutations(paths, 2):
            if inner.is_relative_to(outer):
                raise BadValue(f"{quote(str(inner))} is inside {quote(str(outer))}, which is looked through whole")
        return paths


@dataclass(frozen=True)
class FilePaths(Listed):
    """The paths of files."""

    def read(self, value: object) -> tuple[Path, ...]:
        texts = _texts(value, "paths")
        _check_each(texts, FilePath().read)
        return tuple(FilePath().read(text) for text in texts)


@dataclass(frozen=True)
class HostPatterns(Listed):
    """Hosts, as `AllowedHosts` has them."""

    def read(self, value: object) -> tuple[str, ...]:
        texts = _texts(value, "hosts such as 'files.example'")
        _check_each(texts, _check_host_pattern)
        return texts


@dataclass(frozen=True)
class ProxyPeers(Listed):
    """Proxies, as `TrustedProxies` has them."""

    def read(self, value: object) -> tuple[str, ...]:
        texts = _texts(value, "addresses and networks such as '10.0.0.0/8'")
        _check_each(texts, _check_proxy_peer)
        return texts


def _check_proxy_peer(text: str) -> None:
    if text == UNIX:
        return
    try:
        parse_network(text)
    except ValueError as e:
        raise BadValue(str(e)) from e


@dataclass(frozen=True)
class Signers(Listed):
    """Patterns of who signs attestations."""

    def read(self, value: object) -> tuple[str, ...]:
        texts = _texts(value, "signers such as 'https://github.com/acme/*'")
        _check_each(texts, _check_signer)
        return texts


@dataclass(frozen=True)
class UserNames(Listed):
    """Names as an htpasswd file has them."""

    def read(self, value: object) -> tuple[str, ...]:
        names = _texts(value, "users")
        _check_each(names, _check_user_name)
        return names


def _check_user_name(text: str) -> None:
    if not text or ":" in text or not text.isprintable():
        raise BadValue(f"no user of an htpasswd file can be called {quote(text)}")


@dataclass(frozen=True)
class Statuses(Listed):
    """Statuses of HTTP that refuse."""

    def read(self, value: object) -> tuple[int, ...]:
        items = value if isinstance(value, list) else [value]
        return tuple(_status(item) for item in items)


def _status(value: object) -> int:
    status = int(value) if isinstance(value, str) and re.fullmatch("[0-9]{3}", value, re.ASCII) else value
    # Anything from 500 on, and 429, is an outage: that may never mean that there is no such project.
    if not isinstance(status, int) or isinstance(status, bool) or not 400 <= status < 500 or status == 429:
        raise BadValue(f"expected statuses from 400 to 499 other than 429, got {quote(value)}")
    return status


def _check_host_pattern(text: str) -> None:
    try:
        check_pattern(text)
    except ValueError as e:
        raise BadValue(f"expected hosts such as files.example, *.example or cdn.example:8443, got {quote(text)}") from e


def _check_signer(text: str) -> None:
    # A pattern that is neither would match nobody, or everybody.
    if not text.strip("*") or not set(text) & set(":@"):
        raise BadValue(f"expected signers such as https://github.com/acme/* or *@acme.example, got {quote(text)}")


def _texts(value: object, what: str) -> tuple[str, ...]:
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise BadValue(f"expected a list of {what}, got {quote(value)}")
    return tuple(items)


def _check_each(texts: tuple[str, ...], check: Callable[[str], object]) -> None:
    problems = [f"{quote(text)} is listed twice" for text in dict.fromkeys(texts) if texts.count(text) > 1]
    for text in dict.fromkeys(texts):
        try:
            check(text)
        except (BadValue, BadAddress) as e:
            problems.append(str(e))
    if problems:
        raise BadValue("; ".join(problems))
