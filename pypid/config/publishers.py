"""The tables ``[publisher.NAME]``: who may upload without a password, as trusted publishers do on PyPI."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pypid.config.kinds import BadValue, BaseUrl, FilePath, IndexReference, OptionalFile, Plain, Word, quote
from pypid.config.lists import Listed
from pypid.domain.claim_rules import PRESETS, Rules, rule_problems
from pypid.domain.names import IndexName
from pypid.domain.rights import GrantProblem, project_pattern

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?", re.ASCII)


@dataclass(frozen=True)
class IssuerUrl(Plain):
    """The URL of an issuer of identity tokens, exactly as they have it, or a word that stands for one."""

    def read(self, value: object) -> str:
        if isinstance(value, str) and value in PRESETS:
            return PRESETS[value]
        _check_https(value, f"({' or '.join(map(quote, PRESETS))} are known by name)")
        return str(value)


@dataclass(frozen=True)
class Audience(Word):
    """A word for whom identity tokens are made."""

    def read(self, value: object) -> str:
        if value == "":
            raise BadValue("expected a word, or the name of this server")
        return super().read(value)


@dataclass(frozen=True)
class KeySource(Plain):
    """Where an issuer's keys are: a URL, the path of a file, or "" where the issuer says it itself."""

    def read(self, value: object) -> str | Path | None:
        if value == "":
            return None
        if isinstance(value, str) and "://" in value:
            _check_https(value, "or a path")
            return value
        return FilePath().read(value)


def _check_https(value: object, otherwise: str) -> None:
    try:
        BaseUrl().read(value)
    except BadValue as e:
        raise BadValue(f"{e} {otherwise}") from e
    if urlsplit(str(value)).scheme != "https":
        raise BadValue(f"expected a URL that begins with https://, got {quote(value)}: else anybody could be it")


@dataclass(frozen=True)
class ProjectPatterns(Listed):
    """Projects, with ``*`` and ``?`` in their names."""

    def read(self, value: object) -> tuple[str, ...]:
        items = [value] if isinstance(value, str) else value
        if not isinstance(items, list) or not items or not all(isinstance(item, str) for item in items):
            raise BadValue(f'expected a list of projects such as ["app", "app-*"], got {quote(value)}')
        try:
            return tuple(dict.fromkeys(project_pattern(item) for item in items))
        except GrantProblem as e:
            raise BadValue(str(e)) from e


@dataclass(frozen=True)
class ClaimRules(Plain):
    """A table of claims, each with a pattern or a list of them."""

    def read(self, value: object) -> Rules:
        if not isinstance(value, dict):
            raise BadValue(f'expected a table such as {{ repository = "acme/app" }}, got {quote(value)}')
        return {str(name): self._patterns(str(name), patterns) for name, patterns in value.items()}

    def _patterns(self, name: str, value: object) -> tuple[str, ...]:
        items = value if isinstance(value, list) else [value]
        if not items or not all(isinstance(item, str | int) for item in items):
            raise BadValue(f"{quote(name)}: expected a text, or a list of texts, got {quote(value)}")
        # An id is a number to who writes it, and a text to most issuers.
        return tuple(str(item).lower() if isinstance(item, bool) else str(item) for item in items)


@dataclass(frozen=True, kw_only=True)
class PublisherConfig:
    """Whoever an issuer says such things of may upload these projects."""

    issuer: Annotated[str, IssuerUrl()]
    """As the identity tokens have it; "github" and "gitlab" stand for GitHub Actions and GitLab.com."""
    index: Annotated[IndexName, IndexReference()]
    """The index that is uploaded to."""
    projects: Annotated[tuple[str, ...], ProjectPatterns()]
    """Patterns of project names: what a workflow may upload is said, never everything by default."""
    claims: Annotated[Rules, ClaimRules()] = field(default_factory=dict)
    """What the token must say, all of it; the claims say at least whose it is."""
    jwks: Annotated[str | Path | None, KeySource()] = None
    """URL or file of the issuer's keys. None: where the issuer says that they are. A file is absolute once parsed."""
    ca_file: Annotated[Path | None, OptionalFile()] = None
    """PEM file of the authorities to trust for the issuer. None: the machine's. Absolute once parsed."""


def name_problem(name: str) -> str | None:
    """Return why no publisher can be called so."""
    if _NAME.fullmatch(name):
        return None
    return "not a publisher's name (up to 64 lower-case letters, digits and inner '_', '-')"


def publisher_problems(publishers: Mapping[str, PublisherConfig], hosted: frozenset[IndexName]) -> Iterator[str]:
    """Yield what is wrong with ``publishers`` as a whole, with the place; ``hosted``: indexes that take uploads."""
    first: dict[str, str] = {}
    for name, publisher in publishers.items():
        if publisher.index not in hosted:
            yield f"[publisher.{name}] index: no index {publisher.index!r} that takes uploads"
        for problem in rule_problems(publisher.issuer, publisher.claims):
            yield f"[publisher.{name}] claims: {problem}"
        other = publishers[first.setdefault(publisher.issuer, name)]
        if (other.jwks, other.ca_file) != (publisher.jwks, publisher.ca_file):
            same = first[publisher.issuer]
            yield f"[publisher.{name}]: jwks or ca_file is not that of [publisher.{same}], which has the same issuer"
