"""Real pips search here, as they once did at PyPI."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kit.clients import client_venv, make_venv, pip_install, twine_upload
from tests.kit.daemon import DaemonFactory
from tests.kit.dists import sdist, wheel
from tests.kit.upstream import ScriptedIndex, SocketUpstream

PASSWORD = "correct horse battery staple"


@pytest.mark.parametrize("version", ["23.3.*", "26.*"])
def test_pip_search(
    version: str, daemon: DaemonFactory, index: ScriptedIndex, upstream: SocketUpstream, tmp_path: Path
) -> None:
    """What is hosted and what is cached is found, by name and by summary; nobody else is asked."""
    cached = index.add(wheel("acme-cached", "3.0"))
    index.add(wheel("acme-unknown"))
    d = daemon(config={"index": {"pypi": {"upstream": upstream.url}, "main": {"bases": ["pypi"]}}})
    d.add_user("alice", PASSWORD)
    home = tmp_path / "home"
    twine = client_venv("twine", "7.*", home=home)
    files = []
    for dist in (wheel("acme-tools", "1.0"), wheel("acme-tools", "1.10", summary="Ünïcode <tools>"), sdist("other")):
        files.append(tmp_path / dist.filename)
        files[-1].write_bytes(dist.content)
    uploaded = twine_upload(twine, d.url, "alice", PASSWORD, *files)
    assert uploaded.returncode == 0, uploaded.stdout
    pip = client_venv("pip", version, home=home)
    installed = pip_install(pip, make_venv(tmp_path / "target"), cached.project, index_url=d.simple)
    assert installed.returncode == 0, installed.stdout
    asked = index.count()

    def search(*words: str, url: str = f"{d.url}pypi") -> list[list[str]]:
        result = pip.run("python", "-m", "pip", "search", "--index", url, *words)
        assert (result.returncode == 0) == bool(result.stdout), result.stderr
        return [line.split(None, 3) for line in result.stdout.splitlines()]

    tools = ["acme-tools", "(1.10)", "-", "Ünïcode <tools>"]
    assert search("ACME") == [["acme-cached", "(3.0)", "-"], tools]
    assert search("ünïcode") == [tools]
    for url in (f"{d.url}pypi/", d.url, f"{d.url}main/", f"{d.url}main/pypi"):
        assert search("acme-tools", "other", url=url)[0] == tools, url
    assert search("absent") == []
    assert index.count() == asked
