"""
Other people's index servers, as processes: Python's http.server, and a devpi.

    with http_server(tmp_path / "wheels") as root: ...   # "http://127.0.0.1:PORT/"
    with devpi(tmp_path, demo) as index: ...             # ".../root/dev/+simple/", which has `demo`
"""

from __future__ import annotations

import json
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

from tests.kit.clients import client_venv, twine_upload
from tests.kit.dists import Dist
from tests.kit.processes import clean_environment, eventually, free_port
from tests.kit.rawclient import get

_START_SECONDS = 60
"""devpi makes a database first."""
_STOP_SECONDS = 20
_PASSWORD = "devpi-secret"


@contextmanager
def http_server(directory: Path) -> Iterator[str]:
    """Serve ``directory`` as ``python -m http.server`` does, and return its URL."""
    port = free_port()
    command = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "--directory", str(directory), str(port)]
    with _running(command, directory.parent, f"http://127.0.0.1:{port}/") as root:
        yield root


@contextmanager
def devpi(directory: Path, *dists: Dist) -> Iterator[str]:
    """Serve an index of a devpi-server that has ``dists``, and return the URL of its simple pages."""
    server = client_venv("devpi-server", "6.*", home=directory / "devpi-home")
    port, data = free_port(), directory / "devpi"
    made = server.run("devpi-init", "--serverdir", data, "--no-root-pypi", "--root-passwd", _PASSWORD)
    assert made.returncode == 0, made.stdout
    programs = server.path / "bin"
    command = [str(programs / "devpi-server"), "--serverdir", str(data), "--host", "127.0.0.1", "--port", str(port)]
    with _running(command, directory, f"http://127.0.0.1:{port}/") as root:
        credentials = b64encode(f"root:{_PASSWORD}".encode()).decode()
        _put(port, "/root/dev", {"type": "stage", "bases": [], "volatile": True}, credentials)
        twine = client_venv("twine", "7.*", home=directory / "devpi-home")
        for dist in dists:
            path = directory / dist.filename
            path.write_bytes(dist.content)
            uploaded = twine_upload(twine, f"{root}root/dev/", "root", _PASSWORD, path)
            assert uploaded.returncode == 0, uploaded.stdout
        yield f"{root}root/dev/+simple/"


def _put(port: int, path: str, value: Mapping[str, object], credentials: str) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/json"}
    connection.request("PUT", path, json.dumps(value), headers)
    response = connection.getresponse()
    said = response.read()
    connection.close()
    assert response.status == 200, said


@contextmanager
def _running(command: Sequence[str], home: Path, root: str) -> Iterator[str]:
    """Run ``command`` until the block ends, and wait for it to answer at ``root``."""
    log = home / f"{Path(command[0]).name}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=home,
            env=clean_environment(home),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        if not eventually(lambda: process.poll() is not None or _answers(root), _START_SECONDS) or not _answers(root):
            raise AssertionError(f"{command[0]} did not start:\n{log.read_text(errors='replace')}")
        yield root
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(root: str) -> bool:
    try:
        return get(root, timeout=5).status < 500
    except (OSError, EOFError):
        return False
