"""
A real nginx in front of a daemon, configured as docs/proxy.md says.

    with Nginx(tmp_path, daemon.port) as proxy:
        uv_pip_install(uv, f"{proxy.url}simple/", "demo")

In Debian it is in the package nginx-light. It runs as a child process, on a port of its own.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Self

import pytest
import trustme

from tests.kit.processes import ROOT, clean_environment, eventually, free_port

GUIDE = ROOT / "docs" / "proxy.md"
PREFIX = "pypi/"
_START_SECONDS = 10
_STOP_SECONDS = 10

_AROUND = """\
daemon off;
{user}
worker_processes 1;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    scgi_temp_path {directory}/scgi;
    uwsgi_temp_path {directory}/uwsgi;
{server}
}}
"""


class Nginx:
    """One nginx with TLS for localhost, that passes on what is below `PREFIX` to ``port``."""

    def __init__(self, directory: Path, port: int) -> None:
        self.port = free_port()
        self._directory = directory / f"nginx-{self.port}"
        self._directory.mkdir()
        authority = trustme.CA()
        self.bundle = self._directory / "authority.pem"
        authority.cert_pem.write_to_path(str(self.bundle))
        self._pem = self._directory / "server.pem"
        authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(self._pem))
        self._daemon_port = port
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The daemon's, by way of it."""
        return f"https://localhost:{self.port}/{PREFIX}"

    @property
    def trust(self) -> dict[str, str]:
        """The environment in which clients trust it."""
        return dict.fromkeys(("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"), str(self.bundle))

    def start(self) -> None:
        """Start it, and return when it listens; the test is skipped on a machine that does not have it."""
        program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
        if program is None:
            pytest.skip("needs nginx")
        config = self._directory / "nginx.conf"
        user = "user root;" if os.geteuid() == 0 else ""
        config.write_text(_AROUND.format(directory=self._directory, user=user, server=self._server()))
        with (self._directory / "output").open("wb") as output:
            self._process = subprocess.Popen(
                [program, "-e", str(self._directory / "error.log"), "-c", str(config)],
                env=clean_environment(self._directory),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        process = self._process
        if not eventually(lambda: process.poll() is not None or self._listens(), _START_SECONDS) or not self._listens():
            said = (self._directory / "output").read_text()
            self.stop()
            raise AssertionError(f"nginx did not start: {said}")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(_STOP_SECONDS)
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _server(self) -> str:
        """Return what the guide says, for this machine."""
        text: str
        (text,) = re.findall(r"^```nginx\n(.*?)^```$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
        for theirs, ours in (
            ("listen 443 ssl;", f"listen 127.0.0.1:{self.port} ssl;"),
            ("server_name index.example;", "server_name localhost;"),
            ("ssl_certificate /etc/nginx/index.example.pem;", f"ssl_certificate {self._pem};"),
            ("ssl_certificate_key /etc/nginx/index.example.key;", f"ssl_certificate_key {self._pem};"),
            ("http://127.0.0.1:8080/", f"http://127.0.0.1:{self._daemon_port}/"),
        ):
            assert text.count(theirs) == 1, theirs
            text = text.replace(theirs, ours)
        return text

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True
