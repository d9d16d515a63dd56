"""What is wrong with a file, on the screens of those who upload it; and what real build tools make is right."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.kit.clients import client_venv, twine_upload, uv_publish
from tests.kit.daemon import DaemonFactory
from tests.kit.dists import wheel
from tests.kit.processes import run

PASSWORD = "correct horse battery staple"

PYPROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "Demo.Pkg"
version = "1.0"
requires-python = ">=3.9"
dependencies = ["other>=2 ; python_version < '4'"]
license = "MIT"
license-files = ["LICENSE"]
[tool.hatch.build.targets.wheel]
packages = ["demo"]
"""


def test_every_problem_is_on_the_screen(daemon: DaemonFactory, tmp_path: Path) -> None:
    """By twine, by uv, and by ``pypid check`` in the same words."""
    d = daemon(config={"index": {"main": {"bases": [], "validation": "strict"}, "pypi": {"enabled": False}}})
    d.add_user("alice", PASSWORD)
    made = wheel("demo", "1.0+local", extra_files={"demo-1.0+local.dist-info/entry_points.txt": b"no section"})
    path = tmp_path / made.filename.replace("any", "linux_x86_64")
    path.write_bytes(made.content)
    said = run([sys.executable, "-m", "pypid.cli.main", "check", "--level", "strict", path], home=tmp_path)
    assert said.returncode == 1
    problems = [line.removeprefix(f"{path}: ") for line in said.stdout.splitlines()]
    assert len(problems) == 3
    twine = client_venv("twine", "7.*", home=tmp_path / "home")
    refused = twine_upload(twine, d.url, "alice", PASSWORD, path)
    assert refused.returncode != 0
    assert all(_unwrapped(problem)[:40] in _unwrapped(refused.stdout) for problem in problems)
    uv = client_venv("uv", "0.13.*", home=tmp_path / "home")
    refused = uv_publish(uv, d.url, "alice", PASSWORD, path)
    assert refused.returncode != 0
    assert all(_unwrapped(problem)[:40] in _unwrapped(refused.stdout) for problem in problems)


def test_what_a_build_tool_makes_is_right(daemon: DaemonFactory, tmp_path: Path) -> None:
    """At the strictest level, sdist and wheel, with the whole form of twine."""
    d = daemon(config={"index": {"main": {"bases": [], "validation": "strict"}, "pypi": {"enabled": False}}})
    d.add_user("alice", PASSWORD)
    source = tmp_path / "source"
    (source / "demo").mkdir(parents=True)
    for name, text in (("pyproject.toml", PYPROJECT), ("LICENSE", "free"), ("demo/__init__.py", "")):
        (source / name).write_text(text)
    built = run([sys.executable, "-m", "build", "--no-isolation", source], home=tmp_path)
    assert built.returncode == 0, built.stdout
    files = sorted((source / "dist").iterdir())
    assert len(files) == 2
    twine = client_venv("twine", "7.*", home=tmp_path / "home")
    accepted = twine_upload(twine, d.url, "alice", PASSWORD, *files)
    assert accepted.returncode == 0, accepted.stdout


def _unwrapped(text: str) -> str:
    return " ".join(text.split())
