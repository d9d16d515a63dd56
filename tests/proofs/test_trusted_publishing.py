"""P10: `uv publish` in a CI job that has no password, and an issuer that signs what it says."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from pypid.domain.tokens import is_token
from tests.kit.clients import Result, client_venv
from tests.kit.daemon import Config, Daemon, DaemonFactory
from tests.kit.dists import wheel
from tests.kit.issuer import RsaKey, RunningIssuer
from tests.kit.processes import free_port
from tests.kit.rawclient import get
from tests.kit.recorder import Certificate, Recorder


class Scene:
    """
    A CI service, a daemon that trusts one repository of it, and a job.

    The daemon has no users at all.
    """

    def __init__(self, start: DaemonFactory, directory: Path, ends: ExitStack) -> None:
        self.directory = directory
        self._certificate = Certificate(directory)
        self.trust = self._certificate.trust
        self.issuer = ends.enter_context(RunningIssuer(self._certificate.context))
        self._tls = free_port()
        self.daemon: Daemon = start(self.config())
        self.url = f"https://localhost:{self._tls}/"
        self.recorder = ends.enter_context(Recorder(self.daemon.port, certificate=self._certificate))
        self.uv = client_venv("uv", "0.13.*", home=directory)

    def config(self, **publishers: object) -> Config:
        """Return the daemon's configuration, with the publisher ``app`` if none is named."""
        listen = [f"tls:{self._tls}:interface=127.0.0.1"]
        return {
            "server": {"listen": listen, "certificates": [str(self._certificate.pem)]},
            "index": {"pypi": {"enabled": False}, "main": {"bases": [], "read": ["authenticated"]}},
            "publisher": publishers or {"app": self.publisher("acme/app")},
        }

    def publisher(self, repository: str) -> dict[str, object]:
        return {
            "issuer": self.issuer.url,
            "ca_file": str(self._certificate.bundle),
            "index": "main",
            "projects": ["demo"],
            "claims": {"repository": repository, "ref": "refs/tags/*", "environment": "release"},
        }

    @property
    def log(self) -> str:
        return self.daemon.log()

    def publish(
        self, version: str = "1.0", job: Mapping[str, str] | None = None, *, project: str = "demo", url: str = ""
    ) -> Result:
        """Run `uv publish` as a job does: with no credentials at all."""
        dist = wheel(project, version)
        path = self.directory / dist.filename
        path.write_bytes(dist.content)
        url = f"{url or self.url}main/legacy/"
        env = {**(self.issuer.job if job is None else job), **self.trust}
        return self.uv.run("uv", "publish", "--trusted-publishing", "always", "--publish-url", url, path, env=env)

    def mint(self) -> str:
        """Return an upload token, as a job gets it that asks on its own."""
        body = json.dumps({"token": self.issuer.token("pypid")}).encode()
        typed = {"Content-Type": "application/json"}
        answer = get(f"{self.daemon.url}_/oidc/mint-token", method="POST", headers=typed, body=body)
        assert answer.status == 200, answer.body
        token: str = json.loads(answer.body)["token"]
        self.daemon.secrets.append(token)
        return token

    def status(self, authorization: str, path: str = "simple/demo/") -> int:
        """Return how a request with these credentials is answered."""
        return get(f"{self.daemon.url}{path}", headers={"Authorization": authorization}).status

    def published(self) -> dict[str, str]:
        """Return the names of the files that were kept, each with who uploaded it."""
        records = [json.loads(path.read_bytes()) for path in (self.daemon.data / "records").rglob("*.json")]
        return {record["filename"]: record["uploaded_by"] for record in records}


@pytest.fixture
def scene(daemon: DaemonFactory, tmp_path: Path) -> Iterator[Scene]:
    with ExitStack() as ends:
        yield Scene(daemon, tmp_path, ends)


def test_uv_publishes_without_a_password(scene: Scene) -> None:
    """It finds everything out by itself."""
    result = scene.publish()
    assert result.returncode == 0, result.stdout + scene.log
    assert scene.published() == {"demo-1.0-py3-none-any.whl": "publisher:app (acme/app@refs/tags/v1.0)"}
    assert scene.issuer.asked == ["/token", "/.well-known/openid-configuration", "/keys"]


def test_uv_gives_its_token_back(scene: Scene) -> None:
    result = scene.publish(url=scene.recorder.url)
    assert result.returncode == 0, result.stdout + scene.log
    (uploaded,) = scene.recorder.exchanges("/main/legacy/")
    assert scene.recorder.take() == [
        "GET /_/oidc/audience -> 200",
        "POST /_/oidc/mint-token -> 200",
        "POST /main/legacy/ -> 200",
        "POST /_/oidc/burn-token -> 202",
    ]
    assert scene.status(uploaded.asked["authorization"]) == 401


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
    url = f"{scene.url}main/legacy/"
    env = {**scene.issuer.job, **scene.trust}
    bundle = scene.trust["SSL_CERT_FILE"]
    command = ["pdm", "publish", "--no-build", "--repository", url, "--ca-certs", bundle]
    result = pdm.run(*command, cwd=project, env=env)
    assert result.returncode == 0, result.stdout + scene.log
    assert scene.published() == {dist.filename: "publisher:app (acme/app@refs/tags/v1.0)"}


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


def test_job_may_do_no_more_than_its_publisher(scene: Scene) -> None:
    """It reads and uploads its own projects; nothing else, and no tokens of its own."""
    result = scene.publish(project="other")
    assert result.returncode != 0
    assert "403" in result.stdout
    assert scene.publish().returncode == 0, scene.log
    token = f"Bearer {scene.mint()}"
    assert scene.status(token) == 200
    for path in ("simple/other/", "-/api/v1/audit", "-/api/v1/tokens"):
        assert scene.status(token, path) == 403, path


def test_publisher_that_is_taken_out_takes_its_tokens_along(scene: Scene) -> None:
    """D05: with the reload."""
    token = f"Bearer {scene.mint()}"
    assert scene.publish().returncode == 0, scene.log
    assert scene.status(token) == 200
    scene.daemon.reload(scene.config(another=scene.publisher("acme/another")))
    assert scene.status(token) in {401, 403}
    assert "invalid-publisher" in scene.publish("2.0").stdout


def test_no_secret_is_in_the_log_or_on_the_disk(scene: Scene) -> None:
    """E17: neither the identity token nor what it was exchanged for, whether all went well or not."""
    assert scene.publish(url=scene.recorder.url).returncode == 0, scene.log
    scene.issuer.changed = {"repository": "evil/app"}
    assert scene.publish("2.0").returncode != 0
    (uploaded,) = scene.recorder.exchanges("/main/legacy/")
    basic = uploaded.asked["authorization"].removeprefix("Basic ")
    token = b64decode(basic).removeprefix(b"__token__:")
    assert is_token(token.decode())
    secrets = [basic.encode(), token, *(each.rpartition(".")[2].encode() for each in scene.issuer.given)]
    assert len(secrets) == 4
    scene.daemon.terminate()
    kept = [path for path in scene.daemon.data.rglob("*") if path.is_file()]
    for path in (scene.daemon.log_file, *kept):
        content = path.read_bytes()
        assert not [secret for secret in secrets if secret in content], path
