"""Real installers are given each URL that people type, and install what is uploaded and what is mirrored."""

from __future__ import annotations

from pathlib import Path

from tests.kit.clients import client_venv, make_venv, pip_install, twine_upload, version_in
from tests.kit.daemon import DaemonFactory
from tests.kit.dists import wheel
from tests.kit.site import Installer, each_installer
from tests.kit.upstream import ScriptedIndex, SocketUpstream

URLS = ("", "main/", "main", "+simple/", "main/+simple/", "main/simple", "root/dev/", "root/dev/+simple/")
MIRROR_URLS = ("root/pypi/", "root/pypi/+simple/", "root/pypi/+simple")

PASSWORD = "correct horse battery staple"


@each_installer
def test_every_url_is_an_index_url(
    installer: Installer,
    daemon: DaemonFactory,
    index: ScriptedIndex,
    upstream: SocketUpstream,
    tmp_path: Path,
) -> None:
    """The bare host among them; what is uploaded and what it needs from the mirror come by the same URL."""
    ours = wheel("acme-tools", "1.0", requires=["Public_Part"])
    public = index.add(wheel("public-part", "2.0"))
    layered = {"bases": ["root/pypi"]}
    d = daemon(
        config={
            "index": {
                "pypi": {"enabled": False},
                "root/pypi": {"upstream": upstream.url},
                "main": layered,
                "root/dev": layered,
            }
        }
    )
    d.add_user("alice", PASSWORD)
    twine = client_venv("twine", "7.*", home=tmp_path / "home")
    path = tmp_path / ours.filename
    path.write_bytes(ours.content)
    for target in ("", "root/dev/"):
        uploaded = twine_upload(twine, f"{d.url}{target}", "alice", PASSWORD, path)
        assert uploaded.returncode == 0, uploaded.stdout

    client = installer.client(tmp_path / "home")
    for number, url in enumerate((*URLS, *MIRROR_URLS)):
        wanted = [public] if url in MIRROR_URLS else [ours, public]
        target_python = make_venv(tmp_path / f"target-{number}")
        result = installer.install(client, target_python, wanted[0].project, index_url=f"{d.url}{url}")
        assert result.returncode == 0, (url, result.stdout)
        for dist in wanted:
            assert version_in(target_python, dist.module, home=tmp_path) == dist.version, url


def test_packages_is_a_page_of_links_to_find(daemon: DaemonFactory, tmp_path: Path) -> None:
    """As users of pypiserver have it: pip finds the file there without any index."""
    ours = wheel("acme-tools", "1.0")
    d = daemon(config={"index": {"pypi": {"enabled": False}, "main": {"bases": []}}})
    d.add_user("alice", PASSWORD)
    twine = client_venv("twine", "7.*", home=tmp_path / "home")
    path = tmp_path / ours.filename
    path.write_bytes(ours.content)
    assert twine_upload(twine, d.url, "alice", PASSWORD, path).returncode == 0
    pip = client_venv("pip", "26.*", home=tmp_path / "home")
    target = make_venv(tmp_path / "target")
    result = pip_install(pip, target, "--find-links", f"{d.url}packages/", "acme-tools")
    assert result.returncode == 0, result.stdout
    assert version_in(target, ours.module, home=tmp_path) == "1.0"
