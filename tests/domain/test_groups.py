"""Apache's group files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypid.domain.groups import groups_of, read_group_file, united, unknown_groups

FILE = "\ufeff# teams\r\npayments: alice bob\r\n\r\nops:carol\r\npayments: dave\r\nempty:\r\n"


def test_read() -> None:
    read = read_group_file(FILE)
    assert read.problems == ()
    assert read.groups == {
        "payments": frozenset({"alice", "bob", "dave"}),
        "ops": frozenset({"carol"}),
        "empty": frozenset(),
    }


@pytest.mark.parametrize("line", ["alice bob", ": alice", "two words: alice", "x" * 70_000 + ": alice"])
def test_line_that_says_nothing_is_told_and_passed_over(line: str) -> None:
    read = read_group_file(f"ops: carol\n{line}\nmore: dave")
    assert set(read.groups) == {"ops", "more"}
    (problem,) = read.problems
    assert problem.startswith("line 2: expected")
    assert len(problem) < 300


def test_groups_of_a_user_from_both_places() -> None:
    groups = united([read_group_file(FILE).groups, {"payments": frozenset({"erin"}), "new": frozenset({"alice"})}])
    assert groups_of("alice", groups) == {"payments", "new"}
    assert groups_of("erin", groups) == {"payments"}
    assert groups_of("nobody", groups) == frozenset()
    assert unknown_groups(["ops", "opps", "opps"], groups) == ["opps"]


@given(st.text())
def test_any_text(text: str) -> None:
    read = read_group_file(text)
    assert all(name and not name.isspace() for name in read.groups)
