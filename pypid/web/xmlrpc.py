"""XML-RPC as PyPI has it: as much as `pip search` and bandersnatch need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pypid.domain.search import Hit, Query
from pypid.domain.xml_rpc import (
    UNKNOWN_METHOD,
    WRONG_PARAMETERS,
    Call,
    Fault,
    read_call,
    render_answer,
    render_fault,
)
from pypid.indexes.index import Index
from pypid.offload import Offload
from pypid.web.request import Request
from pypid.web.short_body import read_short

MAX_CALL = 64 * 1024
"""Bytes of a call; a search for a word has 500."""

MAX_TERMS = 100
"""Words in one search. Each is looked for in every project."""

METHODS = ("search", "list_packages_with_serial", "changelog_since_serial", "system.listMethods")
FIELDS = ("name", "summary")

_TYPES = frozenset({"text/xml", "application/xml"})


def is_call(request: Request) -> bool:
    """Say whether a POST, by its Content-Type, is no upload but a call."""
    return (request.header("Content-Type") or "").partition(";")[0].strip().lower() in _TYPES


class XmlRpc:
    """Answers calls."""

    def __init__(self, render: Offload) -> None:
        """``render``: where answers are written, as many projects make a long one: 10,000 changes take 35 ms."""
        self._render = render

    async def answer(self, request: Request, index: Index) -> bytes:
        """Answer the call that ``request`` brings. Faults are answers too, of status 200."""
        body = await read_short(request.body, limit=MAX_CALL)
        try:
            content = await self._render(render_answer, await _call(index, read_call(body)))
        except Fault as e:
            content = render_fault(e)
        request.setHeader(b"Content-Type", b"text/xml; charset=utf-8")
        request.setHeader(b"X-Content-Type-Options", b"nosniff")
        request.setHeader(b"Cache-Control", b"no-store")
        request.setHeader(b"Content-Length", str(len(content)).encode())
        return content


async def _call(index: Index, call: Call) -> Any:
    match call.method:
        case "search":
            return [_to_wire(hit) for hit in await index.search(_query(call.parameters))]
        case "list_packages_with_serial":
            return {change.project: change.serial for change in await index.hosted_changes()}
        case "changelog_since_serial":
            return await _changes(index, call.parameters)
        case "system.listMethods":
            return list(METHODS)
    raise Fault(UNKNOWN_METHOD, f"there is no method {call.method[:100]}; there are: {', '.join(METHODS)}")


async def _changes(index: Index, parameters: Sequence[Any]) -> list[tuple[str, None, int, str, int]]:
    """Return the last change of each uploaded project: name, version, time, action and serial, in PyPI's order."""
    match parameters:
        case (int() as since,):
            changes = await index.hosted_changes()
        case _:
            raise Fault(WRONG_PARAMETERS, "changelog_since_serial takes a serial")
    return [
        (change.project, None, int(change.time.timestamp()), "change", change.serial)
        for change in changes
        if change.serial > since
    ]


def _query(parameters: Sequence[Any]) -> Query:
    """Return what ``search({"name": ..., "summary": ...}, "and")`` looks for; "and" is what PyPI took for granted."""
    match parameters:
        case (dict() as fields,):
            operator = "and"
        case (dict() as fields, "and" | "or" as operator):
            pass
        case _:
            raise Fault(WRONG_PARAMETERS, "search takes a struct of what is looked for, and then 'and' or 'or'")
    unknown = [field for field in fields if field not in FIELDS]
    if unknown:
        raise Fault(WRONG_PARAMETERS, f"search knows {' and '.join(FIELDS)}, not {str(unknown[0])[:100]}")
    names, summaries = (list(_terms(fields.get(field, []))) for field in FIELDS)
    if len(names) + len(summaries) > MAX_TERMS:
        raise Fault(WRONG_PARAMETERS, f"search takes no more than {MAX_TERMS} words")
    return Query(names=names, summaries=summaries, both=operator == "and")


def _terms(value: object) -> Iterator[str]:
    for term in value if isinstance(value, list) else [value]:
        if not isinstance(term, str):
            raise Fault(WRONG_PARAMETERS, "search looks for strings, or lists of them")
        yield term


def _to_wire(hit: Hit) -> dict[str, Any]:
    return {"name": hit.project, "summary": hit.summary, "version": hit.version, "_pypi_ordering": False}
