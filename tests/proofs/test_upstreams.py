"""Real installers through pypid from every shape of index, while it is there and when it is gone."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.kit.clients import Client, Result, client_venv, make_venv, pip_install, uv_pip_install, version_in
from tests.kit.daemon import Daemon, DaemonFactory
from tests.kit.dists import Dist, sdist, wheel
from tests.kit.projects import Project, ProjectTool, each_tool
from tests.kit.rawclient import get
from tests.kit.recorder import Recorder
from tests.kit.servers import devpi, http_server

Install = Callable[..., Result]

LEAF = sdist("leaf", "0.2")
DEMO = wheel("demo", "1.0+cpu", requires=["leaf"], size=300_000)
OLDER = wheel("demo", "0.9", requires=["nowhere"])
OTHER = wheel("other")
DISTS = (DEMO, OLDER, LEAF)

each_client = pytest.mark.parametrize(
    ("tool", "version", "install"),
    [
        pytest.param("pip", "26.*", pip_install, id="pip-26"),
        pytest.param("uv", "0.13.*", uv_pip_install, id="uv"),
    ],
)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How an index lays out its pages, as files of a directory that http.server serves."""

    upstream: str
    """Below the server's URL."""
    page: str = ""
    """Where a project's page is: a path with ``{project}``. Without one the server's own listing is it."""
    file: str = "{project}/{filename}"
    link: str = ""
    """What the page links to, with ``{path}`` and ``{filename}`` percent-encoded, and the digests."""
    attributes: str = ""
    settings: Mapping[str, object] = field(default_factory=dict)

    def write(self, directory: Path) -> None:
        pages: dict[str, list[str]] = {}
        for dist in DISTS:
            where = directory / self.file.format(project=dist.project, version=dist.version, filename=dist.filename)
            where.parent.mkdir(parents=True, exist_ok=True)
            where.write_bytes(dist.content)
            if self.page:
                page = self.page.format(project=dist.project)
                pages.setdefault(page, []).append(self._anchor(dist, str(where.relative_to(directory))))
        for page, links in pages.items():
            path = directory / page
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"<!DOCTYPE html><html><body><h1>Links</h1>{'<br/>'.join(links)}</body></html>")

    def _anchor(self, dist: Dist, path: str) -> str:
        href = self.link.format(
            path=quote(path),
            filename=quote(dist.filename),
            project=dist.project,
            version=quote(dist.version),
            sha256=dist.sha256,
            md5=hashlib.md5(dist.content, usedforsecurity=False).hexdigest(),
        )
        return f'<a href="{escape(href)}" {self.attributes}>{escape(dist.filename)}</a>'


SHAPES = {
    "a directory for each project": Shape(upstream=""),
    "one flat directory": Shape(upstream="", file="{filename}", settings={"layout": "find-links"}),
    "a page of links": Shape(
        upstream="whl/links.html",
        page="whl/links.html",
        file="whl/sub/{filename}",
        link="sub/{filename}",
        settings={"layout": "find-links"},
    ),
    "nexus": Shape(
        upstream="repository/all/simple/",
        page="repository/all/simple/{project}/index.html",
        file="repository/all/packages/{project}/{version}/{filename}",
        link="../../packages/{project}/{version}/{filename}#sha256={sha256}",
        attributes='rel="internal" data-requires-python="&gt;=3.8"',
    ),
    "artifactory": Shape(
        upstream="artifactory/api/pypi/all/simple",
        page="artifactory/api/pypi/all/simple/{project}/index.html",
        file="artifactory/api/pypi/all/packages/{filename}",
        link="../../packages/{filename}#md5={md5}",
        attributes='data-requires-python="&gt;=3.8" rel="internal"',
    ),
    "pytorch": Shape(
        upstream="whl/cpu",
        page="whl/cpu/{project}/index.html",
        file="whl/cpu/{filename}",
        link="/whl/cpu/{filename}",
        settings={"missing_status": [403]},
    ),
}


def installs(d: Daemon, tool: str, version: str, install: Install, place: Path) -> Client:
    """Resolve, fetch and install `DEMO` and what it requires into a new environment."""
    client = client_venv(tool, version, home=place)
    target = make_venv(place / "target")
    more = ["--no-build-isolation"] if tool == "uv" else []
    result = install(client, target, "demo", *more, index_url=d.simple)
    assert result.returncode == 0, result.stdout
    assert version_in(target, "demo", home=place) == DEMO.version
    assert version_in(target, "leaf", home=place) == LEAF.version
    return client


@each_client
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_shape(shape: Shape, tool: str, version: str, install: Install, daemon: DaemonFactory, tmp_path: Path) -> None:
    shape.write(tmp_path / "served")
    with http_server(tmp_path / "served") as root:
        d = daemon(config={"index": {"pypi": {"upstream": f"{root}{shape.upstream}", **shape.settings}}})
        installs(d, tool, version, install, tmp_path / "first")
        assert get(f"{d.simple}nothing/").status == 404
    installs(d, tool, version, install, tmp_path / "second")
    # A page of links says of every name whether it has it, for a minute after it was fetched.
    assert get(f"{d.simple}nowhere/").status in ({404} if "layout" in shape.settings else {502, 503})


@each_client
def test_another_pypid(tool: str, version: str, install: Install, daemon: DaemonFactory, tmp_path: Path) -> None:
    """Twice: what upstream says no sha256 of is marked all the same, and fetched once from the last in the row."""
    SHAPES["a directory for each project"].write(tmp_path / "served")
    with http_server(tmp_path / "served") as root:
        far = daemon(config={"index": {"pypi": {"upstream": root}}})
        d = daemon(config={"index": {"pypi": {"upstream": far.simple}}})
        installs(d, tool, version, install, tmp_path / "first")
    far.terminate()
    installs(d, tool, version, install, tmp_path / "second")


@each_client
def test_devpi(tool: str, version: str, install: Install, daemon: DaemonFactory, tmp_path: Path) -> None:
    with devpi(tmp_path, *DISTS) as index:
        d = daemon(config={"index": {"pypi": {"upstream": index}}})
        installs(d, tool, version, install, tmp_path / "first")
        assert get(f"{d.simple}nothing/").status == 404
    installs(d, tool, version, install, tmp_path / "second")


def test_a37_files_on_another_host_are_fetched_when_the_configuration_names_it(
    daemon: DaemonFactory, tmp_path: Path
) -> None:
    """Else it is an error that says what to name, and no empty project."""
    files = Shape(upstream="", file="{filename}")
    files.write(tmp_path / "files")
    with http_server(tmp_path / "files") as elsewhere:
        pages = Shape(
            upstream="", page="{project}/index.html", file="unused/{filename}", link=f"{elsewhere}{{filename}}"
        )
        pages.write(tmp_path / "pages")
        with http_server(tmp_path / "pages") as root:
            d = daemon(config={"index": {"pypi": {"upstream": root}}})
            host = elsewhere.removeprefix("http://").rstrip("/")
            answer = get(f"{d.simple}demo/")
            assert answer.status == 502
            assert host in answer.body.decode()
            assert "allow_hosts" in answer.body.decode()
            d.reload({"index": {"pypi": {"upstream": root, "allow_hosts": [host]}}})
            installs(d, "uv", "0.13.*", uv_pip_install, tmp_path / "one")


def test_replica_takes_over(daemon: DaemonFactory, tmp_path: Path) -> None:
    """Its pages and its files, while the first cannot be asked."""
    SHAPES["nexus"].write(tmp_path / "served")
    path = "repository/all/simple/"
    with http_server(tmp_path / "served") as replica:
        with http_server(tmp_path / "served") as first:
            d = daemon(config={"index": {"pypi": {"upstream": f"{first}{path}", "failover": [f"{replica}{path}"]}}})
            assert get(f"{d.simple}demo/").status == 200
        installs(d, "uv", "0.13.*", uv_pip_install, tmp_path / "one")


def test_hash_of_a_file_without_one_can_be_locked_when_it_has_come(daemon: DaemonFactory, tmp_path: Path) -> None:
    SHAPES["one flat directory"].write(tmp_path / "served")
    with http_server(tmp_path / "served") as root:
        d = daemon(config={"index": {"pypi": {"upstream": root, "layout": "find-links"}}})
        uv = installs(d, "uv", "0.13.*", uv_pip_install, tmp_path / "one")
        requirements = tmp_path / "requirements.in"
        requirements.write_text("demo\n")
        locked = uv.run(
            "uv", "pip", "compile", "--generate-hashes", "--default-index", d.simple, "--no-cache", requirements
        )
        assert f"--hash=sha256:{DEMO.sha256}" in locked.stdout, locked.stdout
        pip = client_venv("pip", "26.*", home=tmp_path / "two")
        lock = tmp_path / "requirements.txt"
        lock.write_text(f"demo=={DEMO.version} --hash=sha256:{DEMO.sha256}\nleaf==0.2 --hash=sha256:{LEAF.sha256}\n")
        target = make_venv(tmp_path / "target")
        result = pip_install(pip, target, "--require-hashes", "-r", lock, index_url=d.simple)
        assert result.returncode == 0, result.stdout


@each_tool
def test_tools_that_lock_take_files_without_a_digest(tool: ProjectTool, daemon: DaemonFactory, tmp_path: Path) -> None:
    """Marked as they are; poetry and pdm find their sha256 by fetching them."""
    directory = tmp_path / "served"
    directory.mkdir()
    (directory / OTHER.filename).write_bytes(OTHER.content)
    with http_server(directory) as root:
        d = daemon(config={"index": {"pypi": {"upstream": root, "layout": "find-links"}}})
        with Recorder(d.port) as recorder:
            project = Project(tool, recorder, tmp_path, "other")
            project.lock()
            assert OTHER.sha256 in project.lock_file.read_text()
            project.install()
    assert version_in(project.target, "other", home=tmp_path) == "1.0"


def test_each_project_comes_from_the_first_upstream_that_has_it(daemon: DaemonFactory, tmp_path: Path) -> None:
    """Also where a later one has a higher version, and while the first cannot be asked: then nobody is."""
    newer = wheel("demo", "9.0")
    for name, dists in (("first", [DEMO]), ("second", [newer, OTHER])):
        (tmp_path / name).mkdir()
        for dist in dists:
            (tmp_path / name / dist.filename).write_bytes(dist.content)
    with http_server(tmp_path / "second") as second:
        with http_server(tmp_path / "first") as first:
            mirrors = {
                name: {"upstream": url, "layout": "find-links", "ttl": 0, "grace": 0}
                for name, url in (("first", first), ("second", second))
            }
            d = daemon(config={"index": {**mirrors, "main": {"bases": ["first", "second"]}}})
            listed = get(f"{d.simple}demo/").body.decode()
            assert DEMO.version.replace("+", "%2B") in listed
            assert newer.filename not in listed
            assert get(f"{d.simple}other/").status == 200
        d.restart()
        assert get(f"{d.simple}demo/").status == 200, "it is kept"
        assert get(f"{d.simple}other/").status in {502, 503}, "the first may have it"
        assert get(f"{d.index_url('second')}other/").status == 200
