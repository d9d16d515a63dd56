"""Rules for the claims of an identity token: who of all that an issuer vouches for is meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

Claims = Mapping[str, object]
"""What an issuer says, by name."""

Rules = Mapping[str, tuple[str, ...]]
"""For each claim the patterns of which one must match."""

GITHUB = "https://token.actions.githubusercontent.com"
GITLAB = "https://gitlab.com"

PRESETS: Mapping[str, str] = {"github": GITHUB, "gitlab": GITLAB}
"""Issuers that can be named by one word."""

MAX_CLAIM = 1000
"""Characters of a claim that is compared: the longest, a workflow's path with a branch, have some hundred."""

_PARTS = re.compile(r"\*{2,}|.", re.DOTALL)
_SEPARATORS = frozenset("/:")

_IDS_OF_GITHUB = frozenset({"repository_id", "repository_owner_id"})
_IDS_OF_GITLAB = frozenset({"project_id", "namespace_id"})

_IDENTIFYING: Mapping[str, frozenset[str]] = {
    GITHUB: _IDS_OF_GITHUB | {"repository", "repository_owner", "sub"},
    GITLAB: _IDS_OF_GITLAB | {"project_path", "namespace_path", "sub"},
}
"""
The claims that say whose it is.

Not ``job_workflow_ref`` (GitHub) nor ``ci_config_ref_uri`` (GitLab): a
workflow that is public can be used by every stranger's repository.
"""

_REREGISTERED: Mapping[str, frozenset[str]] = {GITHUB: _IDS_OF_GITHUB, GITLAB: _IDS_OF_GITLAB}
"""The claims that nobody gets by taking over a name that was given up."""

_OF_NOBODY = frozenset(
    {
        *("iss", "aud", "exp", "nbf", "iat", "jti", "azp", "ref", "ref_type", "ref_protected", "environment"),
        *("event_name", "runner_environment", "pipeline_source", "job_workflow_ref", "workflow", "workflow_ref"),
    }
)
"""The claims that whoever uses an issuer can have, of issuers that are not known here."""


def is_like(text: str, pattern: str) -> bool:
    """
    Return whether ``pattern`` matches all of ``text``; case counts.

    ``*`` is anything, and ``?`` one character, without ``/`` and ``:``, which
    part what different people may choose; ``**`` is anything at all. Takes
    time in proportion to the product of both lengths.

    >>> is_like("refs/tags/v1.0", "refs/tags/*")
    True
    >>> is_like("acme/app/fork", "acme/*")
    False
    """
    parts = _PARTS.findall(pattern)
    here = _past_stars({0}, parts)
    for character in text:
        here = _past_stars(set(_steps(here, parts, character)), parts)
        if not here:
            return False
    return len(parts) in here


def _steps(here: set[int], parts: list[str], character: str) -> Iterable[int]:
    for state in here:
        part = parts[state] if state < len(parts) else ""
        if part.startswith("**") or (part == "*" and character not in _SEPARATORS):
            yield state
        elif part == character or (part == "?" and character not in _SEPARATORS):
            yield state + 1


def _past_stars(states: set[int], parts: list[str]) -> set[int]:
    """Return ``states`` with those that are reached without a character, since a star may be nothing."""
    found = set(states)
    for state in states:
        ahead = state
        while ahead < len(parts) and parts[ahead].startswith("*"):
            ahead += 1
            found.add(ahead)
    return found


def unmet(rules: Rules, claims: Claims) -> str | None:
    """Return the first claim that ``rules`` name and that none of its patterns matches; None: all do."""
    for name, patterns in rules.items():
        texts = _texts(claims.get(name))
        if not any(is_like(text, pattern) for text in texts for pattern in patterns):
            return name
    return None


def _texts(value: object) -> list[str]:
    """Return what a claim says, as rules write it; a list says each of its items."""
    items = value if isinstance(value, list) else [value]
    texts = [str(item).lower() if isinstance(item, bool) else str(item) for item in items if _is_plain(item)]
    return [text for text in texts if len(text) <= MAX_CLAIM]


def _is_plain(item: object) -> bool:
    # An integer of thousands of digits has no text at all.
    return isinstance(item, str | bool) or (isinstance(item, int) and abs(item) < 2**63)


def rule_problems(issuer: str, rules: Rules) -> list[str]:
    """Return why nobody in particular is meant by ``rules``, in sentences."""
    problems = [
        f"{name}: an id is written out, without '*' and '?'"
        for name, patterns in rules.items()
        if name.endswith("_id") and any(_is_wild(pattern) for pattern in patterns)
    ]
    if not any(_identifies(issuer, name) and _are_owned(patterns) for name, patterns in rules.items()):
        known = _IDENTIFYING.get(issuer)
        names = ", ".join(sorted(known)) if known else "sub"
        problems.append(
            f"they would let in everybody whom {issuer} vouches for: one of them must say whose it is "
            f"({names}), without '*' or '?' before the first '/'"
        )
    return problems


def _identifies(issuer: str, name: str) -> bool:
    known = _IDENTIFYING.get(issuer)
    return name in known if known is not None else name not in _OF_NOBODY


def _are_owned(patterns: tuple[str, ...]) -> bool:
    """Return whether what each matches is somebody's: where the owner stands, a wildcard would be a stranger's name."""
    owners = [pattern.partition("/")[0] for pattern in patterns]
    return bool(owners) and all(owner and not _is_wild(owner) for owner in owners)


def _is_wild(pattern: str) -> bool:
    return "*" in pattern or "?" in pattern


def rule_warnings(issuer: str, rules: Rules) -> list[str]:
    """Return what an operator should know of ``rules`` that are possible, in sentences."""
    ids = _REREGISTERED.get(issuer)
    if ids is None or ids & rules.keys():
        return []
    names = " or ".join(sorted(ids))
    return [f"whoever takes over the name once its owner has given it up may publish: a rule for {names} prevents it"]
