"""
Real clients that publish, each told in its own way what to send where.

    result = TWINE_7.publish(tmp_path, wheel("demo"), Target(url=d.url, user="alice", password="secret"))
    assert result.returncode == 0, result.stdout

flit builds what it sends, and distutils does so too: `Publisher.builds` says of whom that is true.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tests.kit.clients import Client, Result, client_venv
from tests.kit.dists import Dist
from tests.kit.toml import to_toml

_FLIT_MODULE = '"""{summary}"""\n__version__ = "{version}"\n'

_SETUP = """\
from distutils.core import setup
setup(name={name!r}, version={version!r}, description={summary!r}, py_modules=[{module!r}],
      author="a", author_email="a@example.com", url="http://example.com/", long_description="One\\n\\nTwo")
"""

_PYPIRC = """\
[distutils]
index-servers = here
[here]
repository: {url}
username: {user}
password: {password}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where to publish, as whom."""

    url: str
    user: str
    password: str
    env: Mapping[str, str] = field(default_factory=dict)
    """What the client needs in its environment beside these."""


class Publish(Protocol):
    def __call__(self, client: Client, directory: Path, dist: Dist, target: Target, /) -> Result: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Publisher:
    """One client that publishes."""

    name: str
    tool: str
    version: str
    run: Publish
    builds: bool = False
    """It makes the file itself, of the name and version of what it is given, and of its summary."""

    def __str__(self) -> str:
        return self.name

    def publish(self, directory: Path, dist: Dist, target: Target) -> Result:
        """Publish ``dist`` from ``directory``, where the client has its home as well."""
        client = client_venv(self.tool, self.version, home=directory / "home")
        return self.run(client, directory, dist, target)


def written(dist: Dist, directory: Path) -> Path:
    """Write the file into ``directory``/dist, alone there, and return its path."""
    dists = directory / "dist"
    dists.mkdir(parents=True, exist_ok=True)
    for path in dists.iterdir():
        path.unlink()
    path = dists / dist.filename
    path.write_bytes(dist.content)
    return path


def twine(client: Client, directory: Path, dist: Dist, target: Target, *options: str | Path) -> Result:
    env = {"TWINE_USERNAME": target.user, "TWINE_PASSWORD": target.password, **target.env}
    args = ["--repository-url", target.url, "--non-interactive", "--disable-progress-bar", "--verbose"]
    return client.run("twine", "upload", *args, *options, written(dist, directory), env=env)


def uv(client: Client, directory: Path, dist: Dist, target: Target, *options: str | Path) -> Result:
    env = {"UV_PUBLISH_USERNAME": target.user, "UV_PUBLISH_PASSWORD": target.password, **target.env}
    return client.run("uv", "publish", "--publish-url", target.url, *options, written(dist, directory), env=env)


def poetry(client: Client, directory: Path, dist: Dist, target: Target, *options: str) -> Result:
    written(dist, directory)
    env = {
        "POETRY_REPOSITORIES_HERE_URL": target.url,
        "POETRY_HTTP_BASIC_HERE_USERNAME": target.user,
        "POETRY_HTTP_BASIC_HERE_PASSWORD": target.password,
        **target.env,
    }
    _project(directory, dist)
    return client.run("poetry", "publish", "--no-interaction", "-r", "here", *options, env=env, cwd=directory)


def pdm(client: Client, directory: Path, dist: Dist, target: Target, *options: str) -> Result:
    written(dist, directory)
    env = {
        "PDM_PUBLISH_REPO": target.url,
        "PDM_PUBLISH_USERNAME": target.user,
        "PDM_PUBLISH_PASSWORD": target.password,
        **target.env,
    }
    _project(directory, dist)
    return client.run("pdm", "publish", "--no-build", *options, env=env, cwd=directory)


def hatch(client: Client, directory: Path, dist: Dist, target: Target) -> Result:
    env = {"HATCH_INDEX_USER": target.user, "HATCH_INDEX_AUTH": target.password, **target.env}
    return client.run("hatch", "publish", "--no-prompt", "--repo", target.url, written(dist, directory), env=env)


def flit(client: Client, directory: Path, dist: Dist, target: Target) -> Result:
    """Build and publish a wheel and a source distribution."""
    source = _source(directory, dist, "flit_core.buildapi", "flit_core")
    code = _FLIT_MODULE.format(summary=_summary(dist), version=dist.version)
    (source / f"{dist.module}.py").write_text(code)
    env = {
        "FLIT_INDEX_URL": target.url,
        "FLIT_USERNAME": target.user,
        "FLIT_PASSWORD": target.password,
        "SOURCE_DATE_EPOCH": "1600000000",
        **target.env,
    }
    return client.run("flit", "publish", "--no-use-vcs", env=env, cwd=source)


def distutils(client: Client, directory: Path, dist: Dist, target: Target) -> Result:
    """Register, build and upload a source distribution, as ``python setup.py`` did until distutils went."""
    source = directory / "source"
    source.mkdir(parents=True, exist_ok=True)
    names = {"name": dist.project, "version": dist.version, "summary": _summary(dist), "module": dist.module}
    (source / "setup.py").write_text(_SETUP.format(**names))
    (source / f"{dist.module}.py").write_text("")
    client.home.mkdir(parents=True, exist_ok=True)
    said = _PYPIRC.format(url=target.url, user=target.user, password=target.password.replace("%", "%%"))
    (client.home / ".pypirc").write_text(said)
    env = {"SETUPTOOLS_USE_DISTUTILS": "local", **target.env}
    commands = ("register", "-r", "here", "sdist", "upload", "-r", "here")
    return client.run("python", "setup.py", *commands, env=env, cwd=source)


def _summary(dist: Dist) -> str:
    said = dist.metadata or b""
    return next(line.removeprefix("Summary: ") for line in said.decode().splitlines() if line.startswith("Summary: "))


def _project(directory: Path, dist: Dist) -> None:
    project = {"name": dist.project, "version": dist.version}
    (directory / "pyproject.toml").write_text(to_toml({"project": project}))


def _source(directory: Path, dist: Dist, backend: str, *requires: str) -> Path:
    source = directory / "source"
    source.mkdir(parents=True, exist_ok=True)
    project = {"name": dist.project, "dynamic": ["version", "description"]}
    build = {"requires": list(requires), "build-backend": backend}
    (source / "pyproject.toml").write_text(to_toml({"project": project, "build-system": build}))
    return source


def _publisher(tool: str, version: str, run: Publish, *, name: str = "", builds: bool = False) -> Publisher:
    return Publisher(name=name or f"{tool}-{version.rstrip('.*')}", tool=tool, version=version, run=run, builds=builds)


TWINE_4 = _publisher("twine", "4.*", twine)
TWINE_6 = _publisher("twine", "6.*", twine)
TWINE_7 = _publisher("twine", "7.*", twine)
UV_PUBLISH = _publisher("uv", "0.13.*", uv)
POETRY = _publisher("poetry", "2.*", poetry)
PDM = _publisher("pdm", "2.*", pdm)
HATCH = _publisher("hatch", "1.*", hatch)
FLIT = _publisher("flit", "4.*", flit, builds=True)
# The distutils in it can still do what setuptools itself refuses to.
DISTUTILS = _publisher("setuptools", "65.*", distutils, name="distutils", builds=True)

PUBLISHERS = (TWINE_4, TWINE_6, TWINE_7, UV_PUBLISH, POETRY, PDM, HATCH, FLIT, DISTUTILS)
