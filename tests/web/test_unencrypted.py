"""Requests over the network without TLS: answered where there is none, and else sent to it (E16)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import IAddress, ISSLTransport
from twisted.logger import capturedLogs, formatEvent
from zope.interface import alsoProvides

from pypid.web.site import PypidSite
from pypid.web.unencrypted import EncryptedOnly, is_this_machine
from tests.kit.dists import wheel
from tests.web.world import ALICE, HEADER_TIMEOUT, IDLE_TIMEOUT, Peer, WebTestCase

FAR = IPv4Address("TCP", "192.0.2.7", 4711)
HERE = (
    IPv4Address("TCP", "127.0.0.1", 1),
    IPv4Address("TCP", "127.8.0.1", 1),
    IPv6Address("TCP", "::1", 1),
    IPv6Address("TCP", "::ffff:127.0.0.1", 1),
    UNIXAddress(None),
)
ELSEWHERE = (FAR, IPv6Address("TCP", "fe80::1%eth0", 1), IPv6Address("TCP", "::ffff:192.0.2.7", 1))
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
PIP = {"Accept": "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01"}
UV = {"Accept": "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"}


class UnencryptedCase(WebTestCase):
    https_port: int | None = 8443
    address: IAddress = FAR
    secured = False

    def setUp(self) -> None:
        super().setUp()
        self.current.value = replace(self.current.value, https_port=self.https_port)

    def new_site(self) -> PypidSite:
        routes: Any = super().new_site().resource
        return PypidSite(
            EncryptedOnly(routes),
            self.current,
            reactor=self.clock,
            header_timeout=HEADER_TIMEOUT,
            idle_timeout=IDLE_TIMEOUT,
        )

    def connect(self, address: IAddress | None = None) -> Peer:
        peer = Peer(self.site.buildProtocol(address or self.address), address or self.address)
        if self.secured:
            alsoProvides(peer._half, ISSLTransport)
        self.peers.append(peer)
        peer.connect()
        return peer


class BesideTlsTests(UnencryptedCase):
    def test_person(self) -> None:
        """Is sent to the same page, under the name that was asked for."""
        for method in ("GET", "HEAD"):
            answer = self.ask(method, "/simple/demo/?a=b", {**BROWSER, "Host": "index.lan:8080"})
            self.assertEqual(answer.status, 302)
            self.assertEqual(answer.headers["Location"], "https://index.lan:8443/simple/demo/?a=b")

    def test_person_at_an_address(self) -> None:
        answer = self.get("/", {**BROWSER, "Host": "[2001:db8::1]:8080"})
        self.assertEqual(answer.headers["Location"], "https://[2001:db8::1]:8443/")

    def test_installer(self) -> None:
        """Is not redirected, since it would go on like that; and 403 is no reason to look elsewhere."""
        for accept in (PIP, UV, {}):
            for target in ("/simple/demo/", "/simple/nothing/", "/-/health", "/nowhere"):
                answer = self.get(target, accept)
                self.assertEqual(answer.status, 403)
                self.assertIn("Nothing is served without TLS: use https://pypid.test:8443/", answer.reason)
                self.assertNotIn("Location", answer.headers)

    def test_credentials(self) -> None:
        """Whoever sent them is told that they are known now, also a person."""
        for accept in (PIP, BROWSER):
            answer = self.get("/simple/", {**ALICE, **accept})
            self.assertEqual(answer.status, 403)
            self.assertIn("change it", answer.reason)
            self.assertNotIn("WWW-Authenticate", answer.headers)

    def test_upload(self) -> None:
        """Is refused before its body is read."""
        answer = self.upload(wheel("demo", "1.0"))
        self.assertEqual(answer.status, 403)
        peer = self.connect()
        peer.ask("POST", "/", {"Content-Length": "1000000", "Expect": "100-continue", **ALICE})
        self.assertEqual(peer.answer("POST").status, 403)

    def test_host_that_is_none(self) -> None:
        """It never gets into the answer."""
        answer = self.get("/", {**BROWSER, "Host": "a/b@evil.test"})
        self.assertEqual(answer.status, 400)
        self.assertNotIn("evil", answer.reason + answer.text)


class DefaultPortTests(UnencryptedCase):
    https_port = 443

    def test_url_has_no_port(self) -> None:
        self.assertEqual(self.get("/", {**BROWSER, "Host": "a.lan"}).headers["Location"], "https://a.lan/")


class SecuredTests(UnencryptedCase):
    secured = True

    def test_is_answered(self) -> None:
        self.assertEqual(self.get("/-/health").status, 200)
        self.publish(wheel("demo", "1.0"))


class HereTests(UnencryptedCase):
    def test_is_answered(self) -> None:
        """Nobody can listen to what stays on the machine, as what a proxy on it sends."""
        for self.address in HERE:
            self.assertEqual(self.get("/-/health").status, 200)
        self.publish(wheel("demo", "1.0"))

    def test_addresses(self) -> None:
        self.assertEqual([is_this_machine(each) for each in HERE], [True] * len(HERE))
        self.assertEqual([is_this_machine(each) for each in ELSEWHERE], [False] * len(ELSEWHERE))


class WithoutTlsTests(UnencryptedCase):
    https_port = None

    def test_passwords_work_with_one_warning(self) -> None:
        """A team begins so: what matters is that they know."""
        with capturedLogs() as events:
            self.assertEqual(self.get("/-/health").status, 200)
            self.assertEqual([formatEvent(event) for event in events], [])
            self.publish(wheel("demo", "1.0"))
            self.publish(wheel("demo", "2.0"))
        said = [text for event in events if "cross the network" in (text := formatEvent(event))]
        self.assertEqual(len(said), 1)
        self.assertIn("192.0.2.7", said[0])

    def test_no_warning_for_what_stays_here(self) -> None:
        self.address = HERE[0]
        with capturedLogs() as events:
            self.publish(wheel("demo", "1.0"))
        self.assertFalse([event for event in events if "cross the network" in formatEvent(event)])
