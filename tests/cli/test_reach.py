"""The commands that ask a pypid, where there is none."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from threading import Thread

import pytest

from tests.cli.command import pypid, without_settings
from tests.cli.test_running import holder
from tests.kit.processes import free_port

COMMANDS = (
    ("yank", "demo"),
    ("unyank", "demo"),
    ("block", "demo"),
    ("unblock", "demo"),
    ("delete", "demo"),
    ("status", "demo", "archived"),
    ("show", "demo"),
    ("audit",),
    ("token", "create", "--for", "alice"),
    ("token", "list", "--all"),
    ("token", "revoke", "0a1b2c"),
)


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    without_settings(monkeypatch, tmp_path)
    (tmp_path / "pypid-data").mkdir()


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_pypid_runs(tmp_path: Path, command: tuple[str, ...]) -> None:
    result = pypid(*command)
    assert (result.exit_code, result.stdout) == (os.EX_UNAVAILABLE, "")
    assert result.stderr == f"pypid: no pypid is seen to run on {tmp_path / 'pypid-data'}\n"


def test_socket_that_a_killed_pypid_has_left(tmp_path: Path) -> None:
    data = tmp_path / "pypid-data"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(data / "control.sock"))
    assert "no pypid is seen to run" in pypid("audit").stderr
    with holder(data) as pid:
        assert f"(process {pid}) has no control.sock: its log says why" in pypid("audit").stderr


def test_something_else_listens(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "pypid-data" / "control.sock"))
        listener.listen()

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno")

        thread = Thread(target=answer)
        thread.start()
        result = pypid("audit")
        thread.join()
    assert result.exit_code == os.EX_UNAVAILABLE
    assert "there is no pypid, or one of another version" in result.stderr


def test_no_pypid_is_at_the_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYPID_PASSWORD", "secret")
    result = pypid("audit", "--url", f"http://127.0.0.1:{free_port()}/", "--user", "alice")
    assert result.exit_code == os.EX_UNAVAILABLE
    assert "Connection refused" in result.stderr
    assert "secret" not in result.output
    monkeypatch.delenv("PYPID_PASSWORD")
    result = pypid("audit", "--url", f"http://127.0.0.1:{free_port()}/", "--user", "alice", stdin="secret\n")
    assert result.exit_code == os.EX_UNAVAILABLE
    assert result.stderr.startswith("Password of alice: ")
    assert "secret" not in result.output


@pytest.mark.parametrize("url", ["pypid.test", "ftp://pypid.test/", "http://", "http://[x/", "http://x:y/"])
def test_url_that_is_none(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYPID_PASSWORD", "secret")
    assert pypid("audit", "--url", url, "--user", "alice").exit_code == os.EX_UNAVAILABLE


@pytest.mark.parametrize(
    "args",
    [
        ("yank", "demo", "--version", "1.0", "--file", "demo-1.0.tar.gz"),
        ("yank", ".."),
        ("yank", "demo", "--version", "one"),
        ("yank", "demo", "--file", "notes.txt"),
        ("delete", "demo", "--version", "1.0", "--release-name"),
        ("status", "demo", "gone"),
        ("audit", "--newest", "1", "--after", "1"),
        ("audit", "--user", "alice"),
        ("audit", "--url", "http://x/"),
    ],
)
def test_options_that_make_no_sense(args: tuple[str, ...]) -> None:
    result = pypid(*args)
    assert (result.exit_code, result.stdout) == (2, "")


def test_password_in_the_environment_is_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYPID_PASSWORD", "secret")
    assert "no pypid is seen to run" in pypid("audit").stderr
