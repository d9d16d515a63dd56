"""HTTPS by Twisted's ``ssl:`` in ``listen``, as docs/configure.md has it."""

from __future__ import annotations

from pathlib import Path

import pytest
import trustme

from tests.kit.clients import make_venv, version_in
from tests.kit.daemon import DaemonFactory
from tests.kit.dists import wheel
from tests.kit.processes import free_port
from tests.kit.site import PASSWORD, PIP_26, USER, UV, Installer


@pytest.mark.parametrize("installer", [PIP_26, UV], ids=str)
def test_upload_and_install(installer: Installer, daemon: DaemonFactory, tmp_path: Path) -> None:
    """Clients that trust the authority alone are sent what is between it and the certificate."""
    authority = trustme.CA()
    bundle, key, certificate, chain = (tmp_path / f"{name}.pem" for name in ("bundle", "key", "certificate", "chain"))
    authority.cert_pem.write_to_path(str(bundle))
    issued = authority.create_child_ca().issue_cert("localhost")
    issued.private_key_pem.write_to_path(str(key))
    own, *between = issued.cert_chain_pems
    own.write_to_path(str(certificate))
    for each in between:
        each.write_to_path(str(chain), append=True)
    port = free_port()
    pem = f"privateKey={key}:certKey={certificate}:extraCertChain={chain}"
    d = daemon(
        config={
            "server": {"listen": [f"ssl:{port}:{pem}:interface=127.0.0.1"]},
            "index": {"pypi": {"enabled": False}, "main": {"bases": []}},
        }
    )
    d.add_user(USER, PASSWORD)
    url, trust = f"https://localhost:{port}/", {"SSL_CERT_FILE": str(bundle), "PIP_CERT": str(bundle)}

    demo = wheel("demo", "1.0", size=2**20)
    path = tmp_path / demo.filename
    path.write_bytes(demo.content)
    who = {"UV_PUBLISH_USERNAME": USER, "UV_PUBLISH_PASSWORD": PASSWORD}
    uv = UV.client(tmp_path / "home")
    published = uv.run("uv", "publish", "--publish-url", url, path, env={**trust, **who})
    assert published.returncode == 0, published.stdout

    target = make_venv(tmp_path / "target")
    installed = installer.install(
        installer.client(tmp_path / "home"), target, "demo", index_url=f"{url}simple/", env=trust
    )
    assert installed.returncode == 0, installed.stdout
    assert version_in(target, demo.module, home=tmp_path) == "1.0"
