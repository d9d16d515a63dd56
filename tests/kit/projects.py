"""
A project whose dependencies poetry or pdm locks and installs.

    project = Project(POETRY, site.https, tmp_path, "demo")
    project.lock(); project.install()
    assert version_in(project.target, "demo", home=tmp_path) == "1.0"
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.kit.clients import Client, client_venv, make_venv
from tests.kit.recorder import Recorder
from tests.kit.toml import to_toml

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ProjectTool:
    """A kind of client that keeps a lock file in a project."""

    name: str
    version: str
    lock_file: str
    source: Callable[[str], Mapping[str, Any]]
    """The table for an index URL which is then the only index."""
    table: Mapping[str, Any]
    """What makes it install the dependencies without the project."""

    def __str__(self) -> str:
        return self.name


POETRY = ProjectTool(
    name="poetry",
    version="2.*",
    lock_file="poetry.lock",
    source=lambda url: {"name": "pypid", "url": url, "priority": "primary"},
    table={"package-mode": False},
)
PDM = ProjectTool(
    name="pdm",
    version="2.*",
    lock_file="pdm.lock",
    source=lambda url: {"name": "pypi", "url": url},
    table={"distribution": False},
)
TOOLS = (POETRY, PDM)

each_tool = pytest.mark.parametrize("tool", TOOLS, ids=str)


def per_tool(expected: Mapping[ProjectTool, T]) -> pytest.MarkDecorator:
    """Run the test for each tool in the table, with what is ``expected`` of it."""
    return pytest.mark.parametrize(("tool", "expected"), list(expected.items()), ids=map(str, expected))


class Project:
    """
    A project that requires ``requires``, and somebody who works on it.

    Their client's cache is empty at first; they install into a new environment each time.
    """

    def __init__(
        self,
        tool: ProjectTool,
        recorder: Recorder,
        directory: Path,
        *requires: str,
        index: str = "main",
        index_url: str | None = None,
    ) -> None:
        self.tool = tool
        self.directory = directory / "project"
        self.lock_file = self.directory / tool.lock_file
        self.client: Client = client_venv(tool.name, tool.version, home=directory / "home")
        self._env = recorder.env
        self._targets = (directory / f"target-{number}" for number in range(100))
        self.target = make_venv(next(self._targets))
        """The python of the environment that was installed into last."""
        self.directory.mkdir()
        project = {"name": "own", "version": "1", "requires-python": ">=3.11", "dependencies": list(requires)}
        source = tool.source(recorder.index_url(index) if index_url is None else index_url)
        tables = {"project": project, "tool": {tool.name: tool.table}}
        text = f"{to_toml(tables)}\n[[tool.{tool.name}.source]]\n{to_toml(source)}"
        (self.directory / "pyproject.toml").write_text(text)

    def lock(self, *, fails: bool = False, env: Mapping[str, str] | None = None) -> str:
        """Choose all versions anew."""
        self.lock_file.unlink(missing_ok=True)
        return self.run("lock", fails=fails, env=env)

    def install(self, *, fails: bool = False, env: Mapping[str, str] | None = None) -> str:
        """Install what the lock file has."""
        self.target = make_venv(next(self._targets))
        return self.run("sync", fails=fails, env=env)

    def run(self, *args: str, fails: bool = False, env: Mapping[str, str] | None = None) -> str:
        """Return what is said, without line breaks; `AssertionError` where it goes otherwise than expected."""
        env = {**self._env, "VIRTUAL_ENV": str(self.target.parents[1]), **(env or {})}
        result = self.client.run(self.tool.name, *args, env=env, cwd=self.directory)
        assert (result.returncode != 0) == fails, result.stdout
        return " ".join(result.stdout.split())
