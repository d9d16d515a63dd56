"""CONNECT: what a proxy is asked, every way it can answer, and that a tunnel is only bytes."""

from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.error import ConnectError, ConnectionDone, ConnectionLost, NoProtocol
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from pypid.domain.errors import UpstreamUnavailable
from pypid.domain.proxies import Proxy, parse_proxy
from pypid.upstream.tunnel import MAX_HEAD, TunnelEndpoint

OPEN = b"HTTP/1.1 200 Connection established\r\n\r\n"
SECRET = "http://bob:secret@proxy.test:3128"
SECONDS = 5.0


@implementer(IStreamClientEndpoint)
class Wire:
    """The way to a proxy that the test plays."""

    def __init__(self, outcome: Exception | None = None, *, silent: bool = False) -> None:
        self.transport = StringTransport()
        self.cancelled = False
        self._outcome = outcome
        self._silent = silent
        self._client: Any = None

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        if self._outcome is not None:
            return fail(self._outcome)
        if self._silent:
            return Deferred(lambda _: setattr(self, "cancelled", True))
        self._client = protocolFactory.buildProtocol(IPv4Address("TCP", "192.0.2.1", 3128))
        self._client.makeConnection(self.transport)
        return succeed(self._client)

    @property
    def asked(self) -> str:
        return str(self.transport.value(), "ascii")

    def send(self, data: bytes) -> None:
        self._client.dataReceived(data)

    def close(self, why: Exception) -> None:
        self._client.connectionLost(Failure(why))


class Far(Protocol):
    """What speaks through the tunnel."""

    data = b""
    ended: Failure | None = None

    def dataReceived(self, data: bytes) -> None:
        self.data += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.ended = reason


class TunnelTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.wire = Wire()
        self.addCleanup(lambda: self.assertEqual(self.clock.getDelayedCalls(), [], "timers"))

    def connect(
        self, proxy: str = "http://proxy.test:3128", host: str = "files.test", factory: Factory | None = None
    ) -> Deferred[IProtocol]:
        parsed: Proxy = parse_proxy(proxy)
        endpoint = TunnelEndpoint(parsed, self.wire, host, 443, timeout=SECONDS, clock=self.clock)
        return endpoint.connect(factory or Factory.forProtocol(Far))

    def opened(self, extra: bytes = b"") -> Far:
        connecting = self.connect()
        self.wire.send(OPEN + extra)
        protocol = self.successResultOf(connecting)
        assert isinstance(protocol, Far)
        return protocol

    def refused(self, answer: bytes, proxy: str = SECRET) -> str:
        """Answer so, and return what the error says; the connection must be closed by then."""
        self.wire = Wire()
        connecting = self.connect(proxy)
        self.wire.send(answer)
        self.assertTrue(self.wire.transport.disconnected)
        self.wire.send(b"more")
        self.wire.close(ConnectionDone())
        return self.message(connecting)

    def message(self, connecting: Deferred[IProtocol]) -> str:
        text = str(self.failureResultOf(connecting, UpstreamUnavailable).value)
        self.assertIn("the proxy http://proxy.test:3128 ", text)
        self.assertNotIn("secret", text)
        return text


class RequestTests(TunnelTestCase):
    def test_without_a_password(self) -> None:
        self.connect().addErrback(lambda _: None)
        head, *headers = self.wire.asked.removesuffix("\r\n\r\n").split("\r\n")
        self.assertEqual(head, "CONNECT files.test:443 HTTP/1.1")
        self.assertEqual([header.partition(":")[0] for header in headers], ["Host", "User-Agent"])
        self.assertIn("Host: files.test:443", headers)
        self.clock.advance(SECONDS)

    def test_with_a_password(self) -> None:
        self.connect("http://Aladdin:open%20sesame@proxy.test:3128").addErrback(lambda _: None)
        self.assertIn("\r\nProxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n", self.wire.asked)
        self.clock.advance(SECONDS)

    def test_an_address_of_version_6_has_brackets(self) -> None:
        self.connect(host="2001:db8::1").addErrback(lambda _: None)
        self.assertTrue(self.wire.asked.startswith("CONNECT [2001:db8::1]:443 HTTP/1.1\r\nHost: [2001:db8::1]:443\r\n"))
        self.clock.advance(SECONDS)


class OpenTunnelTests(TunnelTestCase):
    def test_bytes_pass_both_ways(self) -> None:
        protocol = self.opened()
        self.wire.transport.clear()
        assert protocol.transport is not None
        protocol.transport.write(b"hello")
        self.assertEqual(self.wire.asked, "hello")
        self.wire.send(b"\r\n\r\nHTTP")
        self.wire.send(b"/1.1 407")
        self.assertEqual(protocol.data, b"\r\n\r\nHTTP/1.1 407")

    def test_bytes_after_the_head_belong_to_the_tunnel(self) -> None:
        self.assertEqual(self.opened(b"\x16\x03more").data, b"\x16\x03more")

    def test_lengths_in_the_answer_mean_nothing(self) -> None:
        connecting = self.connect()
        self.wire.send(b"HTTP/1.0 299 Fine\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\nabcdef")
        self.assertEqual(getattr(self.successResultOf(connecting), "data", None), b"abcdef")

    def test_an_answer_in_single_bytes(self) -> None:
        connecting = self.connect()
        for byte in OPEN:
            self.assertNoResult(connecting)
            self.wire.send(bytes([byte]))
        self.successResultOf(connecting)

    def test_its_end_is_the_end_of_what_is_in_it(self) -> None:
        protocol = self.opened()
        self.wire.close(ConnectionLost())
        assert protocol.ended is not None
        self.assertIsInstance(protocol.ended.value, ConnectionLost)

    def test_time_has_no_end_for_it(self) -> None:
        protocol = self.opened()
        self.clock.advance(SECONDS * 100)
        self.assertFalse(self.wire.transport.disconnecting)
        self.assertIsNone(protocol.ended)

    def test_nobody_who_wants_it(self) -> None:
        class Nobody(Factory):
            def buildProtocol(self, addr: object) -> Protocol | None:  # noqa: ARG002
                return None

        connecting = self.connect(factory=Nobody())
        self.wire.send(OPEN)
        self.failureResultOf(connecting, NoProtocol)
        self.assertTrue(self.wire.transport.disconnected)


class RefusalTests(TunnelTestCase):
    def test_password_wanted(self) -> None:
        answer = b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=x\r\n\r\n<html>"
        self.assertIn("wants a user and a password", self.refused(answer, "http://proxy.test:3128"))
        self.assertIn("does not take our user and password", self.refused(answer))
        self.assertIn("does not take our user and password", self.refused(answer.replace(b"407", b"401")))

    def test_any_other_status_but_success(self) -> None:
        for status in (100, 301, 400, 403, 404, 500, 502, 503, 504):
            text = self.refused(f"HTTP/1.1 {status} No\r\nX: y\r\n\r\nbody".encode())
            self.assertIn(f"answers {status} to CONNECT files.test:443", text)

    def test_what_is_no_http(self) -> None:
        for answer in (
            b"220 smtp.example ESMTP\r\n\r\n",
            b"\x15\x03\x01\x00\x02\x02\x46\r\n\r\n",
            b"HTTP/1.1 2000 OK\r\n\r\n",
            b"HTTP/1.1 20 OK\r\n\r\n",
            b"HTTP/1.1 2x0 OK\r\n\r\n",
            b"HTTP/2 200\r\n\r\n",
            b"\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
            b"X: y\r\nHTTP/1.1 200 OK\r\n\r\n",
        ):
            self.assertIn("does not speak HTTP", self.refused(answer))

    def test_an_endless_head(self) -> None:
        self.assertIn("without an end", self.refused(OPEN[:-2] + b"X: y\r\n" * (MAX_HEAD // 6)))

    def test_a_long_head_that_ends_is_taken(self) -> None:
        connecting = self.connect()
        self.wire.send(OPEN[:-2] + b"X: y\r\n" * (MAX_HEAD // 7) + b"\r\n" + b"x" * 2 * MAX_HEAD)
        self.successResultOf(connecting)

    def test_a_slow_head(self) -> None:
        connecting = self.connect(SECRET)
        for _ in range(int(SECONDS)):
            self.assertNoResult(connecting)
            self.wire.send(b"H")
            self.clock.advance(1)
        self.assertIn("does not connect to files.test:443 within 5 s", self.message(connecting))
        self.assertTrue(self.wire.transport.disconnected)

    def test_no_answer(self) -> None:
        for sent in (b"", b"HTTP/1.1 200 OK\r\n"):
            self.wire = Wire()
            connecting = self.connect(SECRET)
            self.wire.send(sent)
            self.wire.close(ConnectionDone())
            self.assertIn("closed the connection", self.message(connecting))

    def test_no_way_to_the_proxy(self) -> None:
        self.wire = Wire(ConnectError())
        self.assertIn("cannot be reached", self.message(self.connect(SECRET)))

    def test_a_proxy_that_takes_no_connection(self) -> None:
        self.wire = Wire(silent=True)
        connecting = self.connect(SECRET)
        self.clock.advance(SECONDS)
        self.assertIn("within 5 s", self.message(connecting))
        self.assertTrue(self.wire.cancelled)


class CancelTests(TunnelTestCase):
    def test_while_the_proxy_thinks(self) -> None:
        connecting = self.connect()
        connecting.cancel()
        self.failureResultOf(connecting, CancelledError)
        self.assertTrue(self.wire.transport.disconnected)
        self.wire.send(OPEN)
        self.wire.close(ConnectionLost())

    def test_while_connecting_to_it(self) -> None:
        self.wire = Wire(silent=True)
        connecting = self.connect()
        connecting.cancel()
        self.failureResultOf(connecting, CancelledError)
        self.assertTrue(self.wire.cancelled)
