"""The daemon as an operator meets it: starting, a bad configuration, reloading, stopping."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urljoin

from tests.kit.daemon import STOPPED, DaemonFactory
from tests.kit.dists import wheel
from tests.kit.processes import eventually, free_port, run
from tests.kit.rawclient import connect, get
from tests.kit.upstream import Barrier, Hold, ScriptedIndex, SocketUpstream

TWISTD = [sys.executable, "-c", "from twisted.scripts.twistd import run; run()"]
BROKEN = """
[server]
lisen = ["tcp:0"]
drain = "soon"
[index.main]
bases = ["intern"]
"""


def test_a_broken_configuration_on_sighup_changes_nothing(daemon: DaemonFactory) -> None:
    """Every problem is logged, the old settings stay, and the next good file is taken."""
    d = daemon(config={"index": {"extra": {"bases": []}}})
    assert get(d.index_url("extra")).status == 200
    begin = len(d.log())
    d.config_file.write_text(BROKEN)
    d.sighup()
    d.wait_log("reload refused", start=begin)
    said = d.log()[begin:]
    for problem in ("lisen: no such setting (did you mean listen?)", "drain: expected", "no index 'intern'"):
        assert problem in said
    assert get(d.index_url("extra")).status == 200
    d.reload({"index": {"other": {"bases": []}}})
    assert get(d.index_url("extra")).status == 404
    assert get(d.index_url("other")).status == 200


def test_a_broken_user_file_on_sighup_changes_nothing(daemon: DaemonFactory) -> None:
    """Two entries for one user are refused, and so is no file at all; who could sign in still can."""
    d = daemon()
    d.add_user("alice", "secret-of-alice")
    htpasswd = d.data / "htpasswd"
    good = htpasswd.read_text()
    htpasswd.write_text(good + good)
    begin = len(d.log())
    d.sighup()
    d.wait_log("reload refused", start=begin)
    assert "already has line 1" in d.log()[begin:]
    htpasswd.rename(d.data / "htpasswd.away")
    begin = len(d.log())
    d.sighup()
    d.wait_log("reload refused", start=begin)
    credentials = "YWxpY2U6c2VjcmV0LW9mLWFsaWNl"
    answer = get(d.url, method="POST", headers={"Authorization": f"Basic {credentials}"}, body=b"x")
    assert answer.status == 400, "known, and then told that this is no upload"
    answer = get(d.url, method="POST", headers={"Authorization": "Basic YWxpY2U6d3Jvbmc="}, body=b"x")
    assert answer.status == 401


def test_a_broken_configuration_at_the_start(tmp_path: Path) -> None:
    """It exits 78 with every problem on the terminal, before anything is made; check-config says the same."""
    config = tmp_path / "pypid.conf"
    config.write_text(BROKEN)
    started = run([*TWISTD, "--nodaemon", "--pidfile=", "pypid", "--config", config], home=tmp_path)
    checked = run([sys.executable, "-m", "pypid.cli.main", "check-config", config], home=tmp_path)
    for result in (started, checked):
        assert result.returncode == 78, result.stdout
        for problem in ("lisen: no such setting (did you mean listen?)", "drain: expected", "no index 'intern'"):
            assert problem in result.stdout
        assert "Traceback" not in result.stdout
    assert not (tmp_path / "pypid-data").exists()


def test_two_daemons_on_one_directory(daemon: DaemonFactory) -> None:
    """The second says who has it, and exits 75; the first does not notice."""
    d = daemon()
    second = d.directory / "second.conf"
    second.write_text(d.config_file.read_text().replace(str(d.port), str(free_port())))
    result = run([*TWISTD, "--nodaemon", "--pidfile=", "pypid", "--config", second], home=d.directory)
    assert result.returncode == 75, result.stdout
    assert f"in use by another pypid (pid {d.pid})" in result.stdout
    assert "Traceback" not in result.stdout
    assert get(f"{d.url}-/health").status == 200


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    """It says which, and exits 71 without a traceback."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        env = {"PYPID_SERVER__LISTEN": f"tcp:{port}:interface=127.0.0.1"}
        result = run([*TWISTD, "--nodaemon", "--pidfile=", "pypid"], home=tmp_path, env=env)
    assert result.returncode == 71, result.stdout
    assert f"cannot listen on tcp:{port}:interface=127.0.0.1: [Errno 98]" in result.stdout
    assert "Traceback" not in result.stdout


def test_it_daemonizes_as_twistd_does(tmp_path: Path) -> None:
    """The command returns when it serves; the pid file names it; SIGTERM ends it and the pid file."""
    port = free_port()
    env = {"PYPID_SERVER__LISTEN": f"tcp:{port}:interface=127.0.0.1"}
    pid_file = tmp_path / "twistd.pid"
    command = [*TWISTD, f"--pidfile={pid_file}", f"--logfile={tmp_path / 'twistd.log'}", "pypid"]
    started = run(command, home=tmp_path, env=env)
    assert started.returncode == 0, started.stdout
    pid = int(pid_file.read_text())
    try:
        assert eventually(lambda: _serves(port), 10)
        assert (tmp_path / "pypid-data" / "lock").read_text().strip() == str(pid)
    finally:
        subprocess.run(["kill", str(pid)], check=True)
        assert eventually(lambda: not pid_file.exists(), 20)


def _serves(port: int) -> bool:
    try:
        return get(f"http://127.0.0.1:{port}/-/health").status == 200
    except OSError:
        return False


def test_sigterm_lets_requests_finish(daemon: DaemonFactory, index: ScriptedIndex, upstream: SocketUpstream) -> None:
    """A download under way is completed, idle connections are closed, new ones are refused."""
    big = index.add(wheel("big", "1.0", size=4 * 2**20))
    d = daemon(config={"index": {"pypi": {"upstream": upstream.url}}})
    barrier = Barrier()
    index.script(index.file_path(big), Hold(barrier, at=2**20))
    path = urljoin("/simple/", f"../files/big/{big.sha256[:16]}/{big.filename}")
    with connect("127.0.0.1", d.port) as busy, connect("127.0.0.1", d.port) as idle:
        idle.send(b"GET /-/health HTTP/1.1\r\nHost: pypid\r\n\r\n")
        assert idle.read_answer().status == 200
        busy.send(f"GET {path} HTTP/1.1\r\nHost: pypid\r\n\r\n".encode())
        barrier.wait_reached(10)
        d.signal(signal.SIGTERM)
        assert eventually(idle.is_closed, 5)
        assert eventually(lambda: not _serves(d.port), 5)
        barrier.release()
        answer = busy.read_answer()
    assert answer.complete
    assert answer.body == big.content
    assert d.wait() == STOPPED
    assert "Traceback" not in d.log()
    d.start()
    assert get(urljoin(d.url, path)).body == big.content
    assert index.count("GET", index.file_path(big)) == 1


def test_sigterm_does_not_wait_for_ever(daemon: DaemonFactory, index: ScriptedIndex, upstream: SocketUpstream) -> None:
    """After the drain time what is left is cut off, and nothing of it is kept."""
    big = index.add(wheel("big", "1.0", size=4 * 2**20))
    d = daemon(config={"server": {"drain": 1}, "index": {"pypi": {"upstream": upstream.url}}})
    barrier = Barrier()
    index.script(index.file_path(big), Hold(barrier, at=2**20))
    path = urljoin("/simple/", f"../files/big/{big.sha256[:16]}/{big.filename}")
    with connect("127.0.0.1", d.port) as busy:
        busy.send(f"GET {path} HTTP/1.1\r\nHost: pypid\r\n\r\n".encode())
        barrier.wait_reached(10)
        begin = time.monotonic()
        assert d.terminate() == STOPPED
        assert time.monotonic() - begin < 8
        assert not busy.read_answer().complete
    barrier.release()
    assert list((d.data / "staging").iterdir()) == []
    assert "Traceback" not in d.log()
