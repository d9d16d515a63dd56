"""By what the rest of a file may be asked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypid.domain.validators import strong_validator

MODIFIED = "Thu, 01 Jan 2026 00:00:00 GMT"
LATER = "Thu, 01 Jan 2026 00:01:00 GMT"
SOON = "Thu, 01 Jan 2026 00:00:59 GMT"


@pytest.mark.parametrize(
    ("etag", "last_modified", "date", "validator"),
    [
        pytest.param('"abc"', None, None, '"abc"', id="strong tag"),
        pytest.param('"abc"', MODIFIED, LATER, '"abc"', id="a tag goes before a time"),
        pytest.param('W/"abc"', MODIFIED, LATER, None, id="weak: the server says that bytes may differ"),
        pytest.param("abc", None, None, None, id="no tag"),
        pytest.param('"a"b"', None, None, None, id="two tags or none"),
        pytest.param('"a\r\nX: y"', None, None, None, id="another header in it"),
        pytest.param("", MODIFIED, LATER, None, id="empty"),
        pytest.param(None, MODIFIED, LATER, MODIFIED, id="unchanged for a minute"),
        pytest.param(None, MODIFIED, SOON, None, id="changed just now"),
        pytest.param(None, LATER, MODIFIED, None, id="changed in the future"),
        pytest.param(None, MODIFIED, None, None, id="no date to tell"),
        pytest.param(None, None, LATER, None, id="nothing"),
        pytest.param(None, "2026-01-01", LATER, None, id="no time"),
        pytest.param(None, "Thu, 01 Jan 99999999999999999999 00:00:00 GMT", LATER, None, id="the end of time"),
        pytest.param(None, "Thu, 01 Jan 2026 00:00:00 -0000", LATER, "Thu, 01 Jan 2026 00:00:00 -0000", id="zoneless"),
    ],
)
def test_validator(etag: str | None, last_modified: str | None, date: str | None, validator: str | None) -> None:
    assert strong_validator(etag, last_modified, date) == validator


@given(*[st.none() | st.text() | st.sampled_from([MODIFIED, LATER])] * 3)
def test_headers_of_strangers(etag: str | None, last_modified: str | None, date: str | None) -> None:
    assert strong_validator(etag, last_modified, date) in {None, etag, last_modified}
