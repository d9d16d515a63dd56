"""The control socket: commands of this machine's operator come in here."""

from __future__ import annotations

import os
import pwd
import socket
import stat
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from twisted.internet import tcp, unix
from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.error import CannotListenError
from twisted.logger import Logger
from twisted.python.failure import Failure

from pypid.storage.control_socket import NAME, address_of
from pypid.web.control import ControlSite

ROOT = 0


class ControlSocket:
    """
    Listens on ``<data>/control.sock``, which only the daemon's own user may open.

    pypid serves packages without it as well: where it cannot be made, the log says so.
    """

    _log = Logger()

    def __init__(self, reactor: Any, data: Path, site: ControlSite) -> None:
        self._reactor = reactor
        self._path = data / NAME
        self._site = site
        self._port: _Port | None = None
        self._open = ExitStack()

    def start(self) -> None:
        """Listen, in the place of a socket that a killed pypid has left. The data directory must be ours."""
        self._site.users = local_users()
        try:
            self._remove_stale()
            address = self._open.enter_context(address_of(self._path.parent))
            port = _Port(os.fsencode(address), self._site, mode=0o600, reactor=self._reactor)
            port.startListening()
        except (OSError, CannotListenError) as e:
            self._open.close()
            self._log.warn(
                "there is no {path}, so that commands cannot reach this pypid: {why}", path=self._path, why=e
            )
        else:
            self._port = port

    def stop(self) -> Deferred[object]:
        """Fire when nobody can connect any more, and the socket is gone."""
        port, self._port = self._port, None
        if port is None:
            return succeed(None)
        return maybeDeferred(port.stopListening).addBoth(self._closed)

    def _closed(self, outcome: object) -> object:
        self._open.close()
        return outcome

    def _remove_stale(self) -> None:
        try:
            mode = self._path.lstat().st_mode
        except FileNotFoundError:
            return
        if not stat.S_ISSOCK(mode):
            raise FileExistsError("something else of that name is there")
        self._path.unlink()


class _Port(unix.Port):
    """A port that is closed when its file cannot be made, and can be when that is gone; the inherited one leaks."""

    _made: socket.socket | None = None

    def createInternetSocket(self) -> socket.socket:
        made: socket.socket = super().createInternetSocket()
        self._made = made
        return made

    def startListening(self) -> None:
        try:
            super().startListening()
        except CannotListenError:
            if self._made is not None:
                self._made.close()
            raise

    def connectionLost(self, reason: Failure) -> None:
        try:
            super().connectionLost(reason)
        except FileNotFoundError:
            # The inherited one removes the file first, and would leave everything open.
            tcp.Port.connectionLost(self, reason)


def local_users() -> Mapping[int, str]:
    """Return who may use the socket, the user that pypid runs as and root: names by user id."""
    return {uid: _name(uid) for uid in (os.geteuid(), ROOT)}


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:  # as in many containers
        return str(uid)
