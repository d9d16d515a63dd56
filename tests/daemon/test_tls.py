"""The beginning of a TLS connection, in memory: who is shown what, who is late, and what a reload changes."""

from __future__ import annotations

import contextlib
from typing import Any

from OpenSSL import SSL
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import capturedLogs, formatEvent
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from pypid.config import ConfigError
from pypid.config.certificate_files import FilesUnsettled
from pypid.daemon.tls import CurrentTls, TlsContexts
from pypid.daemon.tls_expiry import INTERVAL, ExpiryService
from pypid.daemon.tls_port import NOT_HTTP, TlsFactory
from pypid.daemon.tls_reload import PAUSES, read_settled
from pypid.domain.certificates import ServerCertificate
from pypid.domain.expiry import DAY
from tests.kit.authority import Authority, Issued

AUTHORITY = Authority()
TIMEOUT = 10.0
HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
"""How a ClientHello begins."""


def of(issued: Issued) -> ServerCertificate:
    return ServerCertificate(issued.certificate, issued.between, issued.key)


FIRST, SECOND = of(AUTHORITY.issue("first.test")), of(AUTHORITY.issue("second.test"))


class Echo(Protocol):
    lost = False

    def dataReceived(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.write(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: ARG002  (Twisted's signature)
        self.lost = True


class Client:
    """A client of TLS without a socket, against a protocol without one."""

    def __init__(self, factory: TlsFactory, name: str | None = None) -> None:
        self.server: Any = factory.buildProtocol(None)
        self.transport = StringTransport()
        self.server.makeConnection(self.transport)
        self._tls = SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD), None)
        self._tls.set_connect_state()
        if name is not None:
            self._tls.set_tlsext_host_name(name.encode())

    def shake_hands(self) -> str:
        """Return the first name in the certificate that is shown; raises `SSL.Error`."""
        while True:
            try:
                self._tls.do_handshake()
            except SSL.WantReadError:
                self.carry()
            else:
                self.carry()
                shown = self._tls.get_peer_certificate(as_cryptography=True)
                assert shown is not None
                return ServerCertificate(shown, (), FIRST.key).names[0]

    def carry(self) -> None:
        """Take bytes both ways."""
        with contextlib.suppress(SSL.WantReadError):
            self.server.dataReceived(self._tls.bio_read(2**16))
        self._take()

    def ask(self, data: bytes, clock: Clock) -> bytes:
        self._tls.send(data)
        self.carry()
        clock.advance(0)  # Twisted gathers small writes until then
        self._take()
        return self._tls.recv(2**16)

    def _take(self) -> None:
        if sent := self.transport.value():
            self._tls.bio_write(sent)
            self.transport.clear()


class TlsCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.current = CurrentTls(TlsContexts([FIRST, SECOND]))
        self.factory = TlsFactory(self.current, Factory.forProtocol(Echo), clock=self.clock, handshake_timeout=TIMEOUT)

    def failing(self) -> TlsContexts:
        def choose(name: str | None) -> int:
            raise ValueError(f"no idea about {name}")

        return TlsContexts([FIRST, SECOND], choose=choose)


class ChoiceTests(TlsCase):
    def test_by_name(self) -> None:
        self.assertEqual(Client(self.factory, "second.test").shake_hands(), "second.test")
        self.assertEqual(Client(self.factory, "first.test").shake_hands(), "first.test")
        self.assertEqual(Client(self.factory).shake_hands(), "first.test")

    def test_choosing_that_fails(self) -> None:
        """D12: nobody is let in, and it is said once, not for each."""
        self.current.contexts = self.failing()
        for _ in range(3):
            with self.assertRaises(SSL.Error):
                Client(self.factory, "first.test").shake_hands()
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_others_come_into_force(self) -> None:
        """D08: an open connection goes on with what it has."""
        before = Client(self.factory, "second.test")
        self.assertEqual(before.shake_hands(), "second.test")
        fresh = of(AUTHORITY.issue("fresh.test"))
        self.current.contexts = TlsContexts([fresh])
        self.assertEqual(Client(self.factory, "second.test").shake_hands(), "fresh.test")
        self.assertEqual(before.ask(b"hello", self.clock), b"hello")

    def test_time_left(self) -> None:
        """For whoever measures."""
        left = self.current.seconds_left(FIRST.ends - 100)
        self.assertEqual(set(left), {"first.test", "second.test"})
        self.assertEqual(left["first.test"], 100)


class HandshakeTests(TlsCase):
    def test_late(self) -> None:
        """B08: however it is done; each byte does not begin the time anew."""
        client = Client(self.factory)
        for byte in HELLO[:9]:
            client.server.dataReceived(bytes([byte]))
            self.clock.advance(1)
        self.assertFalse(client.transport.disconnecting)
        self.clock.advance(1)
        self.assertTrue(client.transport.disconnecting)
        client.server.connectionLost()

    def test_in_time(self) -> None:
        """What comes after the handshake is a matter of HTTP."""
        client = Client(self.factory)
        client.shake_hands()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.clock.advance(10 * TIMEOUT)
        self.assertEqual(client.ask(b"hello", self.clock), b"hello")

    def test_gone(self) -> None:
        """No timer outlives its connection, and what is above hears of its end."""
        client = Client(self.factory)
        above = client.server.wrappedProtocol
        client.server.connectionLost()
        self.assertTrue(above.lost)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_plain_http(self) -> None:
        """It is told so once, whatever follows."""
        client = Client(self.factory)
        client.server.dataReceived(b"GET / HTTP/1.1\r\n")
        client.server.dataReceived(b"Host: x\r\n\r\n")
        self.assertEqual(client.transport.value(), NOT_HTTP)
        self.assertTrue(client.transport.disconnecting)


class SettledTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.reads = 0
        self.good = TlsContexts([FIRST])

    def read(self, *outcomes: TlsContexts | Exception) -> Deferred[TlsContexts]:
        def read() -> Deferred[TlsContexts]:
            outcome = outcomes[min(self.reads, len(outcomes) - 1)]
            self.reads += 1
            return fail(outcome) if isinstance(outcome, Exception) else succeed(outcome)

        return Deferred.fromCoroutine(read_settled(read, self.clock))

    def test_at_once(self) -> None:
        self.assertIs(self.successResultOf(self.read(self.good)), self.good)

    def test_after_a_while(self) -> None:
        """D10: the second of two files is there a second later."""
        reading = self.read(FilesUnsettled(["no"]), self.good)
        self.assertNoResult(reading)
        self.clock.advance(PAUSES[0])
        self.assertIs(self.successResultOf(reading), self.good)

    def test_never(self) -> None:
        """D10: three more times within five seconds, and no more."""
        reading = self.read(FilesUnsettled(["no"]))
        for pause in PAUSES:
            self.assertNoResult(reading)
            self.clock.advance(pause)
        self.failureResultOf(reading, FilesUnsettled)
        self.assertEqual((self.reads, self.clock.seconds()), (4, 5))

    def test_what_no_waiting_helps_against(self) -> None:
        self.failureResultOf(self.read(ConfigError(["weak"])), ConfigError)
        self.assertEqual(self.reads, 1)


class ExpiryTests(SynchronousTestCase):
    def test_life_of_a_certificate(self) -> None:
        """D11: a warning on each day of the last third, a critical message when it is over and each day after."""
        certificate = of(AUTHORITY.issue("a.test", begins=0, ends=9))
        clock = Clock()
        current = CurrentTls(TlsContexts([certificate]))
        service = ExpiryService(clock, current, now=lambda: certificate.begins + clock.seconds())
        said: dict[int, list[str]] = {}
        service.startService()
        for hour in range(10 * 24 + 2):
            with capturedLogs() as events:
                clock.advance(INTERVAL)
            if events:
                said[(hour + 1) // 24] = [f"{event['log_level'].name}: {formatEvent(event)}" for event in events]
        self.assertEqual(list(said), [6, 7, 8, 9, 10])
        self.assertEqual(said[7], ["warn: the certificate for a.test expires in 2.0 days"])
        self.assertEqual(said[9], ["critical: the certificate for a.test has expired: clients refuse it"])
        self.assertEqual(said[10], said[9])
        with capturedLogs() as events:
            current.contexts = TlsContexts([of(AUTHORITY.issue("a.test", begins=0, ends=900))])
            clock.advance(DAY)
        self.assertEqual(events, [])
        service.stopService()
        self.assertEqual(clock.getDelayedCalls(), [])
