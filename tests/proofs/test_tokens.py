"""E15: API tokens of a real daemon, made by its operator, in every place where clients can put one."""

from __future__ import annotations

import json
import shutil
import sys
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from pypid.domain.tokens import is_token
from tests.kit.clients import Result, client_venv, make_venv, version_in
from tests.kit.daemon import Config, Daemon, DaemonFactory
from tests.kit.dists import Dist, wheel
from tests.kit.processes import eventually, free_port, run
from tests.kit.rawclient import RawClient, connect, get
from tests.kit.recorder import Certificate
from tests.kit.site import PASSWORD, PIP_26, USER, UV, Installer

HOST = "localhost"


class Company:
    """A daemon that speaks TLS; nobody reads without signing in, and alice may do everything."""

    def __init__(self, start: DaemonFactory, directory: Path) -> None:
        self.home = directory / "home"
        self.directory = directory
        self.port = free_port()
        certificate = Certificate(directory)
        self.trust = certificate.trust
        self.daemon: Daemon = start(self._config(certificate))
        self.daemon.add_user(USER, PASSWORD)
        self.url = f"https://{HOST}:{self.port}/"

    def _config(self, certificate: Certificate) -> Config:
        listen = [f"tls:{self.port}:interface=127.0.0.1"]
        index = {"bases": [], "read": ["authenticated"], "admin": [USER]}
        return {
            "server": {"listen": listen, "certificates": [str(certificate.pem)]},
            "index": {"pypi": {"enabled": False}, "main": index},
        }

    def token(self, *args: str) -> Result:
        """Run `pypid token` over the control socket."""
        return self.pypid("token", *args, "--config", str(self.daemon.config_file))

    def pypid(self, *args: str, **env: str) -> Result:
        return run([sys.executable, "-m", "pypid.cli.main", *args], home=self.home, env=env)

    def create(self, *args: str) -> str:
        """Return a new token of alice's, which must not be seen in the log."""
        return self.noted(self.token("create", "--for", USER, *args))

    def noted(self, result: Result) -> str:
        assert result.returncode == 0, result.stdout
        text, about = result.stdout.splitlines()
        assert is_token(text)
        assert about.startswith("pypid: made the token ")
        self.daemon.secrets.append(text)
        return text

    def listed(self) -> list[dict[str, Any]]:
        said = self.token("list", "--json")
        assert said.returncode == 0, said.stdout
        return [json.loads(line) for line in said.stdout.splitlines()]

    def revoke(self) -> None:
        """Revoke the only token."""
        (only,) = self.listed()
        assert self.token("revoke", only["id"]).stdout == f"revoked {only['id']}\n"

    def status(self, token: str) -> int:
        """Return how the list of projects is answered to who has the token."""
        return get(self.daemon.simple, headers=bearer(token)).status

    def write(self, dist: Dist) -> Path:
        path = self.directory / dist.filename
        path.write_bytes(dist.content)
        return path

    def twine(self, token: str, dist: Dist) -> Result:
        client = client_venv("twine", "7.*", home=self.home)
        env = {"TWINE_USERNAME": "__token__", "TWINE_PASSWORD": token, **self.trust}
        command = ["twine", "upload", "--repository-url", self.url, "--non-interactive", "--disable-progress-bar"]
        return client.run(*command, self.write(dist), env=env)

    def uv_publish(self, token: str, dist: Dist) -> Result:
        command = ["uv", "publish", "--token", token, "--publish-url", f"{self.url}legacy/"]
        return UV.client(self.home).run(*command, self.write(dist), env=self.trust)

    def published(self) -> dict[str, str]:
        """Return the names of the files that were kept, each with who uploaded it."""
        records = [json.loads(path.read_bytes()) for path in (self.daemon.data / "records").rglob("*.json")]
        return {record["filename"]: record["uploaded_by"] for record in records}


@pytest.fixture
def company(daemon: DaemonFactory, tmp_path: Path) -> Company:
    return Company(daemon, tmp_path)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_uploads(company: Company) -> None:
    """twine with the user `__token__`, and uv with a token as such; a token of the one project only."""
    token = company.create("--index", "main", "--project", "demo", "--expires", "1h")
    uploaded = company.twine(token, wheel("demo", "1.0"))
    assert uploaded.returncode == 0, uploaded.stdout
    uploaded = company.uv_publish(token, wheel("demo", "2.0"))
    assert uploaded.returncode == 0, uploaded.stdout
    assert set(company.published().values()) == {USER}
    for upload in (company.twine, company.uv_publish):
        refused = upload(token, wheel("other", "1.0"))
        assert refused.returncode != 0
        said = " ".join(refused.stdout.split())
        assert "403" in said
        assert "may not use other in main" in said.replace("'", "")
        assert token not in said
    assert len(company.published()) == 2


@pytest.mark.parametrize("installer", [PIP_26, UV], ids=str)
@pytest.mark.parametrize("place", ["{token}@", "__token__:{token}@", "netrc"])
def test_installs(place: str, installer: Installer, company: Company) -> None:
    assert company.twine(company.create(), wheel("demo", "1.0")).returncode == 0
    token = company.create("--rights", "read")
    client = installer.client(company.home)
    url = company.url
    if place == "netrc":
        netrc = company.home / ".netrc"
        netrc.touch(mode=0o600)
        netrc.write_text(f"machine {HOST} login ci password {token}\n")
    else:
        url = url.replace("://", f"://{place.format(token=token)}")
    target = make_venv(company.directory / "target")
    installed = installer.install(client, target, "demo", index_url=f"{url}simple/", env=company.trust)
    assert installed.returncode == 0, installed.stdout
    assert version_in(target, wheel("demo", "1.0").module, home=company.home) == "1.0"
    assert company.twine(token, wheel("demo", "2.0")).returncode != 0


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_curl(company: Company) -> None:
    """In a header, as a user, as a password; and what is nearly a token is none."""
    token = company.create("--rights", "read")
    ca = company.trust["CURL_CA_BUNDLE"]
    command = ["curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "--cacert", ca]

    def asked(*args: str) -> str:
        return run([*command, *args, f"{company.url}simple/"], home=company.home).stdout

    for args in (
        ("--header", f"Authorization: Bearer {token}"),
        ("--user", f"{token}:"),
        ("--user", f"__token__:{token}"),
    ):
        assert asked(*args) == "200"
    changed = token[:-1] + ("0" if token[-1] != "0" else "1")
    for text in (changed, token[:-1], token[1:], f"{token}x", "pypid-", ""):
        assert asked("--header", f"Authorization: Bearer {text}") == "401"
        assert asked("--user", f"__token__:{text}") == "401"


def test_revoked_token_is_refused_at_once(company: Company) -> None:
    """D05: by the next request, on a connection that is open."""
    token = company.create("--rights", "read")
    with connect("127.0.0.1", company.daemon.port) as peer:
        assert ask(peer, token) == 200
        company.revoke()
        assert ask(peer, token) == 401
    company.daemon.restart()
    assert company.status(token) == 401


def ask(peer: RawClient, token: str) -> int:
    peer.request("GET", "/simple/", bearer(token))
    return peer.read_answer().status


def test_token_ends(company: Company) -> None:
    """And it is listed all the same."""
    token = company.create("--rights", "read", "--expires", "5s")
    assert company.status(token) == 200
    assert eventually(lambda: company.status(token) == 401, 30)
    (listed,) = company.listed()
    assert listed["last_used"] is not None


def test_token_survives_a_stop_and_a_crash(company: Company) -> None:
    """It is durable when it has been told."""
    token = company.create("--rights", "read")
    company.daemon.kill()
    company.daemon.start()
    assert company.status(token) == 200
    company.daemon.restart()
    assert company.status(token) == 200


def test_token_allows_no_more_than_its_user(company: Company) -> None:
    """Also when that changes: without him it is none."""
    company.daemon.add_user("bob", PASSWORD)
    made = company.noted(company.token("create", "--for", "bob", "--rights", "admin"))
    audit = f"{company.daemon.url}-/api/v1/audit"
    assert get(audit, headers=bearer(made)).status == 403
    assert company.status(made) == 200
    removed = company.pypid("user", "remove", "bob", "--config", str(company.daemon.config_file))
    assert removed.returncode == 0, removed.stdout
    company.daemon.reload()
    assert company.status(made) == 401


def test_users_have_tokens_of_their_own_from_elsewhere(company: Company) -> None:
    """With their password, never with a token."""
    company.daemon.add_user("bob", PASSWORD)

    def token(command: str, *args: str, password: str = PASSWORD) -> Result:
        there = ("--url", company.url, "--user", "bob")
        return company.pypid("token", command, *args, *there, PYPID_PASSWORD=password, **company.trust)

    made = company.noted(token("create", "--rights", "read"))
    company.create()
    (line,) = token("list").stdout.splitlines()
    assert " of bob: read, all projects of all indexes, expires " in line
    for refused in (token("create", "--for", USER), token("list", "--all")):
        assert refused.returncode == 1
        assert "'bob' does not administer every index" in refused.stdout
    for command in ("create", "list"):
        refused = token(command, password=made)
        assert (refused.returncode, "can neither make, list nor revoke tokens" in refused.stdout) == (1, True)
    revoked = token("revoke", line.split()[0])
    assert revoked.returncode == 0, revoked.stdout
    assert company.status(made) == 401
    assert [each["user"] for each in company.listed()] == [USER]


def test_operator_says_for_whom(company: Company) -> None:
    for args in ((), ("--for", "nobody")):
        refused = company.token("create", *args)
        assert refused.returncode == 1
        assert "user: " in refused.stdout
    assert company.listed() == []


def test_no_token_is_in_the_log_or_on_the_disk(company: Company) -> None:
    """E17: neither a good one, nor one that was refused, nor what a client makes of them."""
    good, revoked = company.create("--rights", "read"), company.create("--project", "demo")
    assert company.twine(revoked, wheel("demo", "1.0")).returncode == 0
    assert company.twine(good, wheel("demo", "2.0")).returncode != 0
    for each in company.listed():
        if each["rights"] == ["upload"]:
            assert company.token("revoke", each["id"]).returncode == 0
    assert company.twine(revoked, wheel("demo", "3.0")).returncode != 0
    company.daemon.terminate()
    secrets = [good, revoked, *(b64encode(f"__token__:{each}".encode()).decode() for each in (good, revoked))]
    kept = [path for path in company.daemon.data.rglob("*") if path.is_file()]
    assert company.daemon.data / "access.db" in kept
    for path in (company.daemon.log_file, *kept):
        content = path.read_bytes()
        assert not [secret for secret in secrets if secret.encode() in content], path
