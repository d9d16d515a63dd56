"""
A real HTTP proxy, tinyproxy, for what pypid does behind one.

    with Tinyproxy(tmp_path, user="bob", password="secret") as proxy:
        d = daemon(config=..., env={"HTTPS_PROXY": proxy.url})
        assert proxy.tunnels == ["127.0.0.1:8443"]

In Debian it is in the package tinyproxy-bin. Its own log says what it was asked.
"""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Self

import pytest

from tests.kit.processes import clean_environment, eventually, free_port

_START_SECONDS = 10
_STOP_SECONDS = 10


class Tinyproxy:
    """
    One tinyproxy on a port of its own, which wants a password if there is one.

    Its configuration takes letters, digits, ``-``, ``_`` and ``.`` in a
    password; in `url` they are percent-encoded all the same.
    """

    def __init__(self, directory: Path, *, user: str = "", password: str = "") -> None:
        self.port = free_port()
        self._directory = directory / f"tinyproxy-{self.port}"
        self._credentials = f"{_encoded(user)}:{_encoded(password)}@" if user else ""
        self._settings = {
            "Port": self.port,
            "Listen": "127.0.0.1",
            "LogFile": f'"{self._directory / "log"}"',
            "LogLevel": "Info",
            "ViaProxyName": '"tinyproxy"',
            **({"BasicAuth": f"{user} {password}"} if user else {}),
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Its URL without credentials."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self._credentials}127.0.0.1:{self.port}"

    @property
    def asked(self) -> list[str]:
        """The method and the target of every request so far."""
        return re.findall(r"Request \(file descriptor \d+\): (\S+ \S+)", self.log())

    def log(self) -> str:
        return (self._directory / "log").read_text()

    def start(self) -> None:
        """Start it, and return when it listens; the test is skipped on a machine that does not have it."""
        program = shutil.which("tinyproxy")
        if program is None:
            pytest.skip("needs tinyproxy")
        self._directory.mkdir()
        config = self._directory / "tinyproxy.conf"
        config.write_text("".join(f"{key} {value}\n" for key, value in self._settings.items()))
        with (self._directory / "output").open("wb") as output:
            self._process = subprocess.Popen(
                [program, "-d", "-c", str(config)],
                env=clean_environment(self._directory),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        process = self._process
        if not eventually(lambda: process.poll() is not None or self._listens(), _START_SECONDS) or not self._listens():
            said = (self._directory / "output").read_text()
            self.stop()
            raise AssertionError(f"tinyproxy did not start: {said}")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:  # it ends its connections first, in its own time
                self._process.kill()
                self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True


def _encoded(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode())
