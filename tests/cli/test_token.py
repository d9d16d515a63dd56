"""E15: ``pypid token``, up to what it asks of the API."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar

import msgspec
from click.testing import CliRunner, Result

from pypid.cli.token import token_commands
from pypid.domain.token_reports import MadeTokenReport, TokenCall, TokenReport, TokensReport

T = TypeVar("T")

REPORT = TokenReport(
    id="0a1b2c",
    user="alice",
    rights=("upload",),
    index="main",
    projects=("app", "app-*"),
    description="for CI\x1b[31m",
    created_at="2026-11-21T10:00:00Z",
    expires_at="2027-02-19T10:00:00Z",
    last_used=None,
)
LASTING = msgspec.structs.replace(
    REPORT, index=None, projects=(), description="", expires_at=None, last_used="2026-11-21T11:00:00Z"
)


class Answering:
    """An API that answers what the test says, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Mapping[str, object] | None]] = []
        self.answers: list[object] = []

    def ask(
        self,
        method: str,
        path: str,
        answer: type[T],
        *,
        query: Mapping[str, object] | None = None,
        fields: Mapping[str, object] | None = None,
    ) -> T:
        self.asked.append((method, path, fields if query is None else query))
        return msgspec.convert(msgspec.to_builtins(self.answers.pop(0)), answer)

    def reaches(self, command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def reaching(**rest: Any) -> None:
            command(self, **rest)

        return reaching

    def run(self, *args: str) -> Result:
        return CliRunner().invoke(token_commands(self.reaches), args, catch_exceptions=False)


def test_create() -> None:
    """The token alone is on stdout, so that a script can take it from there."""
    api = Answering()
    api.answers = [MadeTokenReport(token="pypid-x", about=REPORT)]
    result = api.run(
        "create", "--for", "alice", "--index", "main", "--project", "app", "--project", "app-*",
        "--rights", "upload,read", "--expires", "12h", "--description", "for CI",
    )  # fmt: skip
    assert (result.exit_code, result.stdout) == (0, "pypid-x\n")
    assert result.stderr == (
        "pypid: made the token 0a1b2c of alice: upload, app, app-* of main, "
        "expires 2027-02-19T10:00:00Z, never used (for CI [31m)\n"
    )
    ((method, path, fields),) = api.asked
    assert (method, path) == ("POST", "tokens")
    call = msgspec.json.decode(msgspec.json.encode(fields), type=TokenCall)
    assert call == msgspec.convert(
        {
            "user": "alice",
            "index": "main",
            "projects": ["app", "app-*"],
            "rights": ["upload", "read"],
            "lifetime": 43200.0,
            "description": "for CI",
        },
        TokenCall,
    )


def test_create_asks_for_no_more_than_it_is_told() -> None:
    """One right, of who asks, for ninety days."""
    api = Answering()
    api.answers = [MadeTokenReport(token="pypid-x", about=REPORT)] * 2
    assert api.run("create").exit_code == 0
    assert api.run("create", "--expires", "never").exit_code == 0
    usual = {"user": None, "index": None, "projects": (), "rights": ["upload"], "description": ""}
    assert [fields for *_, fields in api.asked] == [usual | {"lifetime": 90 * 86400.0}, usual | {"lifetime": None}]


def test_create_refuses_what_it_does_not_know() -> None:
    api = Answering()
    for args in (("--rights", "write"), ("--rights", ""), ("--expires", "soon"), ("--expires", "3 weeks")):
        assert api.run("create", *args).exit_code == 2
    assert api.asked == []


def test_list() -> None:
    api = Answering()
    api.answers = [TokensReport(tokens=(REPORT, LASTING))] * 3
    assert api.run("list").stdout.splitlines() == [
        "0a1b2c of alice: upload, app, app-* of main, expires 2027-02-19T10:00:00Z, never used (for CI [31m)",
        "0a1b2c of alice: upload, all projects of all indexes, does not expire, last used 2026-11-21T11:00:00Z",
    ]
    lines = [json.loads(line) for line in api.run("list", "--all", "--json").stdout.splitlines()]
    assert lines == [json.loads(msgspec.json.encode(each)) for each in (REPORT, LASTING)]
    assert api.asked == [("GET", "tokens", None), ("GET", "tokens", {"all": "true"})]


def test_revoke() -> None:
    api = Answering()
    api.answers = [{}, {}]
    assert api.run("revoke", "0a1b2c", "a/b").stdout == "revoked 0a1b2c\nrevoked a/b\n"
    assert [path for _, path, _ in api.asked] == ["tokens/0a1b2c", "tokens/a%2Fb"]
    assert api.run("revoke").exit_code == 2
