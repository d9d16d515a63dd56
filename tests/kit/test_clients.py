from pathlib import Path

import pytest

from tests.kit.clients import client_venv, make_venv, pip_install, uv_pip_install, version_in
from tests.kit.dists import Dist, sdist, wheel
from tests.kit.toml import to_toml
from tests.kit.upstream import ScriptedIndex, SocketUpstream


def write(directory: Path, *dists: Dist) -> Path:
    directory.mkdir()
    for dist in dists:
        (directory / dist.filename).write_bytes(dist.content)
    return directory


@pytest.mark.parametrize("version", ["26.*", "25.3.*", "23.3.*"])
def test_pip_installs_our_wheel_and_what_it_requires(tmp_path: Path, version: str) -> None:
    pip = client_venv("pip", version, home=tmp_path)
    assert f"pip {version.rstrip('.*')}" in pip.run("python", "-m", "pip", "--version").stdout
    files = write(tmp_path / "files", wheel("Demo.Pkg", "1.2", requires=["other>=2"]), wheel("other", "2.0"))
    target = make_venv(tmp_path / "target")
    result = pip_install(pip, target, "--find-links", files, "Demo-Pkg")
    assert result.returncode == 0, result.stdout
    assert version_in(target, "demo_pkg", home=tmp_path) == "1.2"
    assert version_in(target, "other", home=tmp_path) == "2.0"
    assert version_in(target, "absent", home=tmp_path) == ""


@pytest.mark.parametrize("flags", [(), ("--no-build-isolation",)])
def test_pip_builds_our_sdist_without_a_network(tmp_path: Path, flags: tuple[str, ...]) -> None:
    pip = client_venv("pip", "26.*", home=tmp_path)
    files = write(tmp_path / "files", sdist("Demo.Pkg", "1.2"))
    target = make_venv(tmp_path / "target")
    result = pip_install(pip, target, *flags, "--find-links", files, "demo-pkg")
    assert result.returncode == 0, result.stdout
    assert version_in(target, "demo_pkg", home=tmp_path) == "1.2"


def test_uv_installs_our_files(tmp_path: Path) -> None:
    uv = client_venv("uv", "0.*", home=tmp_path)
    files = write(tmp_path / "files", sdist("from-source", "1.0"), wheel("demo", "1.2", requires=["from-source"]))
    target = make_venv(tmp_path / "target")
    result = uv_pip_install(uv, target, "--find-links", files, "demo")
    assert result.returncode == 0, result.stdout
    assert version_in(target, "from_source", home=tmp_path) == "1.0"


def test_twine_takes_our_files_for_good_ones(tmp_path: Path) -> None:
    twine = client_venv("twine", "7.*", home=tmp_path)
    files = write(tmp_path / "files", sdist("demo", "1.2"), wheel("demo", "1.2"))
    result = twine.run("twine", "check", *files.iterdir())
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("tool", "version"),
    [("uv", "0.13.*"), ("twine", "7.*"), ("poetry", "2.*"), ("pdm", "2.*"), ("hatch", "1.*"), ("bandersnatch", "6.*")],
)
def test_a_client_is_the_one_that_was_asked_for(tmp_path: Path, tool: str, version: str) -> None:
    result = client_venv(tool, version, home=tmp_path).run(tool, "--version")
    assert result.returncode == 0, result.stdout
    assert f" {version.rstrip('*')}" in result.stdout


def test_pdm_reads_an_index(tmp_path: Path, index: ScriptedIndex, upstream: SocketUpstream) -> None:
    """With what it is installed with; with newer ones it says its version and no more."""
    index.add(wheel("demo", "1.2"))
    project = tmp_path / "project"
    project.mkdir()
    own = {"name": "own", "version": "1", "requires-python": ">=3.11", "dependencies": ["demo"]}
    source = {"name": "pypi", "url": upstream.url, "verify_ssl": False}
    toml = to_toml({"project": own}) + f"[[tool.pdm.source]]\n{to_toml(source)}"
    (project / "pyproject.toml").write_text(toml)
    pdm = client_venv("pdm", "2.*", home=tmp_path / "home")
    result = pdm.run("pdm", "lock", cwd=project)
    assert result.returncode == 0, result.stdout
    assert index.count("GET", "/simple/demo/") > 0


def test_real_clients_install_from_the_scripted_upstream(
    tmp_path: Path, index: ScriptedIndex, upstream: SocketUpstream
) -> None:
    """The upstream that all later tests trust is one that real clients take for an index."""
    index.add(wheel("demo", "1.2", size=100_000))
    for tool, version, install in (("pip", "26.*", pip_install), ("uv", "0.*", uv_pip_install)):
        client = client_venv(tool, version, home=tmp_path)
        target = make_venv(tmp_path / tool)
        result = install(client, target, "demo", index_url=upstream.url)
        assert result.returncode == 0, result.stdout
        assert version_in(target, "demo", home=tmp_path) == "1.2"
    assert index.count("GET", "/simple/demo/") == 2
