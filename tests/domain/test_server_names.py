"""Which certificate is for which name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypid.domain.server_names import certificate_for

SERVED = [("first.test", "192.0.2.1"), ("*.b.test", "b.test"), ("a.b.test",), ("*.test",)]


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("first.test", 0),
        ("FIRST.test.", 0),
        ("b.test", 1),
        ("x.b.test", 1),
        ("a.b.test", 2),
        ("c.test", 3),
        (None, 0),
        ("", 0),
        ("test", 0),
        ("y.x.b.test", 0),
        ("*.b.test", 1),
        (".test", 3),
    ],
)
def test_choice(name: str | None, number: int) -> None:
    """The very name before a wildcard, whatever their order; a wildcard is for one label; the first for all else."""
    assert certificate_for(name, SERVED) == number


@given(st.none() | st.text(), st.lists(st.lists(st.text(alphabet="ab.*"), max_size=3), min_size=1, max_size=4))
def test_there_is_always_one(name: str | None, served: list[list[str]]) -> None:
    assert 0 <= certificate_for(name, served) < len(served)
