"""Which requests mean that upstream is to be asked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypid.domain.newest import wants_newest

UV = "uv/0.13.0"


@pytest.mark.parametrize(
    ("cache_control", "user_agent", "wanted"),
    [
        (None, None, False),
        ("no-cache", UV, True),
        ("max-stale=60, No-Cache", None, True),
        ("no-cache", 'pip/23.3 {"ci":null}', True),
        ("max-age=0", "Mozilla/5.0", True),
        ("max-age=0", None, True),
        ("max-age=0", 'pip/26.2 {"ci":null}', True),
        ("max-age=0", 'pip/26.1.3 {"ci":null}', False),
        ("max-age=0", "pip/9.0.1", False),
        ("max-age=0", "pip/unknown", True),
        ("max-age=600", UV, False),
        ("no-store", UV, False),
    ],
)
def test_a57_what_clients_say(cache_control: str | None, user_agent: str | None, wanted: bool) -> None:  # noqa: FBT001 (a parameter of the test)
    assert wants_newest(cache_control, user_agent) is wanted


@given(st.text(), st.text())
def test_any_text_is_taken(cache_control: str, user_agent: str) -> None:
    assert wants_newest(cache_control, user_agent) in {True, False}
