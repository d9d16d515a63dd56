"""What was warmed is installed by real clients when upstream is gone."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.kit.clients import Result, client_venv, make_venv, pip_install, uv_pip_install, version_in
from tests.kit.daemon import Daemon, DaemonFactory
from tests.kit.dists import sdist, wheel
from tests.kit.processes import clean_environment, run
from tests.kit.toml import to_toml
from tests.kit.upstream import ScriptedIndex, SocketUpstream, Stall

ROOT = wheel("app-root", "2.0", requires=["left-part>=1", "right-part"])
LEFT = wheel("left-part", "1.5", requires=["deep_part"], size=3 * 2**20)
RIGHT = wheel("right-part", "3.0", requires=["deep-part"])
DEEP = wheel("Deep.Part", "0.1")
TREE = (ROOT, LEFT, RIGHT, DEEP)
WARM = [sys.executable, "-m", "pypid.cli.main", "warm"]


@pytest.fixture
def d(daemon: DaemonFactory, index: ScriptedIndex, upstream: SocketUpstream) -> Daemon:
    for dist in (*TREE, wheel("app-root", "1.0"), sdist("app-root", "2.0")):
        index.add(dist)
    return daemon(config={"index": {"pypi": {"upstream": upstream.url}}})


def warm(d: Daemon, *args: str | Path, cwd: Path) -> Result:
    return run([*WARM, "--config", d.config_file, *args], home=cwd / "home", cwd=cwd)


def fetched_once(index: ScriptedIndex) -> None:
    for dist in TREE:
        assert index.count("GET", index.file_path(dist)) == 1


def has_tree(target: Path, home: Path) -> bool:
    return all(version_in(target, dist.module, home=home) == dist.version for dist in TREE)


def project(directory: Path, **tables: object) -> Path:
    """Make a project that requires the tree."""
    directory.mkdir()
    about = {"name": "demo", "version": "0.1", "requires-python": ">=3.11,<4", "dependencies": [ROOT.project]}
    directory.joinpath("pyproject.toml").write_text(to_toml({"project": about, **tables}))
    return directory


Install = Callable[..., Result]


@pytest.mark.parametrize(
    ("tool", "version", "install"),
    [pytest.param("pip", "26.*", pip_install, id="pip"), pytest.param("uv", "0.13.*", uv_pip_install, id="uv")],
)
def test_requirements_and_what_they_require(
    tool: str, version: str, install: Install, d: Daemon, index: ScriptedIndex, upstream: SocketUpstream, tmp_path: Path
) -> None:
    """Warmed twice, fetched once; then installed without upstream, after a restart too."""
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("app-root>1 ; python_version > '3'  # by hand\n")
    for _ in range(2):
        result = warm(d, "requirements.txt", "--with-dependencies", cwd=tmp_path)
        assert result.returncode == 0, result.stdout
    fetched_once(index)
    upstream.stop()
    d.restart()
    target = make_venv(tmp_path / "target")
    client = client_venv(tool, version, home=tmp_path / "home")
    result = install(client, target, "-r", requirements, index_url=d.simple)
    assert result.returncode == 0, result.stdout
    assert has_tree(target, tmp_path)


def test_locks_of_uv(d: Daemon, index: ScriptedIndex, upstream: SocketUpstream, tmp_path: Path) -> None:
    """Its own, and the pylock.toml and requirements with hashes that it exports; each is enough for the others."""
    uv = client_venv("uv", "0.13.*", home=tmp_path / "home")
    here = project(tmp_path / "project")

    def in_project(*args: str | Path) -> Result:
        result = run([uv.path / "bin" / "uv", *args], home=uv.home, cwd=here)
        assert result.returncode == 0, result.stdout
        return result

    in_project("lock", "--default-index", d.simple)
    for form, name in [("pylock.toml", "pylock.toml"), ("requirements.txt", "requirements.txt")]:
        in_project("export", "--frozen", "--no-emit-project", "--format", form, "-o", name)
    assert not any(index.count(glob=index.file_path(dist)) for dist in TREE)
    for name in ("uv.lock", "pylock.toml", "requirements.txt"):
        result = warm(d, name, cwd=here)
        assert result.returncode == 0, result.stdout
        assert "4 files of 4 projects" in result.stdout
    fetched_once(index)

    upstream.stop()
    for number, args in enumerate([("pylock.toml",), ("requirements.txt", "--require-hashes")]):
        target = make_venv(tmp_path / f"target-{number}")
        in_project("pip", "sync", "--python", target, "--default-index", d.simple, *args, "--no-cache")
        assert has_tree(target, tmp_path)
    in_project("sync", "--frozen", "--no-install-project", "--default-index", d.simple, "--no-cache")
    assert has_tree(here / ".venv" / "bin" / "python", tmp_path)


def test_the_lock_of_poetry(d: Daemon, index: ScriptedIndex, upstream: SocketUpstream, tmp_path: Path) -> None:
    source = {"name": "pypid", "url": d.simple, "priority": "primary"}
    here = project(tmp_path / "project", tool={"poetry": {"package-mode": False, "source": {}}})
    text = (here / "pyproject.toml").read_text().replace('["tool"."poetry"."source"]', "[[tool.poetry.source]]")
    (here / "pyproject.toml").write_text(text + to_toml(source))
    poetry = client_venv("poetry", "2.*", home=tmp_path / "home")

    def in_project(*args: str) -> None:
        env = {"VIRTUAL_ENV": str(tmp_path / "target")}
        result = run([poetry.path / "bin" / "poetry", "--no-cache", *args], home=poetry.home, cwd=here, env=env)
        assert result.returncode == 0, result.stdout

    target = make_venv(tmp_path / "target")
    in_project("lock")
    result = warm(d, "poetry.lock", cwd=here)
    assert result.returncode == 0, result.stdout
    fetched_once(index)
    upstream.stop()
    in_project("install")
    assert has_tree(target, tmp_path)


def test_interrupted_and_run_again(d: Daemon, index: ScriptedIndex, tmp_path: Path) -> None:
    """Ctrl-C ends it, with what is done; the daemon goes on with what it had begun, and the next run with the rest."""
    stall = Stall(at=2**20)
    index.script(index.file_path(LEFT), stall)
    # What runs the tests may ignore it, as a shell's jobs in the background do, and would have it ignored.
    command = ["env", "--default-signal=INT", *WARM, "--url", d.url, "app-root", "left-part"]
    with subprocess.Popen(
        command, env=clean_environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(f"{ROOT.filename}: ")
        stall.barrier.wait_reached()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert re.fullmatch(r"stopped with at least \d+ requests? to go: interrupted; run it again to go on\n", err)
    assert out.startswith("1 file of 2 projects")
    stall.barrier.release()
    result = warm(d, "app-root", "left-part", cwd=tmp_path)
    assert result.returncode == 0, result.stdout
    for dist in (ROOT, LEFT):
        assert index.count("GET", index.file_path(dist)) == 1


def test_a_bar_on_the_terminal(d: Daemon, tmp_path: Path) -> None:
    """On stderr; stdout has nothing but the summary."""
    controller, terminal = pty.openpty()
    with os.fdopen(controller, "rb", buffering=0) as screen:
        command = [*WARM, "--url", d.url, "app-root"]
        env = clean_environment(tmp_path, COLUMNS="100")
        done = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=terminal, check=True, timeout=60)
        shown = screen.read(65536).decode()
        os.close(terminal)
    assert re.fullmatch(r"1 file of 1 project.*\n", done.stdout.decode())
    assert "Warming" in shown
    assert re.search(r"3/3 .*KiB", shown), shown
