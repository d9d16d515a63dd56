"""
A real pypid: its own process, port, data directory and configuration.

    def test_restart(daemon: DaemonFactory, upstream: SocketUpstream) -> None:
        d = daemon(config={"index": {"pypi": {"upstream": upstream.url}, "main": {"bases": ["pypi"]}}})
        d.restart(); assert get(d.simple).status == 200

The fixture in ``tests/conftest.py`` starts it, calls `Daemon.check_invariants` after the test if it still runs,
and ends it. What is measured of the process comes from ``/proc``.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from tests.kit import invariants, procfs
from tests.kit.processes import clean_environment, eventually, free_port, run
from tests.kit.rawclient import get
from tests.kit.toml import to_toml

START_SECONDS = 20
STOPPED = -signal.SIGTERM
"""The exit code of a twistd that has stopped in good order: it ends itself with the signal that stopped it."""
_TWISTD = "from twisted.scripts.twistd import run; run()"
_PORT_TAKEN = "Address already in use"

Config = Mapping[str, Any]
"""The tables of ``pypid.conf``."""


class DaemonFactory(Protocol):
    def __call__(self, config: Config | None = None, **kwargs: Any) -> Daemon:
        """Return a started `Daemon` on a directory of its own; ``kwargs`` are `Daemon`'s."""


class Daemon:
    """
    One daemon over any number of starts, in ``directory``.

    ``config`` has no need to name the port and the data directory; more
    listening addresses are added to the kit's own. ``prefix`` is a command to
    run it with that keeps the process id, such as ``prlimit --nofile=64``.
    """

    def __init__(
        self, directory: Path, config: Config, *, env: Mapping[str, str] | None = None, prefix: Sequence[str] = ()
    ) -> None:
        self.directory = directory
        self.data = directory / "data"
        self.config_file = directory / "pypid.conf"
        self.log_file = directory / "pypid.log"
        self.port = free_port()
        self.secrets: list[str] = []
        """What must never be in the log."""
        self.expected: list[str] = []
        self.env = dict(env or {})
        """Variables beside the usual ones; they are read at each start."""
        self.baseline = invariants.Baseline(fds=0, threads=0)
        self._config = config
        self._prefix = prefix
        self._process: subprocess.Popen[bytes] | None = None
        directory.mkdir(parents=True, exist_ok=True)

    # Where it is.

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    @property
    def simple(self) -> str:
        """The default index."""
        return f"{self.url}simple/"

    def index_url(self, name: str) -> str:
        return f"{self.url}{name}/simple/"

    # Its life.

    def start(self) -> None:
        """
        Start it, and return when it serves.

        `AssertionError` with its log if it ends instead, or is not ready
        after `START_SECONDS`. A port that somebody else took in the meantime
        is replaced at the first start; a restart must have the same one.
        """
        for _ in range(5):
            self.configure(self._config)
            begin = len(self.log())
            self._spawn()
            if self._became_ready(begin):
                self.baseline = invariants.Baseline(fds=self.fds(), threads=self.threads())
                return
            self.kill()
            if not self._port_taken(begin) or begin > 0:
                break
            self.log_file.unlink()
            self.port = free_port()
        raise AssertionError(f"pypid did not start:\n{self.log()}")

    def configure(self, config: Config) -> None:
        """Write the configuration; a running daemon reads it at the next `sighup`."""
        self._config = config
        server = dict(config.get("server", {}))
        own = [f"tcp:{self.port}:interface=127.0.0.1"]
        server |= {"listen": own + list(server.get("listen", [])), "data": str(self.data)}
        self.config_file.write_text(to_toml({**config, "server": server}), encoding="utf-8")

    def terminate(self, timeout: float = 20) -> int:
        """
        Stop it as systemd does; return the exit code, negative if a signal ended it.

        After a stop in good order it is `STOPPED`.
        """
        self.signal(signal.SIGTERM)
        return self.wait(timeout)

    def wait(self, timeout: float = 20) -> int:
        """Return the exit code when it has ended by itself, or by a signal that was sent before."""
        return self._ended(self._running().wait(timeout))

    def kill(self) -> None:
        """SIGKILL, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._ended(self._process.wait())

    def restart(self) -> None:
        """Stop it in good order, and start it on the same data and port."""
        self.terminate()
        self.start()

    def signal(self, number: signal.Signals) -> None:
        self._running().send_signal(number)

    def sighup(self) -> None:
        self.signal(signal.SIGHUP)

    def reload(self, config: Config | None = None) -> None:
        """Have the configuration, or a new one, read, and return when it is in force."""
        if config is not None:
            self.configure(config)
        begin = len(self.log())
        self.sighup()
        self.wait_log("reloaded", start=begin)

    def add_user(self, name: str, password: str) -> None:
        """Add the user as an operator does, and return when the daemon knows."""
        self.secrets.append(password)
        command = [sys.executable, "-m", "pypid.cli.main", "user", "add", name, "--stdin"]
        added = run([*command, "--config", str(self.config_file)], home=self.directory, stdin=f"{password}\n")
        assert added.returncode == 0, added.stdout
        if self.alive:
            self.reload()

    # What can be seen of it.

    @property
    def stopped(self) -> bool:
        """The test has ended it, or never started it; one that died by itself is not stopped."""
        return self._process is None

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        return self._running().pid

    def log(self) -> str:
        """All that it has written, over all its starts."""
        return self.log_file.read_text(encoding="utf-8", errors="replace") if self.log_file.exists() else ""

    def wait_log(self, text: str, timeout: float = 10, *, start: int = 0) -> None:
        """Block until ``text`` is in the log, from character ``start`` on."""
        if not eventually(lambda: text in self.log()[start:], timeout):
            raise AssertionError(f"no {text!r} in the log after {timeout} s:\n{self.log()[start:]}")

    def expect_in_log(self, text: str) -> None:
        """Allow, and demand, an event of the log that has ``text``, though it may show a traceback."""
        self.expected.append(text)

    def rss(self) -> int:
        """Bytes of memory in use."""
        return procfs.resident(self.pid)

    def peak_rss(self) -> int:
        """The most bytes of memory that were in use since its start."""
        return procfs.peak_resident(self.pid)

    def fds(self) -> int:
        return procfs.open_descriptors(self.pid)

    def threads(self) -> int:
        return procfs.threads(self.pid)

    def check_invariants(self) -> None:
        """Raise `AssertionError` naming every invariant that the daemon breaks; see `tests.kit.invariants`."""
        problems = invariants.problems_of(self)
        if problems:
            raise AssertionError("\n".join([*problems, "--- its log:", self.log()]))

    # How it is done.

    def _spawn(self) -> None:
        command = [*self._prefix, sys.executable, "-c", _TWISTD, "--nodaemon", "--pidfile=", "pypid"]
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--config", str(self.config_file)],
                cwd=self.directory,
                env=clean_environment(self.directory, **self.env),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def _became_ready(self, begin: int) -> bool:
        def decided() -> bool:
            return not self.alive or self._port_taken(begin) or self._healthy()

        return eventually(decided, START_SECONDS) and self.alive and not self._port_taken(begin)

    def _port_taken(self, begin: int) -> bool:
        return _PORT_TAKEN in self.log()[begin:]

    def _healthy(self) -> bool:
        try:
            return procfs.listens(self.pid, self.port) and get(f"{self.url}-/health", timeout=1).status == 200
        except (OSError, EOFError):
            return False

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("the daemon does not run")
        return self._process

    def _ended(self, code: int) -> int:
        self._process = None
        return code
