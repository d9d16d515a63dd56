"""The control socket: made, found, and gone in the end."""

from __future__ import annotations

import os
import pwd
import socket
import stat
from pathlib import Path
from tempfile import TemporaryDirectory

from twisted.internet.testing import MemoryReactorClock
from twisted.logger import LogLevel, capturedLogs
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource

from pypid.daemon.control import ControlSocket, local_users
from pypid.storage.control_socket import LONGEST, address_of
from pypid.web.control import ControlSite, peer_uid
from pypid.web.snapshot import Current


def sockets() -> set[str]:
    """Return the open sockets of this process."""
    links = [link for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    return {target for link in links if (target := str(link.readlink())).startswith("socket:")}


class ControlSocketTests(SynchronousTestCase):
    def setUp(self) -> None:
        temporary = TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.use(Path(temporary.name))

    def use(self, data: Path) -> None:
        self.data = data
        self.path = data / "control.sock"
        self.reactor = MemoryReactorClock()
        self.site = ControlSite(
            Resource(),
            Current(),
            reactor=self.reactor,
            header_timeout=1,
            idle_timeout=1,
        )
        self.control = ControlSocket(self.reactor, data, self.site)

    def start(self) -> list[str]:
        """Start it, and return what it warns of."""
        with capturedLogs() as events:
            self.control.start()
        self.addCleanup(self.stop)
        return [str(event["why"]) for event in events if event.get("log_level") is LogLevel.warn]

    def stop(self) -> None:
        stopped = self.control.stop()
        self.reactor.advance(0)
        self.successResultOf(stopped)

    def connect(self) -> None:
        """Raises unless somebody listens."""
        with socket.socket(socket.AF_UNIX) as client, address_of(self.data) as address:
            client.connect(address)

    def test_only_its_own_user_may_open_it(self) -> None:
        self.assertEqual(self.start(), [])
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)
        self.connect()

    def test_it_is_gone_after_a_stop(self) -> None:
        self.start()
        self.stop()
        self.assertFalse(self.path.exists())
        self.assertEqual(self.reactor.getReaders(), [])

    def test_socket_of_a_killed_pypid_is_replaced(self) -> None:
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(self.path))
        self.start()
        self.connect()

    def test_path_may_be_longer_than_that_of_a_socket(self) -> None:
        shortest = len(os.fsencode(self.data / "d" / "control.sock"))
        for length in (LONGEST, LONGEST + 1):
            data = self.data / ("d" * (1 + length - shortest))
            data.mkdir()
            before = set(Path("/proc/self/fd").iterdir())
            self.use(data)
            self.assertEqual(len(os.fsencode(self.path)), length)
            self.start()
            self.connect()
            self.stop()
            self.assertFalse(self.path.exists())
            self.assertEqual(set(Path("/proc/self/fd").iterdir()), before)
            self.use(data.parent)

    def test_what_is_no_socket_is_left_alone(self) -> None:
        """pypid serves without; the log says so."""
        self.path.write_text("mine")
        (warning,) = self.start()
        self.assertEqual(self.path.read_text(), "mine")
        self.assertIn("something else of that name is there", warning)

    def test_directory_that_takes_no_socket(self) -> None:
        self.use(self.data / "absent")
        before = sockets()
        self.assertEqual(len(self.start()), 1)
        self.assertEqual(sockets(), before)

    def test_socket_that_somebody_removed_is_closed_all_the_same(self) -> None:
        self.start()
        self.path.unlink()
        self.stop()
        self.assertEqual(self.reactor.getReaders(), [])

    def test_users_are_our_own_and_root(self) -> None:
        users = local_users()
        self.assertEqual(users[os.geteuid()], pwd.getpwuid(os.geteuid()).pw_name)
        self.assertEqual(users[0], "root")
        self.start()
        self.assertEqual(self.site.users, users)

    def test_kernel_says_who_has_connected(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX)

        class Transport:
            def getHandle(self) -> socket.socket:
                return ours

        with ours, theirs:
            self.assertEqual(peer_uid(Transport()), os.geteuid())
