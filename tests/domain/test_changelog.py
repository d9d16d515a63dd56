"""What a change feed says, read from strangers."""

from __future__ import annotations

import contextlib
import xmlrpc.client
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypid.domain.changelog import InvalidChangelog, read_changes, read_last_serial
from pypid.domain.xml_rpc import Fault, read_call, render_answer, render_call, render_fault

ROW = ["Demo.Project", "1.0", 1_800_000_000, "new release", 7]


def test_last_serial_of_each_project_counts() -> None:
    rows = [ROW, ["demo_project", None, 1, "yank", 9], ["other", None, 1, "create", 8], ["demo-project", "", 1, "", 3]]
    assert read_changes(render_answer(rows)) == {"demo-project": 9, "other": 8}


def test_name_that_is_none_is_passed_over() -> None:
    assert read_changes(render_answer([["-", None, 1, "create", 8], ROW])) == {"demo-project": 7}


def test_as_pypi_writes_it() -> None:
    body = xmlrpc.client.dumps(([ROW],), methodresponse=True, allow_none=True).encode()
    assert read_changes(body) == {"demo-project": 7}
    assert read_last_serial(xmlrpc.client.dumps((37_000_000,), methodresponse=True).encode()) == 37_000_000


@pytest.mark.parametrize("value", ["text", {}, [[]], [["demo"]], [[1, None, 1, "x", 2]], [["demo", None, 1, "x", -2]]])
def test_other_answers_are_refused(value: Any) -> None:
    with pytest.raises(InvalidChangelog):
        read_changes(render_answer(value))
    with pytest.raises(InvalidChangelog):
        read_last_serial(render_answer(value))


def test_fault_says_what_it_is() -> None:
    with pytest.raises(InvalidChangelog, match="HTTPTooManyRequests"):
        read_changes(render_fault(Fault(-32500, "HTTPTooManyRequests: slow down")))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<methodResponse>",
        b"<methodResponse><params></params></methodResponse>",
        b"<!DOCTYPE x [<!ENTITY a 'b'>]><methodResponse/>",
        b"<a>" * 10_000,
        render_call("changelog_last_serial", ()),
    ],
)
def test_what_is_no_answer_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidChangelog):
        read_last_serial(body)


@given(st.binary())
def test_any_bytes_are_taken(body: bytes) -> None:
    with contextlib.suppress(InvalidChangelog):
        read_changes(body)


def test_call_is_one_that_we_read_too() -> None:
    call = read_call(render_call("changelog_since_serial", (7,)))
    assert (call.method, call.parameters) == ("changelog_since_serial", (7,))
