"""The harness against a stand-in for the daemon: a twistd plugin that misbehaves on request."""

import signal
import sys
import tomllib
from pathlib import Path

import pytest

from tests.kit.daemon import STOPPED, Daemon
from tests.kit.processes import eventually, run
from tests.kit.rawclient import get


class TestLife:
    def test_serves_on_a_port_and_directory_of_its_own(self, running: Daemon) -> None:
        running.check_invariants()
        assert get(running.simple).body == b"ok"
        assert running.index_url("root/pypi") == f"{running.url}root/pypi/simple/"
        assert (running.data / "staging").is_dir()
        assert tomllib.loads(running.config_file.read_text())["server"]["drain"] == 1

    def test_stops_in_good_order_and_comes_back_on_its_port(self, running: Daemon) -> None:
        url, pid = running.url, running.pid
        assert running.terminate() == STOPPED
        assert "Server Shut Down" in running.log()
        assert running.stopped
        running.start()
        assert running.url == url
        assert running.pid != pid
        running.restart()
        assert get(url).status == 200

    def test_killed_daemon_is_not_one_that_died(self, running: Daemon) -> None:
        running.kill()
        assert running.stopped
        running.start()
        with pytest.raises(EOFError):
            get(f"{running.url}die")
        assert eventually(lambda: not running.alive, 5)
        assert not running.stopped
        with pytest.raises(AssertionError, match="has died"):
            running.check_invariants()

    def test_refused_start_shows_the_log(self, tmp_path: Path, stand_in: dict[str, str]) -> None:
        made = Daemon(tmp_path / "daemon", {"server": {"refuse": True}}, env=stand_in)
        with pytest.raises(AssertionError, match="the configuration is refused"):
            made.start()
        assert made.stopped

    def test_port_taken_in_the_meantime_is_replaced(self, running: Daemon, stand_in: dict[str, str]) -> None:
        second = Daemon(running.directory / "second", {}, env=stand_in)
        second.port = running.port
        try:
            # The first is healthy at that port; the second must not take it for itself.
            second.start()
            assert second.port != running.port
            second.check_invariants()
        finally:
            second.kill()

    def test_prefix_limits_the_process_itself(self, tmp_path: Path, stand_in: dict[str, str]) -> None:
        made = Daemon(tmp_path / "daemon", {}, env=stand_in, prefix=["prlimit", "--nofile=99"])
        try:
            made.start()
            assert "99" in Path(f"/proc/{made.pid}/limits").read_text().split("Max open files")[1].split()[:1]
        finally:
            made.kill()

    def test_what_is_measured(self, running: Daemon) -> None:
        assert 2**20 < running.rss() <= running.peak_rss() < 2**30
        assert running.fds() > 3
        assert running.threads() >= 1

    def test_reload_waits_for_the_new_configuration(self, running: Daemon) -> None:
        for drain in (2, 3):
            running.reload({"server": {"drain": drain}})
            assert tomllib.loads(running.config_file.read_text())["server"]["drain"] == drain
        assert running.log().count("reloaded") == 2

    def test_log_without_the_text_is_shown(self, running: Daemon) -> None:
        with pytest.raises(AssertionError, match=r"no 'what never happens'(?s:.*)starting up"):
            running.wait_log("what never happens", timeout=0.1)

    def test_user_is_added_by_the_command(self, running: Daemon) -> None:
        running.add_user("jo", "correct horse")
        assert (running.data / "htpasswd").read_text().startswith("jo:$2")
        assert "reloaded" in running.log()
        assert running.secrets == ["correct horse"]


def test_signal_that_ended_it_is_told(running: Daemon) -> None:
    running.sighup()
    running.wait_log("reloaded")
    process = running._running()
    process.send_signal(signal.SIGKILL)
    assert running.terminate() == -signal.SIGKILL


USES_THE_FIXTURE = """
from tests.kit.rawclient import get

def test_good(daemon, stand_in):
    first, second = daemon(env=stand_in), daemon({"server": {"drain": 1}}, env=stand_in)
    assert get(first.url).status == get(second.url).status == 200

def test_bad(daemon, stand_in):
    get(daemon(env=stand_in).url + "raise")

def test_stopped_by_itself(daemon, stand_in):
    daemon(env=stand_in).kill()
"""


def test_fixture_holds_daemons_to_the_invariants(tmp_path: Path) -> None:
    fixtures = "from tests.conftest import daemon\nfrom tests.kit.conftest import stand_in\n"
    (tmp_path / "conftest.py").write_text(fixtures)
    (tmp_path / "test_fixture.py").write_text(USES_THE_FIXTURE)
    args: list[str | Path] = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", tmp_path]
    result = run([*args, "--basetemp", tmp_path / "inner", tmp_path], home=tmp_path, env={"CI": ""})
    assert "3 passed, 1 error" in result.stdout, result.stdout
    assert "ERROR at teardown of test_bad" in result.stdout
    assert "in the log: " in result.stdout
