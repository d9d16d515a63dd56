"""Mirrors that ask each other in a circle: what they tell each other of it."""

from __future__ import annotations

from contextvars import copy_context

import pytest

from pypid.domain.circle import MAX_MIRRORS, check_circle, passed, read_marks, render_marks
from pypid.domain.errors import MirrorLoop

MARKS = tuple(f"pypid-{number:016x}" for number in range(MAX_MIRRORS + 2))


def asked_by_way_of(*marks: str, by: str) -> str:
    """Return what the mirror ``by`` says when it asks in turn."""

    def ask() -> str:
        passed.set(marks)
        check_circle(by)
        return render_marks(by)

    return copy_context().run(ask)


@pytest.mark.parametrize(
    ("header", "marks"),
    [
        (None, ()),
        ("", ()),
        ("cdn.example, other; v=1", ()),
        (MARKS[0], MARKS[:1]),
        (f"cdn.example; v=1, {MARKS[0]},{MARKS[1]}", MARKS[:2]),
        (f"not-{MARKS[0]}, {MARKS[0]}0, {MARKS[0].upper()}", ()),
        (", ".join(MARKS * 1000), MARKS[: MAX_MIRRORS + 1]),
    ],
)
def test_only_marks_of_mirrors_are_read(header: str | None, marks: tuple[str, ...]) -> None:
    assert read_marks(header) == marks


def test_a58_each_mirror_is_told_of_all_before_it() -> None:
    said = asked_by_way_of(*MARKS[:2], by=MARKS[2])
    assert read_marks(said) == MARKS[:3]


def test_a58_a_question_that_comes_back_is_refused() -> None:
    for number in range(2):
        with pytest.raises(MirrorLoop, match="circle"):
            asked_by_way_of(*MARKS[:2], by=MARKS[number])


def test_a58_so_many_mirrors_in_a_row_and_no_more() -> None:
    asked_by_way_of(*MARKS[: MAX_MIRRORS - 1], by=MARKS[-1])
    with pytest.raises(MirrorLoop, match=str(MAX_MIRRORS)):
        asked_by_way_of(*MARKS[:MAX_MIRRORS], by=MARKS[-1])
