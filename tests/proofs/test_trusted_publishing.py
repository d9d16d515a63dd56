"""P10: `uv publish` in a CI job that has no password, and an issuer that signs what it says."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path

import pytest

from pypid.domain.tokens import is_token
from tests.kit.clients import Result, client_venv
from tests.kit.dists import wheel
from tests.kit.issuer import RsaKey, RunningIssuer
from tests.kit.processes import clean_environment, eventually, free_port
from tests.kit.recorder import Certificate, Recorder
from tests.kit.toml import to_toml

REPOSITORY = Path(__file__).parents[2]


class Scene:
    """A CI service, a server that trusts one repository of it, and a job."""

    def __init__(self, directory: Path, ends: ExitStack) -> None:
        self.directory = directory
        certificate = Certificate(directory)
        self.issuer = ends.enter_context(RunningIssuer(certificate.context))
        self.port = free_port()
        self._start(certificate, ends)
        self.recorder = ends.enter_context(Recorder(self.port, certificate=certificate))
        self.trust = certificate.trust
        self.uv = client_venv("uv", "0.13.*", home=directory)

    def _start(self, certificate: Certificate, ends: ExitStack) -> None:
        publisher = {
            "issuer": self.issuer.url,
            "ca_file": certificate.bundle,
            "index": "main",
            "projects": ["demo"],
            "claims": {"repository": "acme/app", "ref": "refs/tags/*", "environment": "release"},
        }
        config = self.directory / "pypid.conf"
        indexes = {"pypi": {"enabled": False}, "main": {"bases": []}}
        config.write_text(to_toml({"index": indexes, "publisher": {"app": publisher}}))
        log = ends.enter_context((self.directory / "log").open("wb"))
        server = subprocess.Popen(
            [sys.executable, "-m", "tests.kit.publishing_server", config, str(self.port)],
            cwd=REPOSITORY, stderr=log, env=clean_environment(self.directory),
        )  # fmt: skip
        ends.callback(server.wait)
        ends.callback(server.terminate)
        assert eventually(self._listens, 20), self.log

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port)).close()
        except ConnectionRefusedError:
            return False
        return True

    @property
    def log(self) -> str:
        return (self.directory / "log").read_text()

    def publish(self, version: str = "1.0", job: Mapping[str, str] | None = None) -> Result:
        """Run `uv publish` as a job does: with no credentials at all."""
        dist = wheel("demo", version)
        path = self.directory / dist.filename
        path.write_bytes(dist.content)
        url = f"{self.recorder.url}main/legacy/"
        env = {**(self.issuer.job if job is None else job), **self.trust}
        return self.uv.run("uv", "publish", "--trusted-publishing", "always", "--publish-url", url, path, env=env)

    def upload(self, authorization: str) -> int:
        """Return the status of an upload, of nothing, with these credentials."""
        connection = HTTPConnection("127.0.0.1", self.port)
        connection.request("POST", "/main/legacy/", headers={"Authorization": authorization})
        status = connection.getresponse().status
        connection.close()
        return status

    def published(self) -> dict[str, str]:
        """Return the names of the files that were kept, each with who uploaded it."""
        records = [json.loads(path.read_bytes()) for path in (self.directory / "pypid-data/records").rglob("*.json")]
        return {record["filename"]: record["uploaded_by"] for record in records}


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with ExitStack() as ends:
        yield Scene(tmp_path, ends)


def test_uv_publishes_without_a_password(scene: Scene) -> None:
    """It finds everything out by itself, and gives the token back when it is done."""
    result = scene.publish()
    assert result.returncode == 0, result.stdout + scene.log
    assert scene.published() == {"demo-1.0-py3-none-any.whl": "publisher:app (acme/app@refs/tags/v1.0)"}
    assert scene.issuer.asked == ["/token", "/.well-known/openid-configuration", "/keys"]
    (uploaded,) = scene.recorder.exchanges("/main/legacy/")
    assert scene.recorder.take() == [
        "GET /_/oidc/audience -> 200",
        "POST /_/oidc/mint-token -> 200",
        "POST /main/legacy/ -> 200",
        "POST /_/oidc/burn-token -> 202",
    ]
    assert scene.upload(uploaded.asked["authorization"]) == 401


def test_next_job_asks_the_issuer_for_no_more_than_a_token(scene: Scene) -> None:
    for version in ("1.0", "2.0"):
        assert scene.publish(version).returncode == 0, scene.log
    assert len(scene.published()) == 2
    assert scene.issuer.asked == ["/token", "/.well-known/openid-configuration", "/keys", "/token"]


def test_pdm_publishes_without_a_password(scene: Scene) -> None:
    """It gives nothing back: its token ends by itself."""
    project = scene.directory / "project"
    (project / "dist").mkdir(parents=True)
    (project / "pyproject.toml").write_text('[project]\nname = "demo"\nversion = "1.0"\n')
    dist = wheel("demo")
    (project / "dist" / dist.filename).write_bytes(dist.content)
    pdm = client_venv("pdm", "2.*", home=scene.directory)
    url = f"{scene.recorder.url}main/legacy/"
    env = {**scene.issuer.job, **scene.trust}
    bundle = scene.trust["SSL_CERT_FILE"]
    command = ["pdm", "publish", "--no-build", "--repository", url, "--ca-certs", bundle]
    result = pdm.run(*command, cwd=project, env=env)
    assert result.returncode == 0, result.stdout + scene.log
    assert list(scene.published()) == [dist.filename]
    assert [str(each) for each in scene.recorder.exchanges()][:2] == [
        "GET /_/oidc/audience -> 200",
        "POST /_/oidc/mint-token -> 200",
    ]


def test_gitlab_job(scene: Scene) -> None:
    """Its token is in a variable that is called after the audience."""
    job = {"CI": "true", "GITLAB_CI": "true", "PYPID_ID_TOKEN": scene.issuer.token("pypid")}
    result = scene.publish(job=job)
    assert result.returncode == 0, result.stdout
    again = scene.publish("2.0", job)
    assert again.returncode != 0
    assert "invalid-reuse-token" in again.stdout
    assert list(scene.published()) == ["demo-1.0-py3-none-any.whl"]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"repository": "evil/app"}, "invalid-publisher"),
        ({"environment": None}, "invalid-publisher"),
        ({"aud": "pypi"}, "invalid-token"),
        ({"exp": 1_700_000_000}, "invalid-token"),
    ],
)
def test_other_jobs_are_told_why_not(scene: Scene, changed: dict[str, object], code: str) -> None:
    scene.issuer.changed = changed
    result = scene.publish()
    assert result.returncode != 0
    assert code in result.stdout
    assert scene.published() == {}


def test_stranger_s_signature(scene: Scene) -> None:
    """He knows what the issuer says, and not its key."""
    scene.issuer.changed = {"key": RsaKey()}
    result = scene.publish()
    assert result.returncode != 0
    assert "signature" in result.stdout
    assert scene.published() == {}


def test_no_secret_is_in_the_log_or_on_the_disk(scene: Scene) -> None:
    """E17: neither the identity token nor what it was exchanged for, whether all went well or not."""
    assert scene.publish().returncode == 0, scene.log
    scene.issuer.changed = {"repository": "evil/app"}
    assert scene.publish("2.0").returncode != 0
    (uploaded,) = scene.recorder.exchanges("/main/legacy/")
    basic = uploaded.asked["authorization"].removeprefix("Basic ")
    token = b64decode(basic).removeprefix(b"__token__:")
    assert is_token(token.decode())
    secrets = [basic.encode(), token, *(each.rpartition(".")[2].encode() for each in scene.issuer.given)]
    assert len(secrets) == 4
    kept = [path for path in (scene.directory / "pypid-data").rglob("*") if path.is_file()]
    for path in (scene.directory / "log", *kept):
        content = path.read_bytes()
        assert not [secret for secret in secrets if secret in content], path
