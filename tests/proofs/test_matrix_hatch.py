"""The client matrix for hatch: what it publishes, what it leaves out, and where its environments come from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kit.clients import Client, client_venv
from tests.kit.dists import Dist, wheel
from tests.kit.rawclient import get
from tests.kit.site import PASSWORD, USER, Site
from tests.kit.toml import to_toml

OURS = wheel("of-hatch", "1.0")


@pytest.fixture
def hatch(tmp_path: Path) -> Client:
    return client_venv("hatch", "1.*", home=tmp_path / "home")


def _publish(hatch: Client, url: str, dist: Dist, directory: Path, *, password: str = PASSWORD) -> tuple[int, str]:
    """Return the exit code and what is said."""
    directory.mkdir(exist_ok=True)
    path = directory / dist.filename
    path.write_bytes(dist.content)
    env = {"HATCH_INDEX_USER": USER, "HATCH_INDEX_AUTH": password}
    result = hatch.run("hatch", "publish", "--no-prompt", "--repo", url, path, env=env)
    return result.returncode, result.stdout


def test_row_p2_what_is_published_is_not_sent_again(hatch: Client, site: Site, tmp_path: Path) -> None:
    """Row 2, too: hatch looks for the names of the files in the page's HTML, since it names no type."""
    site.http.forget()
    for said in ("success", "already exists"):
        code, output = _publish(hatch, site.http.url, OURS, tmp_path / "dist")
        assert code == 0, output
        assert said in output
    exchanges = site.http.exchanges()
    looks = "GET /%2Bsimple/of-hatch/ cache-control=no-cache"
    assert list(map(str, exchanges)) == [f"{looks} -> 404", "POST / -> 200", f"{looks} -> 200"]
    assert exchanges[-1].asked["accept"] == "*/*"
    assert exchanges[-1].answered["content-type"] == "text/html; charset=utf-8"


def test_row_p3_other_bytes_under_a_published_name(hatch: Client, site: Site, tmp_path: Path) -> None:
    """hatch leaves them out where it finds the name, whichever URL for uploads it is given."""
    name = "changing"
    site.http.forget()
    assert _publish(hatch, site.http.url, wheel(name), tmp_path / "one")[0] == 0
    other = wheel(name, summary="Another")
    for url in (site.http.url, f"{site.http.url}legacy/", f"{site.http.url}main/legacy/"):
        code, output = _publish(hatch, url, other, tmp_path / "two")
        assert (code, "already exists" in output) == (0, True), output
    assert [each.status for each in site.http.exchanges() if each.method == "POST"] == [200]
    assert wheel(name).sha256 in get(f"{site.daemon.simple}{name}/").body.decode()


def test_row_p4_a_wrong_password(hatch: Client, site: Site, tmp_path: Path) -> None:
    code, output = _publish(hatch, site.http.url, wheel("kept-out"), tmp_path / "dist", password="wrong")
    assert code != 0
    assert "401" in output
    assert get(f"{site.daemon.simple}kept-out/").status == 404


@pytest.mark.parametrize(("installer", "variable"), [("pip", "PIP_INDEX_URL"), ("uv", "UV_DEFAULT_INDEX")])
def test_an_environment_comes_from_pypid(
    hatch: Client, installer: str, variable: str, site: Site, tmp_path: Path
) -> None:
    """Whichever installer fills it."""
    site.publish(wheel("needed", "3.0"))
    project = tmp_path / "project"
    project.mkdir()
    default = {
        "installer": installer,
        "skip-install": True,
        "dependencies": ["needed"],
        "env-vars": {variable: site.https.index_url("main"), "PYTHONPATH": ""},
    }
    tables = {"project": {"name": "own", "version": "1"}, "tool": {"hatch": {"envs": {"default": default}}}}
    (project / "pyproject.toml").write_text(to_toml(tables))
    code = "import needed; print(needed.__version__)"
    result = hatch.run("hatch", "run", "python", "-c", code, env=site.https.env, cwd=project)
    assert result.returncode == 0, result.stdout
    assert result.stdout.endswith("3.0\n")
