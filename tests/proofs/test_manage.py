"""The life of releases after their upload, by the commands and by the API, as installers and uploaders see it."""

from __future__ import annotations

import json
import os
import pwd
import socket
import stat
import sys
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from tests.kit.clients import (
    Client,
    Result,
    client_venv,
    make_venv,
    pip_install,
    twine_upload,
    uv_pip_install,
    uv_publish,
    version_in,
)
from tests.kit.daemon import Daemon, DaemonFactory
from tests.kit.dists import Dist, sdist, wheel
from tests.kit.processes import run
from tests.kit.rawclient import Answer, get
from tests.kit.upstream import ScriptedIndex, SocketUpstream

PASSWORD = "correct horse battery staple"
ALICE = {"Authorization": "Basic " + b64encode(f"alice:{PASSWORD}".encode()).decode()}
HOSTED = {"index": {"main": {"bases": [], "admin": ["alice"]}, "pypi": {"enabled": False}}}
ASK_AS_ANOTHER = """
import os, socket, sys
os.chdir(sys.argv[1])
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
client = socket.socket(socket.AF_UNIX)
client.connect(sys.argv[2])
client.sendall(b"GET /-/api/v1/audit HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n")
print(client.makefile().read())
"""


class Managed:
    """A daemon, and the command of its operator."""

    def __init__(self, daemon: Daemon, home: Path) -> None:
        self.daemon = daemon
        self.home = home
        daemon.add_user("alice", PASSWORD)

    def pypid(self, *args: str | Path, stdin: str = "", **env: str) -> Result:
        command = [sys.executable, "-m", "pypid.cli.main", *args]
        return run(command, home=self.home, stdin=stdin, env=env)

    def here(self, *args: str, stdin: str = "") -> str:
        """Run a command over the control socket to its success; return what it says."""
        result = self.pypid(*args, "--config", self.daemon.config_file, stdin=stdin)
        assert result.returncode == 0, result.stdout
        return result.stdout

    def twine(self) -> Client:
        return client_venv("twine", "7.*", home=self.home)

    def upload(self, *dists: Dist) -> Result:
        paths = []
        for dist in dists:
            directory = self.home / dist.sha256
            directory.mkdir(parents=True, exist_ok=True)
            paths.append(directory / dist.filename)
            paths[-1].write_bytes(dist.content)
        return twine_upload(self.twine(), self.daemon.url, "alice", PASSWORD, *paths)

    def publish(self, *dists: Dist) -> None:
        result = self.upload(*dists)
        assert result.returncode == 0, result.stdout

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Make a call of the API over the network, as scripts do, and return what it is answered."""
        content = b"" if body is None else json.dumps(body).encode()
        typed = {} if body is None else {"Content-Type": "application/json"}
        answer = get(f"{self.daemon.url}-/api/v1/{path}", method=method, headers={**ALICE, **typed}, body=content)
        assert answer.status == 200, answer.body
        return json.loads(answer.body)


@pytest.fixture
def hosted(daemon: DaemonFactory, tmp_path: Path) -> Managed:
    return Managed(daemon(config=HOSTED), tmp_path / "home")


def page(d: Daemon, project: str) -> Answer:
    return get(f"{d.simple}{project}/", headers={"Accept": "application/vnd.pypi.simple.v1+json"})


def unwrapped(text: str) -> str:
    return " ".join(text.split())


def test_yanked_release_is_passed_over_and_installed_with_its_reason_by_who_asks_for_it(
    hosted: Managed, tmp_path: Path
) -> None:
    """pip and uv; yanked by the command, taken back through the API."""
    old, new = wheel("demo", "1.0"), wheel("demo", "2.0")
    hosted.publish(old, new)
    said = hosted.here("yank", "demo", "--version", "2.0", "--reason", "breaks on Mondays")
    assert said == f"{new.filename}: yanked in main\n"
    pip, uv = (
        client_venv(tool, version, home=tmp_path / tool) for tool, version in (("pip", "26.*"), ("uv", "0.13.*"))
    )
    for install, client in ((pip_install, pip), (uv_pip_install, uv)):
        target = make_venv(tmp_path / f"{client.path.name}-newest")
        result = install(client, target, "demo", index_url=hosted.daemon.simple)
        assert result.returncode == 0, result.stdout
        assert version_in(target, old.module, home=tmp_path) == "1.0"
        target = make_venv(tmp_path / f"{client.path.name}-pinned")
        result = install(client, target, "demo==2.0", index_url=hosted.daemon.simple)
        assert result.returncode == 0, result.stdout
        assert "breaks on Mondays" in unwrapped(result.stdout)
    assert hosted.call("DELETE", "indexes/main/projects/demo/yank")["files"] == [new.filename]
    target = make_venv(tmp_path / "un-yanked")
    assert pip_install(pip, target, "demo", index_url=hosted.daemon.simple).returncode == 0
    assert version_in(target, new.module, home=tmp_path) == "2.0"


def test_archived_project_refuses_uploads_and_says_so(hosted: Managed, tmp_path: Path) -> None:
    """twine and uv show the reason; what is there stays installable."""
    hosted.publish(wheel("demo", "1.0"))
    assert hosted.here("status", "demo", "archived", "--reason", "see demo-ng") == "demo in main is now archived\n"
    refused = hosted.upload(wheel("demo", "2.0"))
    assert refused.returncode != 0
    assert "is archived, and accepts no uploads: see demo-ng" in unwrapped(refused.stdout)
    newer = tmp_path / wheel("demo", "2.0").filename
    newer.write_bytes(wheel("demo", "2.0").content)
    uv = client_venv("uv", "0.13.*", home=tmp_path / "uv")
    refused = uv_publish(uv, f"{hosted.daemon.url}legacy/", "alice", PASSWORD, newer)
    assert refused.returncode != 0
    assert "accepts no uploads: see demo-ng" in unwrapped(refused.stdout)
    assert len(json.loads(page(hosted.daemon, "demo").body)["files"]) == 1
    assert hosted.here("status", "demo", "active") == "demo in main is now active\n"
    hosted.publish(wheel("demo", "2.0"))


def test_deleted_file_is_gone_and_its_name_stays_taken(hosted: Managed) -> None:
    """Also after a restart; the refusal has Warehouse's words, which clients know."""
    kept, gone = wheel("demo", "1.0"), sdist("demo", "1.0")
    hosted.publish(kept, gone)
    url = f"{hosted.daemon.url}files/demo/{gone.sha256[:16]}/{gone.filename}"
    assert get(url).status == 200
    assert "would go" in hosted.here("delete", "demo", "--file", gone.filename, "--dry-run")
    result = hosted.pypid("delete", "demo", "--file", gone.filename, "--config", hosted.daemon.config_file, stdin="n\n")
    assert result.returncode == 1
    assert get(url).status == 200
    said = hosted.here("delete", "demo", "--file", gone.filename, "--reason", "leaked", stdin="y\n")
    assert said.endswith(f"{gone.filename}: deleted from main\n")
    hosted.daemon.restart()
    assert get(url).status == 404
    refused = hosted.upload(sdist("demo", "1.0", summary="Another"))
    assert refused.returncode != 0
    assert "This filename was previously used by a file that has since been deleted" in unwrapped(refused.stdout)
    shown = hosted.here("show", "demo")
    assert f"deleted: {gone.filename}, by local:" in shown
    assert kept.filename in shown


def test_file_of_a_volatile_index_makes_way_for_another(daemon: DaemonFactory, tmp_path: Path) -> None:
    """B49: uploaded again and again, as nightly builds are; and after it was deleted. Each has a URL of its own."""
    config = {"index": {"main": {"bases": [], "volatile": True}, "pypi": {"enabled": False}}}
    managed = Managed(daemon(config=config), tmp_path / "home")
    first, second, third = (wheel("demo", "1.0.dev0", summary=summary) for summary in ("One", "Two", "Three"))
    managed.publish(first)
    etag = page(managed.daemon, "demo").headers["etag"]
    managed.publish(second)
    shown = page(managed.daemon, "demo")
    assert [file["hashes"]["sha256"] for file in json.loads(shown.body)["files"]] == [second.sha256]
    assert shown.headers["etag"] != etag
    statuses = {
        dist.sha256: get(f"{managed.daemon.url}files/demo/{dist.sha256[:16]}/{dist.filename}").status
        for dist in (first, second)
    }
    assert statuses == {first.sha256: 404, second.sha256: 200}
    managed.here("delete", "demo", "--file", second.filename, "--yes")
    managed.publish(third)
    events = [json.loads(line)["action"] for line in managed.here("audit", "--json").splitlines()]
    assert events == ["publish", "overwrite", "delete", "publish"]


def test_name_of_a_deleted_project_stays_ours_until_it_is_released(
    daemon: DaemonFactory, index: ScriptedIndex, upstream: SocketUpstream, tmp_path: Path
) -> None:
    index.add(wheel("acme", "99.0"))
    managed = Managed(daemon(config={"index": {"pypi": {"upstream": upstream.url}}}), tmp_path / "home")
    managed.publish(wheel("acme", "1.0"))
    managed.here("delete", "acme", "--yes")
    assert json.loads(page(managed.daemon, "acme").body)["files"] == []
    assert not [path for path in index.paths() if "acme" in path]
    assert managed.here("delete", "acme", "--yes") == "acme: nothing of it is in main\n"
    assert "its name would be free" in managed.here("delete", "acme", "--release-name", "--dry-run")
    assert managed.here("delete", "acme", "--release-name", "--yes").endswith("its name in main is free\n")
    assert json.loads(page(managed.daemon, "acme").body)["versions"] == ["99.0"]


def test_file_of_a_mirror_is_blocked_before_anybody_gets_it(
    daemon: DaemonFactory, index: ScriptedIndex, upstream: SocketUpstream, tmp_path: Path
) -> None:
    """Through the index above it as well."""
    good, bad = index.add(wheel("public", "1.0")), index.add(wheel("public", "2.0"))
    managed = Managed(daemon(config={"index": {"pypi": {"upstream": upstream.url}}}), tmp_path / "home")
    managed.here("block", "public", "--version", "2.0", "--index", "pypi", "--reason", "malware")
    pip = client_venv("pip", "26.*", home=tmp_path / "pip")
    target = make_venv(tmp_path / "target")
    assert pip_install(pip, target, "public", index_url=managed.daemon.simple).returncode == 0
    assert version_in(target, good.module, home=tmp_path) == "1.0"
    assert get(f"{managed.daemon.url}files/public/{bad.sha256[:16]}/{bad.filename}").status == 403
    assert "here: block 2.0: malware" in managed.here("show", "public", "--index", "pypi")
    managed.here("unblock", "public", "--version", "2.0", "--index", "pypi")
    assert get(f"{managed.daemon.url}files/public/{bad.sha256[:16]}/{bad.filename}").status == 200


def test_status_that_is_told_is_the_one_in_force(
    daemon: DaemonFactory, upstream: SocketUpstream, tmp_path: Path
) -> None:
    """Of a mirror nobody here can say "active" for upstream; and a block goes before every other status."""
    managed = Managed(daemon(config={"index": {"pypi": {"upstream": upstream.url}}}), tmp_path / "home")
    there = ("--index", "pypi")
    said = "public in pypi is already as upstream says\n"
    assert managed.here("status", "public", "active", *there) == said
    assert managed.here("status", "Public", "archived", *there) == "public in pypi is now archived\n"
    assert managed.here("status", "public", "active", *there) == "public in pypi is now as upstream says\n"
    managed.here("block", "public", *there)
    assert managed.here("status", "public", "archived", *there) == "public in pypi is still quarantined\n"


def test_audit_log_says_who_did_it_and_from_where(hosted: Managed) -> None:
    """Over the network, over the control socket, and by pypiserver's form."""
    hosted.publish(wheel("demo", "1.0"), wheel("demo", "2.0"))
    hosted.here("yank", "demo", "--version", "1.0")
    form = {"Content-Type": "application/x-www-form-urlencoded", **ALICE}
    body = b":action=remove_pkg&name=Demo&version=2"
    assert get(hosted.daemon.url, method="POST", headers=form, body=body).status == 200
    events = [json.loads(line) for line in hosted.here("audit", "--json").splitlines()]
    assert [event["action"] for event in events] == ["publish", "publish", "yank", "delete"]
    assert {event["address"] for event in events} == {"127.0.0.1", "local"}
    yank = events[2]
    assert (yank["address"], yank["user"]) == ("local", f"local:{_user()}")
    assert hosted.call("GET", "audit?after=0")["events"] == events
    assert hosted.here("audit", "--after", "0") == hosted.here("audit")
    assert f"local:{_user()} from local: yank demo-1.0-py3-none-any.whl in main" in hosted.here("audit")


def test_commands_reach_a_pypid_elsewhere_with_a_password(hosted: Managed) -> None:
    hosted.publish(wheel("demo", "1.0"))
    there = ("yank", "demo", "--url", hosted.daemon.url, "--user", "alice")
    assert hosted.pypid(*there, PYPID_PASSWORD=PASSWORD).stdout == "demo-1.0-py3-none-any.whl: yanked in main\n"
    refused = hosted.pypid(*there, PYPID_PASSWORD="wrong")
    assert (refused.returncode, refused.stdout) == (1, "pypid: Invalid user name or password\n")
    refused = hosted.pypid("yank", "absent", "--config", hosted.daemon.config_file)
    assert (refused.returncode, refused.stdout) == (1, "pypid: main has no project absent of its own\n")


def test_control_socket_is_there_while_pypid_is(hosted: Managed) -> None:
    """Over a reload, after a kill, and not after a stop."""
    path = hosted.daemon.data / "control.sock"
    hosted.daemon.reload()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    hosted.here("audit")
    hosted.daemon.kill()
    assert path.exists()
    gone = hosted.pypid("audit", "--config", hosted.daemon.config_file)
    assert (gone.returncode, "no pypid is seen to run" in gone.stdout) == (os.EX_UNAVAILABLE, True)
    hosted.daemon.start()
    hosted.here("audit")
    hosted.daemon.terminate()
    assert not path.exists()


def test_control_socket_of_a_long_path(tmp_path: Path) -> None:
    """One of more than 107 bytes is no path of a socket."""
    d = Daemon(tmp_path / ("d" * 100), HOSTED)
    assert len(str(d.data / "control.sock")) > 107
    d.start()
    try:
        Managed(d, tmp_path / "home").here("audit")
        d.check_invariants()
    finally:
        d.kill()


def test_pypid_serves_where_there_can_be_no_control_socket(daemon: DaemonFactory, tmp_path: Path) -> None:
    d = daemon(config=HOSTED)
    d.terminate()
    (d.data / "control.sock").mkdir()
    d.start()
    assert get(f"{d.url}-/health").status == 200
    d.wait_log("commands cannot reach this pypid")
    result = Managed(d, tmp_path / "home").pypid("audit", "--config", d.config_file)
    assert result.returncode == os.EX_UNAVAILABLE
    assert "has no control.sock: its log says why" in result.stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be somebody else")
def test_control_socket_is_closed_to_other_users(hosted: Managed, tmp_path: Path) -> None:
    """By its mode; and, had that been changed, by who the kernel says it is."""
    path = hosted.daemon.data / "control.sock"
    path.parent.chmod(0o755)
    command: list[str | Path] = [sys.executable, "-c", ASK_AS_ANOTHER, path.parent, path.name]
    assert "PermissionError: [Errno 13]" in run(command, home=tmp_path).stdout
    path.chmod(0o666)
    answer = run(command, home=tmp_path).stdout
    assert answer.startswith("HTTP/1.1 403 "), answer
    assert "you are the user 65534" in answer


def test_control_socket_has_nothing_for_clients(hosted: Managed) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(hosted.daemon.data / "control.sock"))
        client.sendall(b"GET /simple/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 404 ")


def _user() -> str:
    return pwd.getpwuid(os.geteuid()).pw_name
