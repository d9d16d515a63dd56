"""What went wrong reaches the screen of who asked: by the reason phrase, by the problem's title and detail."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kit.clients import Result, client_venv, make_venv, pip_install, twine_upload, uv_pip_install, uv_publish
from tests.kit.daemon import Daemon, DaemonFactory
from tests.kit.dists import Dist, wheel
from tests.kit.rawclient import get
from tests.kit.upstream import ScriptedIndex, SocketUpstream, Status

PASSWORD = "correct horse battery staple"
UV_CODINGS = "gzip, deflate, zstd"
"""What uv accepts for a page."""
NO_RETRIES = {"UV_HTTP_RETRIES": "0"}


def _unwrapped(result: Result) -> str:
    """What was written to a terminal of some width."""
    return " ".join(result.stdout.split())


def _file(d: Daemon, dist: Dist, digest: str | None = None) -> str:
    return f"{d.url}files/{dist.project}/{(digest or dist.sha256)[:16]}/{dist.filename}"


def _uv_install(home: Path, *args: str) -> str:
    """Return what uv says when it cannot install."""
    uv = client_venv("uv", "0.13.*", home=home / "home")
    target = make_venv(home / "target")
    result = uv.run("uv", "pip", "install", "--python", target, *args, env=NO_RETRIES)
    assert result.returncode != 0
    return _unwrapped(result)


def test_uv_shows_title_and_detail_of_a_file_that_is_not_there(
    daemon: DaemonFactory, index: ScriptedIndex, upstream: SocketUpstream, tmp_path: Path
) -> None:
    """It accepts anything when it asks for a file."""
    demo = index.add(wheel("demo", "1.0"))
    d = daemon(config={"index": {"pypi": {"upstream": upstream.url}}})
    said = _uv_install(tmp_path, "--no-index", _file(d, demo, "0" * 16))
    assert "Server message: Not Found, " in said
    assert demo.filename in said.partition("Server message: Not Found, ")[2]


def test_uv_shows_title_and_detail_of_an_upstream_that_is_down(
    daemon: DaemonFactory, index: ScriptedIndex, upstream: SocketUpstream, tmp_path: Path
) -> None:
    """For a page that nobody has seen, for a file, and for a file that it asks for by HEAD, which has no body."""
    demo = index.add(wheel("demo", "1.0"))
    d = daemon(config={"index": {"pypi": {"upstream": upstream.url}}})
    index.script(index.file_path(demo), Status(500), times=None)
    why = f"{demo.filename} answers 500"
    said = _uv_install(tmp_path, "--default-index", d.simple, "demo")
    assert why in said.partition("Server message: ")[2].partition("HTTP status")[0]
    assert f"{why})" in _uv_install(tmp_path, "--no-index", _file(d, demo))
    upstream.stop()
    assert "Server message: Service Unavailable, " in _uv_install(tmp_path, "--default-index", d.simple, "unseen")


@pytest.mark.parametrize("version", ["26.*", "23.3.*"])
def test_pip_shows_the_reason(
    version: str, daemon: DaemonFactory, index: ScriptedIndex, upstream: SocketUpstream, tmp_path: Path
) -> None:
    demo = index.add(wheel("demo", "1.0"))
    d = daemon(config={"index": {"pypi": {"upstream": upstream.url}}})
    pip = client_venv("pip", version, home=tmp_path / "home")
    result = pip_install(pip, make_venv(tmp_path / "target"), _file(d, demo, "0" * 16))
    assert result.returncode != 0
    said = _unwrapped(result)
    assert "404" in said
    assert "Not Found" not in said, "the standard reason says nothing"
    assert f"{demo.filename}" in said.partition("404")[2].partition("for url")[0]


def test_uploaders_show_why_an_upload_is_refused(daemon: DaemonFactory, tmp_path: Path) -> None:
    """twine by the reason, uv by the code of PyPI's JSON: in one line each, and not as JSON."""
    d = daemon(config={"index": {"main": {"bases": []}, "pypi": {"enabled": False}}})
    d.add_user("alice", PASSWORD)
    demo, other = (wheel("demo", "1.0", summary=summary) for summary in ("One", "Another"))
    path = tmp_path / demo.filename
    path.write_bytes(demo.content)
    twine = client_venv("twine", "7.*", home=tmp_path / "twine")
    uv = client_venv("uv", "0.13.*", home=tmp_path / "uv")
    assert twine_upload(twine, d.url, "alice", PASSWORD, path).returncode == 0
    path.write_bytes(other.content)
    refused = twine_upload(twine, d.url, "alice", PASSWORD, path)
    assert refused.returncode != 0
    assert f"400 Bad Request from {d.url} File already exists ('{demo.filename}'" in _unwrapped(refused)
    refused = uv_publish(uv, d.url, "alice", PASSWORD, path)
    assert refused.returncode != 0
    assert f"Server says: 400 File already exists ('{demo.filename}'" in _unwrapped(refused)
    assert '"title"' not in refused.stdout


def test_uv_reads_pages_in_zstd(
    daemon: DaemonFactory, index: ScriptedIndex, upstream: SocketUpstream, tmp_path: Path
) -> None:
    """It prefers them so, and installs what they name."""
    for number in range(200):
        index.add(wheel("demo", f"1.{number}"))
    d = daemon(config={"index": {"pypi": {"upstream": upstream.url}}})
    page = get(f"{d.simple}demo/", headers={"Accept-Encoding": UV_CODINGS})
    assert page.headers["content-encoding"] == "zstd"
    uv = client_venv("uv", "0.13.*", home=tmp_path / "home")
    result = uv_pip_install(uv, make_venv(tmp_path / "target"), "demo", index_url=d.simple)
    assert result.returncode == 0, result.stdout
    assert "demo==1.199" in result.stdout
