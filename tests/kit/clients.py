"""
Real clients in throw-away environments: pips and twines of three ages, uv, poetry, pdm, hatch, flit, bandersnatch.

    pip = client_venv("pip", "23.3.*", home=tmp_path)
    target = make_venv(tmp_path / "target")
    result = pip_install(pip, target, "demo", index_url=daemon.simple); assert result.returncode == 0, result.stdout
    client_venv("poetry", "2.*", home=tmp_path).run("poetry", "lock", cwd=tmp_path / "project")

A client is installed once, with the machine's own pip settings, and kept in ``$XDG_CACHE_HOME/pypid-tests``: all
that the tests ever fetch. Where that fails the test is skipped, in CI it fails. Everything the client then does, it
does in a clean environment with its home and caches inside ``home``.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

from tests.kit.processes import run

Result = subprocess.CompletedProcess[str]
_INSTALL_SECONDS = 300
_WITH = {
    # What pdm 2.29 allows, but does not start with: unearth's change to httpx2, hishel's new names.
    "pdm 2": ("unearth<0.19", "hishel<2"),
    # A field of its own metadata that twine 4 looks up is None no more, but an error.
    "twine 4": ("importlib-metadata<8",),
}
"""What is installed along with a client, since its own requirements are too wide."""


@dataclass(frozen=True, slots=True)
class Client:
    """One installed client."""

    path: Path
    home: Path

    @property
    def python(self) -> Path:
        return python_of(self.path)

    def run(
        self, *args: str | Path, env: Mapping[str, str] | None = None, timeout: float = 120, cwd: Path | None = None
    ) -> Result:
        """Run a program of the client's environment, e.g. ``client.run("twine", "check", path)``."""
        program, *rest = args
        return run([self.path / "bin" / program, *rest], home=self.home, env=env, timeout=timeout, cwd=cwd)


def client_venv(tool: str, version: str, *, home: Path) -> Client:
    """Return the newest ``tool`` of ``version`` (as in ``26.*``), installing it the first time."""
    name = f"{tool}-{version.rstrip('.*')}-py{sys.version_info.major}.{sys.version_info.minor}"
    path = _cache() / name
    ready = path / "ready"
    with _locked(_cache() / f"{name}.lock"):
        if not ready.exists():
            _install(path, f"{tool}=={version}", *_WITH.get(f"{tool} {version.rstrip('.*')}", ()))
            ready.touch()
    return Client(path, home)


def make_venv(path: Path) -> Path:
    """Make an empty environment to install into (0.1 s: without a pip of its own) and return its python."""
    venv.create(path, with_pip=False, symlinks=True)
    return python_of(path)


def python_of(path: Path) -> Path:
    return path / "bin" / "python"


def pip_install(
    pip: Client,
    target: Path,
    *args: str | Path,
    index_url: str | None = None,
    env: Mapping[str, str] | None = None,
) -> Result:
    """Install into the environment of the python ``target``; without ``index_url``, from no index at all."""
    index = ["--no-index"] if index_url is None else ["--index-url", index_url]
    return pip.run("python", "-m", "pip", "--python", target, "install", *index, *args, env=env)


def uv_pip_install(
    uv: Client,
    target: Path,
    *args: str | Path,
    index_url: str | None = None,
    env: Mapping[str, str] | None = None,
) -> Result:
    """The same with uv."""
    index = ["--no-index"] if index_url is None else ["--default-index", index_url]
    return uv.run("uv", "pip", "install", "--python", target, *index, *args, env=env)


def uv_publish(uv: Client, url: str, user: str, password: str, *files: Path) -> Result:
    env = {"UV_PUBLISH_USERNAME": user, "UV_PUBLISH_PASSWORD": password}
    return uv.run("uv", "publish", "--publish-url", url, *files, env=env)


def twine_upload(twine: Client, url: str, user: str, password: str, *files: str | Path) -> Result:
    env = {"TWINE_USERNAME": user, "TWINE_PASSWORD": password}
    args = ["--repository-url", url, "--non-interactive", "--disable-progress-bar"]
    return twine.run("twine", "upload", *args, *files, env=env)


def version_in(target: Path, module: str, *, home: Path) -> str:
    """Return ``module.__version__`` in the environment of the python ``target``; ``""`` if it cannot be imported."""
    code = f"import {module}; print({module}.__version__)"
    # An empty PYTHONPATH: this must not be found anywhere else.
    result = run([target, "-c", code], home=home, env={"PYTHONPATH": ""})
    return result.stdout.strip() if result.returncode == 0 else ""


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    path = Path(base) / "pypid-tests"
    path.mkdir(parents=True, exist_ok=True)
    return path


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keep other test runs from installing the same client at once."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _install(path: Path, *requirements: str) -> None:
    shutil.rmtree(path, ignore_errors=True)
    try:
        venv.create(path, with_pip=True, symlinks=True)
        # The caller's own environment: this is the machine's package index, not ours.
        subprocess.run(
            [python_of(path), "-m", "pip", "install", "--upgrade", *requirements],
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_INSTALL_SECONDS,
            text=True,
        )
    except subprocess.SubprocessError as e:
        _unavailable(f"cannot install {' '.join(requirements)}: {e}\n{getattr(e, 'output', '')}")


def _unavailable(why: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(why)
    pytest.skip(why)
