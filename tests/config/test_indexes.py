"""Indexes: the built-in ones, what a file makes of them, and which may stand on which."""

from __future__ import annotations

import string
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypid.config import ConfigError, HostedConfig, IndexConfig, MirrorConfig, parse_config
from pypid.domain.names import IndexName
from pypid.domain.validation.findings import Level
from tests.config.problems import problems_of

PYPI = parse_config("").indexes[IndexName("pypi")]
MAIN = HostedConfig(bases=(IndexName("pypi"),))


def indexes_of(text: str) -> dict[str, IndexConfig]:
    return {str(name): index for name, index in parse_config(text).indexes.items()}


def test_without_a_table_there_are_two() -> None:
    assert isinstance(PYPI, MirrorConfig)
    assert indexes_of("") == {"pypi": PYPI, "main": MAIN}


def test_a_table_of_a_built_in_index_changes_what_it_mentions() -> None:
    changed = indexes_of("[index.pypi]\nttl = 60")
    assert changed == {"pypi": MirrorConfig(upstream=PYPI.upstream, ttl=60), "main": MAIN}  # type: ignore[union-attr]


def test_a_table_that_says_what_the_index_is_leaves_nothing_built_in() -> None:
    swapped = indexes_of("[index.main]\nupstream = 'http://x/'\n[index.pypi]\nbases = []")
    assert swapped == {"main": MirrorConfig(upstream="http://x/"), "pypi": HostedConfig()}


def test_another_table_adds_an_index() -> None:
    """In the order of the file; the built-in ones that it does not name come last."""
    text = "[index.dev]\nbases = ['main']\n[index.main]\n[index.other]\nupstream = 'http://x'"
    assert list(indexes_of(text).items()) == [
        ("dev", HostedConfig(bases=(IndexName("main"),))),
        ("main", MAIN),
        ("other", MirrorConfig(upstream="http://x/")),
        ("pypi", PYPI),
    ]


def test_an_index_can_be_taken_out_of_service() -> None:
    assert indexes_of("[index.pypi]\nenabled = false\n[index.main]\nbases = []") == {"main": HostedConfig()}
    assert problems_of("[index.pypi]\nenabled = false") == (
        "[index.main] bases (built in): the index 'pypi' is not enabled",
    )
    assert problems_of("[index.main]\nenabled = false") == ("[server] default_index: the index 'main' is not enabled",)


def test_mirror_and_hosted_do_not_mix() -> None:
    (both,) = problems_of("[index.x]\nupstream = 'http://x/'\nbases = ['pypi']")
    assert both.startswith("[index.x] bases: an index has `upstream` or `bases`")
    (hosted,) = problems_of("[index.x]\nttl = 60")
    assert hosted == "[index.x] ttl: only a mirror has this setting (an index with `upstream`)"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[index.a]\nbases = ['a']", "[index.a] bases: an index cannot be its own base"),
        ("[index.a]\nbases = ['pypi', 'pypi']", "[index.a] bases: 'pypi' is listed twice"),
        ("[index.a]\nbases = [1]", "[index.a] bases: expected a list of names of indexes, got [1]"),
        ("[index.a]\nbases = ['A']", "[index.a] bases: not an index name: 'A'"),
        ("[index.main]\nbases = ['a']\n[index.a]\nbases = 'main'", "the bases run in a circle: "),
    ],
)
def test_bases_that_cannot_be(text: str, problem: str) -> None:
    (found,) = problems_of(text)
    assert problem in found


def test_every_circle_is_told() -> None:
    """Whoever repairs the first is not told about a second by the next start."""
    pairs = "[index.a]\nbases='b'\n[index.b]\nbases='a'\n[index.c]\nbases='d'\n[index.d]\nbases='c'"
    assert len(problems_of(pairs)) == 2


def test_each_index_for_uploads_has_a_level_of_validation() -> None:
    levels = indexes_of("[index.main]\nvalidation = 'strict'\n[index.dev]")
    assert [levels[name].validation for name in ("main", "dev")] == [Level.STRICT, Level.STANDARD]  # type: ignore[union-attr]
    assert problems_of("[index.main]\nvalidation = 'Strict'\n[index.pypi]\nvalidation = 'strict'") == (
        "[index.main] validation: expected one of 'strict', 'standard', 'lenient', got 'Strict'",
        "[index.pypi] validation: a mirror takes no uploads",
    )
    by_environment = parse_config("", {"PYPID_INDEX__MAIN__VALIDATION": "lenient"}).indexes[IndexName("main")]
    assert by_environment == replace(MAIN, validation=Level.LENIENT)


def has_cycle(graph: dict[str, list[str]]) -> bool:
    """By walking: an independent answer."""

    def walk(name: str, path: tuple[str, ...]) -> bool:
        return name in path or any(walk(base, (*path, name)) for base in graph[name])

    return any(walk(name, ()) for name in graph)


@given(
    st.dictionaries(
        st.sampled_from(string.ascii_lowercase[:5]), st.lists(st.sampled_from("abcde"), unique=True, max_size=3)
    )
)
def test_bases_are_refused_exactly_if_they_run_in_a_circle(bases: dict[str, list[str]]) -> None:
    graph = {name: bases.get(name, []) for name in "abcde"}
    text = "\n".join(f"[index.{name}]\nbases = {names}" for name, names in graph.items())
    try:
        parse_config(text)
    except ConfigError:
        assert has_cycle(graph)
    else:
        assert not has_cycle(graph)
