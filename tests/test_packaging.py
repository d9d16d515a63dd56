"""pypid as people install it: from a wheel, from an sdist, and editable, each in its own environment."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

import pypid

REPOSITORY = Path(pypid.__file__).parents[1]
NAME_AND_VERSION = f"pypid-{pypid.__version__}"
INSTALLED_HERE = Path(sysconfig.get_paths()["purelib"])


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run ``command`` to its success, away from this machine's settings for pip."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON", "UV_"))}
    environment = kept | {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    done = subprocess.run(command, cwd=cwd, env=environment, text=True, capture_output=True, check=False)
    assert done.returncode == 0, f"{command} exited {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


@dataclass(frozen=True)
class Environment:
    """A virtual environment that has what the running one has, except pypid."""

    root: Path

    @property
    def packages(self) -> Path:
        python = f"python{sys.version_info.major}.{sys.version_info.minor}"
        return self.root / "lib" / python / "site-packages"

    def pip(self, *arguments: str | Path) -> None:
        python = self.root / "bin" / "python"
        run(sys.executable, "-m", "pip", "--python", python, *arguments, cwd=self.root)

    def twistd(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        # -P: as for the script that pip makes, the current directory is not importable.
        start = "from twisted.scripts.twistd import run; run()"
        return run(self.root / "bin" / "python", "-P", "-c", start, *arguments, cwd=self.root)


def make_environment(root: Path) -> Environment:
    """
    Link, so that no network is needed and it takes no time, each installed distribution into a new environment.

    twisted/plugins becomes a real directory: plugins and their dropin.cache are written there.
    """
    venv.create(root, symlinks=True)
    environment = Environment(root)
    link_children(INSTALLED_HERE, environment.packages, without=("pypid", "_pypid", "twisted"))
    for metadata in INSTALLED_HERE.glob("twisted-*"):
        (environment.packages / metadata.name).symlink_to(metadata)
    twisted, linked = INSTALLED_HERE / "twisted", environment.packages / "twisted"
    linked.mkdir()
    link_children(twisted, linked, without=("plugins",))
    (linked / "plugins").mkdir()
    link_children(twisted / "plugins", linked / "plugins", without=("dropin.cache", "pypid_plugin", "__pycache__"))
    return environment


def link_children(source: Path, target: Path, *, without: tuple[str, ...]) -> None:
    for child in source.iterdir():
        if not child.name.startswith(without):
            (target / child.name).symlink_to(child)


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the sdist, and the wheel that was built from the sdist."""
    target = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-P", "-m", "build", "--no-isolation", "--outdir", target, REPOSITORY, cwd=target)
    return target


@pytest.fixture(params=["wheel", "sdist", "editable"])
def installed(request: pytest.FixtureRequest, distributions: Path, tmp_path: Path) -> Environment:
    """An environment in which pypid was installed in one of the three ways."""
    environment = make_environment(tmp_path / "venv")
    what: dict[str, tuple[str | Path, ...]] = {
        "wheel": (distributions / f"{NAME_AND_VERSION}-py3-none-any.whl",),
        "sdist": (distributions / f"{NAME_AND_VERSION}.tar.gz",),
        "editable": ("--editable", REPOSITORY),
    }
    environment.pip("install", "--no-deps", "--no-build-isolation", *what[request.param])
    return environment


def test_installed_pypid_is_a_twistd_command_until_uninstalled(installed: Environment) -> None:
    """`twistd --help` lists pypid, and no cache remembers it once it is gone."""
    described = "A private Python package index and PyPI mirror."
    for _ in ("without a cache", "from the cache that the first run wrote"):
        assert described in installed.twistd("--help").stdout
    installed.pip("uninstall", "--yes", "pypid")
    after = installed.twistd("--help")
    assert described not in after.stdout
    assert "portforward" in after.stdout
    assert after.stderr == ""


def test_installed_pypid_runs(installed: Environment) -> None:
    """Both commands find their code: `pypid --version` and `twistd pypid --help`."""
    assert pypid.__version__ in run(installed.root / "bin" / "pypid", "--version", cwd=installed.root).stdout
    assert "--config" in installed.twistd("pypid", "--help").stdout


def test_wheel_holds_the_program_alone(distributions: Path) -> None:
    """What pip puts into site-packages: every source file and every SQL file, and nothing of the repository's rest."""
    with zipfile.ZipFile(distributions / f"{NAME_AND_VERSION}-py3-none-any.whl") as wheel:
        names = {name for name in wheel.namelist() if not name.startswith(f"{NAME_AND_VERSION}.dist-info/")}
    program = {str(path.relative_to(REPOSITORY)) for path in (REPOSITORY / "pypid").rglob("*") if path.is_file()}
    program = {name for name in program if "__pycache__" not in name}
    assert names == program | {"twisted/plugins/pypid_plugin.py"}
    assert [name for name in names if name.startswith("pypid/storage/schema/") and name.endswith(".sql")]


def test_sdist_holds_what_a_packager_needs(distributions: Path) -> None:
    """The commented configuration, licence, tests and Makefile travel with the source; caches do not."""
    with tarfile.open(distributions / f"{NAME_AND_VERSION}.tar.gz") as sdist:
        names = {name.removeprefix(f"{NAME_AND_VERSION}/") for name in sdist.getnames()}
    assert {"etc/pypid.conf", "LICENSE", "README.md", "CHANGELOG.md", "Makefile", "docs/install.md"} <= names
    assert {"twisted/plugins/pypid_plugin.py", "tests/test_packaging.py"} <= names
    assert not [name for name in names if name.endswith((".pyc", "dropin.cache", ".db"))]


def test_environments_start_without_pypid(tmp_path: Path) -> None:
    """The tests above do not see the pypid of the environment that they run in."""
    environment = make_environment(tmp_path / "venv")
    find = "import importlib.util as u; print(u.find_spec('pypid'), u.find_spec('twisted.plugins.pypid_plugin'))"
    assert run(environment.root / "bin" / "python", "-P", "-c", find, cwd=tmp_path).stdout.strip() == "None None"
