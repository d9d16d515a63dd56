"""The kind of setting that says who may do something."""

from __future__ import annotations

from dataclasses import dataclass

from pypid.config.kinds import BadValue, quote
from pypid.config.lists import Listed
from pypid.domain.rights import Grant, GrantProblem, parse_grant


@dataclass(frozen=True)
class Grants(Listed):
    """Who, each perhaps with the projects that it is about: "alice", "@payments acme-pay-* !acme-pay-test"."""

    def read(self, value: object) -> tuple[Grant, ...]:
        items = [value] if isinstance(value, str) else value
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            raise BadValue(f'expected a list of who may, such as ["alice", "@payments acme-pay-*"], got {quote(value)}')
        grants: list[Grant] = []
        problems: list[str] = []
        for item in dict.fromkeys(items):
            try:
                grants.append(parse_grant(item))
            except GrantProblem as e:
                problems.append(f"{quote(item)}: {e}")
        if problems:
            raise BadValue("; ".join(problems))
        return tuple(grants)
