"""Which files are fetched to their end for nobody."""

from __future__ import annotations

import pytest

from pypid.domain.abandoned import FINISHED_IF_LEFT, is_worth_finishing

MIB = 2**20


@pytest.mark.parametrize(
    ("came", "size", "worth"),
    [
        (0, 1000, True),
        (0, FINISHED_IF_LEFT, True),
        (0, FINISHED_IF_LEFT + 1, False),
        (1, FINISHED_IF_LEFT + 1, True),
        (499 * MIB, 2000 * MIB, False),
        (500 * MIB, 2000 * MIB, True),
        (1999 * MIB, 2000 * MIB, True),
        (0, 0, True),
        (2000 * MIB, None, False),
    ],
)
def test_worth(came: int, size: int | None, worth: bool) -> None:  # noqa: FBT001
    assert is_worth_finishing(came, size) == worth
