"""bandersnatch as a mirror of pypid: what was uploaded, byte for byte, and then only what has changed."""

from __future__ import annotations

from pathlib import Path

from tests.kit.clients import Client, client_venv
from tests.kit.dists import Dist, sdist, wheel
from tests.kit.site import Site

WHEEL, SOURCE, OTHER = wheel("copied", "1.0", size=300_000), sdist("copied", "1.0"), wheel("Other.Name")


class Mirror:
    """A directory that bandersnatch keeps like pypid."""

    def __init__(self, directory: Path, url: str) -> None:
        self._bandersnatch: Client = client_venv("bandersnatch", "6.*", home=directory / "home")
        self._web = directory / "mirror" / "web"
        self._config = directory / "bandersnatch.conf"
        self._config.write_text(
            f"[mirror]\ndirectory = {directory / 'mirror'}\nmaster = {url}\nallow-non-https = true\njson = true\n"
        )

    def update(self) -> str:
        result = self._bandersnatch.run("bandersnatch", "--config", self._config, "mirror")
        assert result.returncode == 0, result.stdout
        assert "ERROR" not in result.stdout, result.stdout
        return result.stdout

    def files(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (self._web / "packages").rglob("*") if path.is_file()}

    def page(self, project: str) -> str:
        return (self._web / "simple" / project / "index.html").read_text()


def _content(*dists: Dist) -> dict[str, bytes]:
    return {dist.filename: dist.content for dist in dists}


def test_a_mirror_of_what_was_uploaded(site: Site, tmp_path: Path) -> None:
    """The first time all of it, the next time what is new; projects of the upstream are not ours to be copied."""
    site.pypi.add(wheel("foreign"))
    site.publish(WHEEL, SOURCE)
    mirror = Mirror(tmp_path, site.http.url.rstrip("/"))
    mirror.update()
    assert mirror.files() == _content(WHEEL, SOURCE)
    assert WHEEL.sha256 in mirror.page("copied")

    site.publish(OTHER)
    newer = wheel("copied", "2.0")
    site.publish(newer)
    site.http.forget()
    mirror.update()
    assert mirror.files() == _content(WHEEL, SOURCE, OTHER, newer)
    assert len(site.http.exchanges("*/files/*")) == 2

    site.http.forget()
    mirror.update()
    assert site.http.take() == ["POST /pypi -> 200"]
