"""What vouches for a file: uploaded by real clients, verified, and found by readers (P6 of the matrix)."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import trustme
from pypi_attestations import GitHubPublisher, Provenance
from pypi_simple import PyPISimple

from tests.kit.clients import client_venv, make_venv, twine_upload, uv_publish, version_in
from tests.kit.daemon import Config, Daemon, DaemonFactory
from tests.kit.dists import Dist, sdist, wheel
from tests.kit.processes import free_port, run
from tests.kit.rawclient import get
from tests.kit.sigstore import PUBLISH, SLSA, Sigstore
from tests.kit.site import PASSWORD, PIP_26, USER, UV
from tests.kit.toml import to_toml

SIGNERS = Sigstore()
SIGNATURE = b"-----BEGIN PGP SIGNATURE-----\n\niHUEABYKAB0WIQ==\n=abcd\n-----END PGP SIGNATURE-----\n"


def config_of(directory: Path, attestations: str, **server: Any) -> Config:
    """Two indexes for uploads, of which ``free`` demands nothing, and nobody to ask."""
    root = SIGNERS.write_trusted_root(directory)
    return {
        "server": {"sigstore_root": str(root), **server},
        "index": {
            "main": {"bases": [], "attestations": attestations},
            "free": {},
            "pypi": {"enabled": False},
        },
    }


def written(directory: Path, dist: Dist, *, signers: Sigstore = SIGNERS, kinds: Mapping[str, str]) -> Path:
    """Write ``dist`` and its attestations beside it, as ``pypi-attestations sign`` does."""
    directory.mkdir(exist_ok=True)
    path = directory / dist.filename
    path.write_bytes(dist.content)
    for name, predicate in kinds.items():
        attestation = json.dumps(signers.attest(dist, predicate))
        path.with_name(f"{dist.filename}.{name}.attestation").write_text(attestation)
    return path


def provenance(d: Daemon, dist: Dist, index: str = "") -> Provenance:
    answer = get(f"{d.url}{index}files/{dist.project}/{dist.sha256[:16]}/{dist.filename}.provenance")
    assert answer.status == 200
    return Provenance.model_validate_json(answer.body)


def kinds_in(found: Provenance) -> set[str]:
    (bundle,) = found.attestation_bundles
    assert isinstance(bundle.publisher, GitHubPublisher)
    assert (bundle.publisher.repository, bundle.publisher.workflow) == ("acme/demo", "release.yml")
    return {attestation.statement["predicateType"] for attestation in bundle.attestations}


def test_twine_and_uv(daemon: DaemonFactory, tmp_path: Path) -> None:
    """They send them before and after the file; who demands them gets them, verified, and still after a restart."""
    d = daemon(config=config_of(tmp_path, "require"))
    d.add_user(USER, PASSWORD)
    twine, uv = client_venv("twine", "7.*", home=tmp_path / "home"), UV.client(tmp_path / "home")
    by_twine, by_uv, bare = wheel("demo", "1.0"), sdist("demo", "1.0"), wheel("demo", "2.0")

    path = written(tmp_path / "twine", by_twine, kinds={"publish": PUBLISH, "slsa": SLSA})
    files = [path, *path.parent.glob("*.attestation")]
    result = twine_upload(twine, d.url, USER, PASSWORD, "--attestations", *files)
    assert result.returncode == 0, result.stdout
    path = written(tmp_path / "uv", by_uv, kinds={"publish": PUBLISH})
    result = uv_publish(uv, f"{d.url}legacy/", USER, PASSWORD, path, *path.parent.glob("*.attestation"))
    assert result.returncode == 0, result.stdout
    path = written(tmp_path / "bare", bare, kinds={})
    result = twine_upload(twine, d.url, USER, PASSWORD, path)
    assert result.returncode != 0
    assert "takes no file without them" in " ".join(result.stdout.split())

    for _ in range(2):
        assert kinds_in(provenance(d, by_twine)) == {PUBLISH, SLSA}
        assert kinds_in(provenance(d, by_uv)) == {PUBLISH}
        d.restart()


def test_signed_by_somebody_else(daemon: DaemonFactory, tmp_path: Path) -> None:
    """The uploader is told; the next attempt with the right ones is welcome."""
    d = daemon(config=config_of(tmp_path, "verify"))
    d.add_user(USER, PASSWORD)
    uv, demo = UV.client(tmp_path / "home"), wheel("demo", "1.0")
    path = written(tmp_path / "dist", demo, signers=Sigstore(), kinds={"publish": PUBLISH})
    result = uv_publish(uv, d.url, USER, PASSWORD, path, *path.parent.glob("*.attestation"))
    assert result.returncode != 0
    assert "Invalid attestations supplied during upload: the signature cannot be verified" in result.stdout
    assert get(f"{d.simple}demo/").status == 404
    written(tmp_path / "dist", demo, kinds={"publish": PUBLISH})
    result = uv_publish(uv, d.url, USER, PASSWORD, path, *path.parent.glob("*.attestation"))
    assert result.returncode == 0, result.stdout
    assert kinds_in(provenance(d, demo)) == {PUBLISH}


def test_readers_find_it_on_the_page(daemon: DaemonFactory, tmp_path: Path) -> None:
    """Over TLS, by an absolute URL; installers mind it as little as a page without."""
    authority = trustme.CA()
    bundle, key = tmp_path / "bundle.pem", tmp_path / "key.pem"
    authority.cert_pem.write_to_path(str(bundle))
    issued = authority.issue_cert("localhost")
    issued.private_key_and_cert_chain_pem.write_to_path(str(key))
    port = free_port()
    key.chmod(0o600)
    tls = {"listen": [f"tls:{port}:interface=127.0.0.1"], "certificates": [str(key)]}
    d = daemon(config=config_of(tmp_path, "check", **tls))
    d.add_user(USER, PASSWORD)
    demo = wheel("demo", "1.0")
    path = written(tmp_path / "dist", demo, kinds={"publish": PUBLISH})
    result = uv_publish(UV.client(tmp_path / "home"), d.url, USER, PASSWORD, path, *path.parent.glob("*.attestation"))
    assert result.returncode == 0, result.stdout

    url = f"https://localhost:{port}/simple/"
    with PyPISimple(url) as reader:
        reader.s.trust_env, reader.s.verify = False, str(bundle)
        (package,) = reader.get_project_page("demo").packages
        found = reader.get_provenance(package)
    assert (
        package.provenance_url == f"{url.removesuffix('simple/')}files/demo/{demo.sha256[:16]}/{path.name}.provenance"
    )
    assert kinds_in(Provenance.model_validate(found)) == {PUBLISH}
    trust = {"SSL_CERT_FILE": str(bundle), "PIP_CERT": str(bundle)}
    for installer in (PIP_26, UV):
        target = make_venv(tmp_path / f"{installer}")
        client = installer.client(tmp_path / "home")
        result = installer.install(client, target, "demo", index_url=url, env=trust)
        assert result.returncode == 0, result.stdout
        assert version_in(target, demo.module, home=tmp_path) == "1.0"


def test_twine_brings_a_signature(daemon: DaemonFactory, tmp_path: Path) -> None:
    """Which gpg made beforehand. It is beside the file, and there is nothing about it on the page."""
    d = daemon(config=config_of(tmp_path, "check"))
    d.add_user(USER, PASSWORD)
    demo = wheel("demo", "1.0")
    path = written(tmp_path / "dist", demo, kinds={})
    signature = path.with_name(f"{path.name}.asc")
    signature.write_bytes(SIGNATURE)
    twine = client_venv("twine", "7.*", home=tmp_path / "home")
    result = twine_upload(twine, d.url, USER, PASSWORD, path, signature)
    assert result.returncode == 0, result.stdout
    for _ in range(2):
        answer = get(f"{d.url}files/demo/{demo.sha256[:16]}/{path.name}.asc")
        assert (answer.status, answer.body) == (200, SIGNATURE)
        assert b".asc" not in get(f"{d.simple}demo/").body
        d.restart()


@pytest.mark.parametrize("attestations", ["verify", "require"])
def test_without_the_extra_a_start_is_refused(attestations: str, tmp_path: Path) -> None:
    """By the daemon and by check-config alike; where it is not demanded, nothing is said."""
    config = {**config_of(tmp_path, attestations)}
    config["server"] = {"data": str(tmp_path / "data"), "listen": [f"tcp:{free_port()}:interface=127.0.0.1"]}
    path = tmp_path / "own.conf"
    for demanded, code in ((attestations, os.EX_CONFIG), ("check", 0)):
        config["index"]["main"]["attestations"] = demanded
        path.write_text(to_toml(config), encoding="utf-8")
        said = _without_extra("from pypid.cli.main import main; main()", "check-config", path, home=tmp_path)
        assert said.returncode == code, said.stdout
        assert ("pip install 'pypid[attestations]'" in said.stdout) == (code != 0)
    config["index"]["main"]["attestations"] = attestations
    path.write_text(to_toml(config), encoding="utf-8")
    twistd = "from twisted.scripts.twistd import run; run()"
    said = _without_extra(twistd, "-n", "--pidfile=", "pypid", "--config", path, home=tmp_path)
    assert said.returncode == os.EX_CONFIG, said.stdout
    assert "pip install 'pypid[attestations]'" in said.stdout


def _without_extra(program: str, *args: str | Path, home: Path) -> Any:
    hidden = "import sys; sys.modules['pypi_attestations'] = None"
    return run([sys.executable, "-c", f"{hidden}; {program}", *args], home=home, timeout=30)
