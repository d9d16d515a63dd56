"""Names, lists and lock files on a command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from pypid.cli.warm_sources import BadSources, Sources
from tests.domain.locks import POETRY, UV


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def problems(*named: str) -> tuple[str, ...]:
    with pytest.raises(BadSources) as raised:
        Sources(named)
    return raised.value.problems


def test_names_and_files() -> None:
    Path("uv.lock").write_text(UV)
    Path("pylock.dev.toml").write_text(POETRY)  # what it is, the text says
    Path("list.in").write_text("other<3\n-e .")
    sources = Sources(["Demo[x]>=1", "uv.lock", "./pylock.dev.toml", "list.in"])
    assert [f"{one.asked_by}: {one}" for one in sources.wanted] == [
        "the command line: demo>=1",
        *(f"uv.lock: {package}" for package in ("devtool 1.0", "left 1.5", "root-thing 2.0")),
        *(f"pylock.dev.toml: {package}" for package in ("devtool 1.0", "left 1.5", "root-thing 2.0")),
        "list.in:1: other<3",
    ]
    assert sources.skipped == [
        "uv.lock: from-git is not from an index",
        "pylock.dev.toml: from-git is not from an index",
        "list.in:2: -e '.' is not from an index",
    ]


def test_includes_are_relative_to_their_file() -> None:
    """Each is read once, even if it includes itself; what a constraints file includes only constrains, too."""
    Path("a/b").mkdir(parents=True)
    Path("a/top.txt").write_text("-r b/more.txt\n-c limits.txt\ntop")
    Path("a/b/more.txt").write_text("-r ../top.txt\n-r more.txt\nmore")
    Path("a/limits.txt").write_text("top<2\n-r b/limits.txt")
    Path("a/b/limits.txt").write_text("deep==1")
    sources = Sources(["a/top.txt", "a/top.txt"])
    assert [str(one) for one in sources.wanted] == ["top", "more"]
    assert [str(one) for one in sources.constraints] == ["top<2", "deep==1"]
    assert sources.wanted[1].asked_by == "a/b/more.txt:3"


def test_every_problem_is_listed() -> None:
    Path("r.txt").write_text("demo\nbad one\n-r https://example.test/r.txt\n-r none.txt")
    Path("bytes.txt").write_bytes(b"caf\xe9")
    Path("dir.txt").mkdir()
    Path("pyproject.toml").write_text("[project]")
    named = ["r.txt", "bytes.txt", "dir.txt", "pyproject.toml", "x.lock", ".", "no such"]
    found = problems(*named)
    assert [line.partition(":")[0] for line in found[:-2]] == [
        *("r.txt", "r.txt", "none.txt", "bytes.txt", "dir.txt", "pyproject.toml", "x.lock")
    ]
    assert found[0].startswith("r.txt:2: 'bad one' is no requirement")
    assert found[1:5] == (
        "r.txt: https://example.test/r.txt is not on this machine",
        "none.txt: No such file or directory",
        "bytes.txt: not UTF-8 text",
        "dir.txt: Is a directory",
    )
    assert found[-2] == "'.' is neither a project nor a file that ends in .txt, .in, .toml, .lock"
    assert found[-1].startswith("'no such' is no requirement: ")
