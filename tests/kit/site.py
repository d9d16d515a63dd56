"""
A pypid as a team has it, in front of two upstreams, with every request recorded.

    alice = Person(PIP_26, site.https, tmp_path)
    site.publish(wheel("demo", "1.0"))
    alice.install("demo")
    assert site.https.take("/simple/*") == ["GET /simple/demo/ -> 200"]

The fixture ``site`` in ``tests/proofs/conftest.py`` has one for all tests of a module: each has projects of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TypeVar

import pytest

from tests.kit.clients import Client, Result, client_venv, make_venv, pip_install, uv_pip_install, uv_publish
from tests.kit.daemon import Daemon
from tests.kit.dists import Dist
from tests.kit.recorder import Certificate, Recorder
from tests.kit.upstream import PageStyle, ScriptedIndex, SocketUpstream

T = TypeVar("T")
USER, PASSWORD = "alice", "correct horse battery staple"
_NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Installer:
    """A kind of client that installs into an environment."""

    name: str
    tool: str
    version: str
    install: Callable[..., Result]

    def __str__(self) -> str:
        return self.name

    def client(self, home: Path) -> Client:
        return client_venv(self.tool, self.version, home=home)


PIP_23 = Installer(name="pip-23.3", tool="pip", version="23.3.*", install=pip_install)
PIP_25 = Installer(name="pip-25.3", tool="pip", version="25.3.*", install=pip_install)
# From 26.2 on pip keeps a page for as long as it is told to.
PIP_26 = Installer(name="pip-26", tool="pip", version="26.*", install=pip_install)
UV = Installer(name="uv-0.13", tool="uv", version="0.13.*", install=uv_pip_install)
INSTALLERS = (PIP_23, PIP_25, PIP_26, UV)

each_installer = pytest.mark.parametrize("installer", INSTALLERS, ids=str)


def per_installer(expected: Mapping[Installer, T]) -> pytest.MarkDecorator:
    """Run the test for each installer in the table, with what is ``expected`` of it."""
    return pytest.mark.parametrize(("installer", "expected"), list(expected.items()), ids=map(str, expected))


class Site:
    """
    The indexes are ``main`` for uploads, based on ``pypi``, and the mirrors ``pypi`` and ``html``.

    The upstream of ``html`` has neither JSON nor sizes nor upload times.
    """

    def __init__(
        self, daemon: Daemon, pypi: ScriptedIndex, html: ScriptedIndex, http: Recorder, https: Recorder
    ) -> None:
        self.daemon = daemon
        self.pypi = pypi
        self.html = html
        self.http = http
        self.https = https

    def publish(self, *dists: Dist) -> None:
        """Upload to ``main``."""
        home = self.daemon.directory / "publisher"
        for dist in dists:
            home.mkdir(exist_ok=True)
            path = home / dist.filename
            path.write_bytes(dist.content)
            published = uv_publish(UV.client(home), f"{self.daemon.url}legacy/", USER, PASSWORD, path)
            assert published.returncode == 0, published.stdout


@contextmanager
def running_site(directory: Path) -> Iterator[Site]:
    pypi, html = ScriptedIndex(), ScriptedIndex(PageStyle(json=False, sizes=False, upload_times=False))
    with ExitStack() as ends:
        upstreams = [ends.enter_context(SocketUpstream(index)) for index in (pypi, html)]
        mirrors = {name: {"upstream": each.url} for name, each in zip(("pypi", "html"), upstreams, strict=True)}
        daemon = Daemon(directory / "daemon", {"index": mirrors})
        ends.callback(daemon.kill)
        daemon.start()
        daemon.add_user(USER, PASSWORD)
        certificate = Certificate(directory)
        http = ends.enter_context(Recorder(daemon.port))
        https = ends.enter_context(Recorder(daemon.port, certificate=certificate))
        yield Site(daemon, pypi, html, http, https)
        daemon.check_invariants()


class Person:
    """Somebody with one client, whose cache is empty at first, and who installs into a new environment each time."""

    def __init__(self, installer: Installer, recorder: Recorder, directory: Path) -> None:
        self.installer = installer
        self.recorder = recorder
        self.client = installer.client(directory / "home")
        self._targets = (directory / f"target-{number}" for number in count())
        self.target = directory
        """The python of the environment that was installed into last."""

    def install(
        self,
        *args: str | Path,
        index: str = "main",
        index_url: str | None = None,
        env: Mapping[str, str] = _NOTHING,
        fails: bool = False,
    ) -> str:
        """Install, and return what is said; `AssertionError` where it goes otherwise than expected."""
        self.target = make_venv(next(self._targets))
        url = self.recorder.index_url(index) if index_url is None else index_url
        env = {**self.recorder.env, **env}
        result = self.installer.install(self.client, self.target, *args, index_url=url, env=env)
        assert (result.returncode != 0) == fails, result.stdout
        return " ".join(result.stdout.split())
