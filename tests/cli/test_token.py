"""E15: ``pypid token``, and what it asks of the API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Self

import msgspec
import pytest
from click.testing import Result

from pypid.domain.reports import Report
from pypid.domain.token_reports import MadeTokenReport, TokenReport, TokensReport
from pypid.web.api.token_calls import TokenCall
from tests.cli.command import pypid, without_settings

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


MADE = MadeTokenReport(token="pypid-x", about=REPORT)
LISTED = TokensReport(tokens=(REPORT, LASTING))


class Answering(HTTPServer):
    """An API that answers what the test says, and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, bytes]] = []
        """Each with its body."""
        self.answers: list[Report] = []

    def __enter__(self) -> Self:
        self._thread = Thread(target=self.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    def run(self, *args: str) -> Result:
        return pypid("token", *args, "--url", f"http://127.0.0.1:{self.server_port}/", "--user", "alice")


class _Handler(BaseHTTPRequestHandler):
    server: Answering

    def log_message(self, *_: object) -> None: ...

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append((f"{self.command} {self.path.removeprefix('/-/api/v1/')}", body))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(msgspec.json.encode(self.server.answers.pop(0)))

    do_POST = do_DELETE = do_GET


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Answering]:
    without_settings(monkeypatch, tmp_path)
    monkeypatch.setenv("PYPID_PASSWORD", "secret")
    with Answering() as answering:
        yield answering


def test_create(api: Answering) -> None:
    """The token alone is on stdout, so that a script can take it from there."""
    api.answers = [MADE]
    result = api.run(
        "create", "--for", "alice", "--index", "main", "--project", "app", "--project", "app-*",
        "--rights", "upload,read", "--expires", "12h", "--description", "for CI",
    )  # fmt: skip
    assert (result.exit_code, result.stdout) == (0, "pypid-x\n")
    assert result.stderr == (
        "pypid: made the token 0a1b2c of alice: upload, app, app-* of main, "
        "expires 2027-02-19T10:00:00Z, never used (for CI [31m)\n"
    )
    ((asked, body),) = api.asked
    assert asked == "POST tokens"
    assert msgspec.json.decode(body, type=TokenCall) == msgspec.convert(
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


def test_create_asks_for_no_more_than_it_is_told(api: Answering) -> None:
    """One right, of who asks, for ninety days."""
    api.answers = [MADE, MADE]
    assert api.run("create").exit_code == 0
    assert api.run("create", "--expires", "never").exit_code == 0
    usual = {"user": None, "index": None, "projects": [], "rights": ["upload"], "description": ""}
    assert [json.loads(body) for _, body in api.asked] == [
        usual | {"lifetime": 90 * 86400.0},
        usual | {"lifetime": None},
    ]


def test_create_refuses_what_it_does_not_know(api: Answering) -> None:
    for args in (("--rights", "write"), ("--rights", ""), ("--expires", "soon"), ("--expires", "3 weeks")):
        assert api.run("create", *args).exit_code == 2
    assert api.asked == []


def test_list(api: Answering) -> None:
    api.answers = [LISTED, LISTED]
    assert api.run("list").stdout.splitlines() == [
        "0a1b2c of alice: upload, app, app-* of main, expires 2027-02-19T10:00:00Z, never used (for CI [31m)",
        "0a1b2c of alice: upload, all projects of all indexes, does not expire, last used 2026-11-21T11:00:00Z",
    ]
    lines = [json.loads(line) for line in api.run("list", "--all", "--json").stdout.splitlines()]
    assert lines == [json.loads(msgspec.json.encode(each)) for each in (REPORT, LASTING)]
    assert [asked for asked, _ in api.asked] == ["GET tokens", "GET tokens?all=true"]


def test_revoke(api: Answering) -> None:
    api.answers = [Report(), Report()]
    assert api.run("revoke", "0a1b2c", "a/b").stdout == "revoked 0a1b2c\nrevoked a/b\n"
    assert [asked for asked, _ in api.asked] == ["DELETE tokens/0a1b2c", "DELETE tokens/a%2Fb"]
    assert api.run("revoke").exit_code == 2
