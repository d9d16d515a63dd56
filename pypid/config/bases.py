"""Which index has which for a base: only existing ones, and never in a circle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from graphlib import CycleError, TopologicalSorter

from pypid.domain.names import IndexName


def check_bases(
    bases: Mapping[IndexName, tuple[IndexName, ...]],
    *,
    where: Callable[[IndexName], str],
    missing: Callable[[IndexName], str | None],
    report: Callable[[str], None],
) -> None:
    """
    Report every base that cannot be one.

    ``where`` says where the bases of an index were given (asked only for one
    that has any); ``missing`` says what is wrong with a base that is not
    there, and None of one that is.
    """
    graph: dict[IndexName, set[IndexName]] = {}
    for name, names in bases.items():
        graph[name] = set(names) - {name}
        if name in names:
            report(f"{where(name)}: an index cannot be its own base")
        for base in names:
            problem = missing(base)
            if problem is not None:
                report(f"{where(name)}: {problem}")
    for cycle in _cycles(graph):
        report(f"{where(cycle[0])}: the bases run in a circle: {' -> '.join(cycle)}")


def _cycles(graph: dict[IndexName, set[IndexName]]) -> list[list[IndexName]]:
    """Return enough cycles that cutting each once leaves none; each from an index to its base, and so on."""
    found = []
    while True:
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as e:
            cycle: list[IndexName] = e.args[1][::-1]
            found.append(cycle)
            graph[cycle[0]].discard(cycle[1])
        else:
            return found
