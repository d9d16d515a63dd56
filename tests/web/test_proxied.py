"""B32: what proxies say is believed if they are ours, and of no use to anybody else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import IAddress

from pypid.domain.trusted_proxies import TrustedProxies
from tests.kit.dists import wheel
from tests.web.forms import fields_of, multipart
from tests.web.world import ALICE, Answer, WebTestCase

PROXY, OTHER = IPv4Address("TCP", "10.0.0.1", 1), IPv4Address("TCP", "192.0.2.1", 1)
CLIENT = "192.0.2.43"
SAID = {"X-Forwarded-For": CLIENT, "X-Forwarded-Proto": "https", "X-Forwarded-Host": "index.test:8443"}
RFC_7239 = {"Forwarded": f'for={CLIENT};proto=https;host="index.test:8443"'}


class ProxiedTests(WebTestCase):
    def setUp(self) -> None:
        super().setUp()
        trusted = TrustedProxies(["10.0.0.0/8", "unix"])
        self.current.value = replace(self.current.value, trusted_proxies=trusted)

    def asked_by(
        self, peer: IAddress, headers: Mapping[str, str], *, method: str = "GET", target: str = "/", body: bytes = b""
    ) -> Answer:
        connection = self.connect(peer)
        connection.ask(method, target, headers, body)
        self.flush()
        return connection.answer()

    def site_url(self, peer: IAddress, headers: Mapping[str, str]) -> str:
        """Return the URL that a client is told to use."""
        text = self.asked_by(peer, headers).text
        return text.partition("pip install -i ")[2].partition("simple/ ")[0]

    def uploaded_from(self, peer: IAddress, headers: Mapping[str, str], name: str) -> str:
        """Return the address that the audit log has for an upload."""
        content_type, body = multipart(fields_of(wheel(name)), wheel(name))
        answer = self.asked_by(
            peer, {**ALICE, "Content-Type": content_type, **headers}, method="POST", target="/own/", body=body
        )
        self.assertEqual(answer.status, 200)
        audit = self.asked_by(OTHER, {**ALICE, "Accept": "application/json"}, target="/-/api/v1/audit")
        events: list[dict[str, Any]] = json.loads(audit.body)["events"]
        return str(next(event["address"] for event in events if event["project"] == name))

    def test_proxy_of_ours_is_believed(self) -> None:
        for number, said in enumerate((SAID, RFC_7239)):
            for kind, peer in enumerate((PROXY, UNIXAddress(None), IPv6Address("TCP", "::ffff:10.0.0.1", 1))):
                self.assertEqual(self.site_url(peer, said), "https://index.test:8443/")
                self.assertEqual(self.uploaded_from(peer, said, f"demo{number}{kind}"), CLIENT)

    def test_nobody_else_is(self) -> None:
        for number, said in enumerate((SAID, RFC_7239, {"X-Forwarded-Prefix": "/evil", "Forwarded": '"'})):
            self.assertEqual(self.site_url(OTHER, said), "http://pypid.test/")
            self.assertEqual(self.uploaded_from(OTHER, said, f"demo{number}"), "192.0.2.1")

    def test_client_that_writes_them_itself_is_still_known(self) -> None:
        said = {**SAID, "X-Forwarded-For": f"127.0.0.1, 10.0.0.9, {CLIENT}, 10.0.0.2"}
        self.assertEqual(self.uploaded_from(PROXY, said, "demo"), CLIENT)

    def test_header_that_a_proxy_does_not_know_is_not_read_beside_those_it_sets(self) -> None:
        said = {**RFC_7239, "X-Forwarded-For": "192.0.2.66"}
        self.assertEqual(self.uploaded_from(PROXY, said, "demo"), "192.0.2.66")
        self.assertEqual(self.site_url(PROXY, said), "http://pypid.test/")

    def test_proxy_that_says_nothing_asks_for_itself(self) -> None:
        self.assertEqual(self.site_url(PROXY, {}), "http://pypid.test/")
        self.assertEqual(self.uploaded_from(PROXY, {}, "demo"), "10.0.0.1")

    def test_client_that_a_proxy_hides(self) -> None:
        self.assertEqual(self.uploaded_from(PROXY, {"Forwarded": 'for="_hidden:80"'}, "demo"), "_hidden")
        self.assertEqual(self.uploaded_from(PROXY, {"X-Forwarded-For": "unknown"}, "other"), "unknown")

    def test_prefix_is_in_front_of_every_whole_url(self) -> None:
        self.publish(wheel("demo"), "/own/")
        for said in ("/pypi", "/pypi/"):
            headers = {**SAID, "X-Forwarded-Prefix": said}
            self.assertEqual(self.site_url(PROXY, headers), "https://index.test:8443/pypi/")
            self.assertIn("https://index.test:8443/pypi/own/", self.asked_by(PROXY, headers, target="/own/").text)
        self.publish(wheel("legacy"), "/")
        (found,) = json.loads(self.asked_by(PROXY, headers, target="/pypi/legacy/json").body)["urls"]
        self.assertTrue(found["url"].startswith("https://index.test:8443/pypi/packages/files/"), found["url"])
        refused = self.asked_by(PROXY, headers, method="POST", target="/nosuch/place")
        self.assertIn("https://index.test:8443/pypi/", refused.text)

    def test_redirects_and_links_need_none(self) -> None:
        self.publish(wheel("demo"))
        answer = self.asked_by(PROXY, {**SAID, "X-Forwarded-Prefix": "/pypi"}, target="/simple/Demo/")
        self.assertEqual((answer.status, answer.headers["Location"]), (302, "../demo/"))
        page = self.asked_by(PROXY, {**SAID, "X-Forwarded-Prefix": "/pypi"}, target="/simple/demo/")
        self.assertIn('href="../../files/', page.text)

    def test_what_cannot_be_understood_is_refused_and_not_executed(self) -> None:
        """Else whoever can write it would be taken for the proxy itself."""
        for said in ({"Forwarded": f'for="evil, for={CLIENT}'}, {"X-Forwarded-For": "evil"},
                     {"X-Forwarded-Proto": "ftp"}, {"X-Forwarded-Host": "a b"},
                     {"X-Forwarded-Prefix": "//evil.test"}):  # fmt: skip
            answer = self.asked_by(PROXY, said)
            self.assertEqual((answer.status, answer.headers["Connection"]), (400, "close"), said)

    def test_page_of_the_site_may_post_to_it_under_the_name_that_the_reader_knows(self) -> None:
        content_type, body = multipart(fields_of(wheel("demo")), wheel("demo"))
        headers = {**ALICE, **SAID, "Content-Type": content_type}
        own = self.asked_by(
            PROXY, {**headers, "Origin": "https://index.test:8443"}, method="POST", target="/own/", body=body
        )
        self.assertEqual(own.status, 200)
        other = self.asked_by(PROXY, {**headers, "Origin": "https://pypid.test"}, method="POST", target="/own/")
        self.assertEqual(other.status, 403)
