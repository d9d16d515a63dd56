"""docs/access.md, obeyed: the configuration of each of its examples, and the commands below it with real clients."""

from __future__ import annotations

import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.kit.clients import Client, Result, client_venv, make_venv, twine_upload, version_in
from tests.kit.daemon import Daemon, DaemonFactory
from tests.kit.dists import wheel
from tests.kit.processes import ROOT, run
from tests.kit.rawclient import get
from tests.kit.upstream import ScriptedIndex, SocketUpstream

GUIDE = (ROOT / "docs" / "access.md").read_text(encoding="utf-8")
USERS = ("alice", "bob", "carol")
PASSWORD = "correct-horse"
APP = wheel("acme-app")
PUBLIC = wheel("requests")
ADDRESS = "pypid.lan:8080"

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")


@pytest.fixture
def mirrored(index: ScriptedIndex, upstream: SocketUpstream) -> str:
    index.add(PUBLIC)
    return upstream.url


def section(title: str) -> str:
    found = re.search(rf"^## {re.escape(title)}$(.*?)(?=^## |\Z)", GUIDE, flags=re.MULTILINE | re.DOTALL)
    assert found is not None, title
    return found[1]


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


class Example:
    """A section of the page: a daemon with its configuration, and somebody who types its commands."""

    def __init__(self, title: str, daemon: DaemonFactory, upstream: str, home: Path) -> None:
        self.text = section(title)
        (toml,) = blocks(self.text, "toml")
        config: dict[str, Any] = tomllib.loads(toml)
        indexes = config.setdefault("index", {})
        indexes["pypi"] = {**indexes.get("pypi", {}), "upstream": upstream}
        self.daemon: Daemon = daemon(config=config)
        self.home = home
        for user in USERS:
            self.daemon.add_user(user, PASSWORD)
        (home / "dist").mkdir(parents=True)
        (home / "dist" / APP.filename).write_bytes(APP.content)
        versions = (("pip", "26.*"), ("uv", "0.13.*"), ("twine", "7.*"))
        self.clients = [client_venv(tool, version, home=home) for tool, version in versions]

    @property
    def twine(self) -> Client:
        return self.clients[-1]

    def publish(self, user: str) -> Result:
        return twine_upload(self.twine, self.daemon.url, user, PASSWORD, self.home / "dist" / APP.filename)

    def here(self, text: str) -> str:
        return text.replace(ADDRESS, f"127.0.0.1:{self.daemon.port}").replace("pypid.lan", "127.0.0.1")

    def type(self, command: str, installs: str = "acme_app") -> Result:
        """Run ``command``; if it installs and succeeds, what it installs must be there."""
        target = make_venv(self.home / f"venv{len(list(self.home.iterdir()))}")
        paths = [str(client.path / "bin") for client in self.clients]
        env = {
            "PATH": ":".join([*paths, "/usr/bin", "/bin"]),
            "PIP_PYTHON": str(target),
            "VIRTUAL_ENV": str(target.parent.parent),
            "TWINE_PASSWORD": PASSWORD,
        }
        line = re.sub(r"\bPASSWORD\b", PASSWORD, self.here(command)).replace(
            "curl ", "curl --silent --show-error --fail "
        )
        result = run(["sh", "-c", f"cd {self.home} && {line}"], home=self.home, env=env)
        if " install " in command and result.returncode == 0:
            assert version_in(target, installs, home=self.home) == "1.0", command
        return result

    def type_all(self) -> int:
        """Run every command of the section, each of which must succeed; return how many."""
        commands = [line.removeprefix("$ ") for block in blocks(self.text, "console") for line in block.splitlines()]
        for command in commands:
            result = self.type(command)
            assert result.returncode == 0, f"{command}\n{result.stdout}"
        return len(commands)

    def delete(self, user: str) -> int:
        form = f"--form :action=remove_pkg --form name=acme-app --form version=1.0 http://{ADDRESS}/"
        return self.type(f"curl --user {user}:{PASSWORD} {form}").returncode


def test_team_with_public_reads(daemon: DaemonFactory, mirrored: str, tmp_path: Path) -> None:
    example = Example("A team with public reads", daemon, mirrored, tmp_path / "home")
    example.daemon.add_user("dave", PASSWORD)
    assert "may not upload to main" in example.publish("dave").stdout
    assert example.publish("alice").returncode == 0
    assert example.type_all() == 4
    assert example.delete("carol") == 22
    assert example.delete("bob") == 0


def test_company_where_everything_needs_a_login(daemon: DaemonFactory, mirrored: str, tmp_path: Path) -> None:
    """The client matrix, rows 15 and 16."""
    example = Example("A company where everything needs a login", daemon, mirrored, tmp_path / "home")
    assert example.publish("carol").returncode == 0
    assert example.type_all() == 7
    installs = [
        f"{command} http://{ADDRESS}/simple/"
        for command in ("pip install --no-input --index-url", "uv pip install --default-index")
    ]
    for install, said in zip(
        installs, ("No matching distribution found for acme-app", "401 Unauthorized"), strict=True
    ):
        refused = example.type(f"{install} acme-app")
        assert (refused.returncode != 0, said in refused.stdout) == (True, True), refused.stdout
        wrong = example.type(install.replace("http://", "http://alice:wrong@") + " acme-app")
        assert (wrong.returncode != 0, "401" in wrong.stdout) == (True, True), wrong.stdout
        good = install.replace("http://", "http://bob:PASSWORD@")
        assert example.type(f"{good} requests", installs="requests").returncode == 0
        assert example.type(f"{good.replace('/simple/', '/pypi/simple/')} requests").returncode != 0
    (netrc,) = blocks(example.text, "netrc")
    (example.home / ".netrc").touch(mode=0o600)
    (example.home / ".netrc").write_text(example.here(netrc).replace("PASSWORD", PASSWORD))
    for install in installs:
        result = example.type(f"{install} acme-app")
        assert result.returncode == 0, result.stdout
    assert example.type(f"curl --netrc http://{ADDRESS}/simple/acme-app/").returncode == 0
    assert (example.delete("bob"), example.delete("alice")) == (22, 0)


def test_read_only_mirror(daemon: DaemonFactory, mirrored: str, tmp_path: Path) -> None:
    example = Example("A read-only mirror", daemon, mirrored, tmp_path / "home")
    for install in ("pip install --index-url", "uv pip install --default-index"):
        assert example.type(f"{install} http://{ADDRESS}/simple/ requests", installs="requests").returncode == 0
    refused = example.publish("alice")
    assert (refused.returncode, "nothing can be uploaded to it" in refused.stdout) == (1, True), refused.stdout
    assert get(f"{example.daemon.url}main/simple/").status == 404


OF_PYPISERVER = re.findall(r"^\| `[^|]*\| (`read = .*?) \|$", section("From pypiserver"), flags=re.MULTILINE)


@pytest.mark.parametrize("row", OF_PYPISERVER)
def test_what_is_said_for_pypiserver_is_a_configuration(row: str, daemon: DaemonFactory) -> None:
    settings = tomllib.loads("\n".join(re.findall(r"`([^`]+)`", row)))
    d = daemon(config={"index": {"main": {**settings, "bases": []}, "pypi": {"enabled": False}}})
    d.add_user("alice", PASSWORD)
    assert get(d.simple).status == (200 if settings["read"] == ["anonymous"] else 401)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    removed = get(d.url, method="POST", headers=form, body=b":action=remove_pkg&name=demo&version=1").status
    assert removed == (404 if settings["delete"] == ["anonymous"] else 401)
