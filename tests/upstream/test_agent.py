"""Which way a request goes, what the proxy gets to see of it, and who is to blame when it does not arrive."""

from __future__ import annotations

import base64

import trustme
from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from pypid.domain.errors import UpstreamUnavailable
from pypid.domain.no_proxy import parse_no_proxy
from pypid.domain.proxies import ProxyRules, parse_proxy
from pypid.upstream.client import Absent, FetchedPage, Unchanged
from tests.kit.dists import wheel
from tests.kit.upstream import redirect
from tests.upstream.network import ASKING, start
from tests.upstream.proxied import ProxiedWorld
from tests.upstream.test_files import Sink

DIRECT = ProxyRules()
SECRET = base64.b64encode(b"bob:secret").decode()
SECURE = "https://upstream.test"
PLAIN = "http://upstream.test"
PAGE = "/simple/demo/"
WANTS_PASSWORD = b"HTTP/1.1 407 No\r\nContent-Length: 100000\r\nProxy-Authenticate: Basic realm=x\r\n\r\nbegun"


def by_way_of(url: str, no_proxy: str = "") -> ProxyRules:
    proxy = parse_proxy(url)
    return ProxyRules(http=proxy, https=proxy, no_proxy=parse_no_proxy(no_proxy))


PROXY = by_way_of("http://proxy.test:3128")
WITH_PASSWORD = by_way_of("http://bob:secret@proxy.test:3128")


class AgentTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = ProxiedWorld()
        self.demo = self.world.index.add(wheel("demo", size=200_000))
        self.addCleanup(self.check_nothing_left)

    def check_nothing_left(self) -> None:
        self.world.pool.closeCachedConnections()
        self.world.flush()
        self.assertEqual(self.world.clock.getDelayedCalls(), [], "timers")
        self.assertEqual(self.world.connections, 0, "open connections")

    def ask(self, rules: ProxyRules, url: str) -> Deferred[FetchedPage | Unchanged | Absent]:
        page = start(self.world.client(rules).page(url, etag=None, last_modified=None))
        self.world.flush()
        return page

    def fetch(self, rules: ProxyRules, url: str) -> None:
        self.assertIsInstance(self.successResultOf(self.ask(rules, url)), FetchedPage)

    def refused(self, rules: ProxyRules, url: str) -> str:
        text = str(self.failureResultOf(self.ask(rules, url), UpstreamUnavailable).value)
        self.assertNotIn("secret", text)
        self.assertNotIn(SECRET, text)
        return text

    def via(self) -> list[str]:
        """By which proxies the index was asked, as far as it knows."""
        return [seen.headers.get("via", "") for seen in self.world.index.requests]


class WayTests(AgentTestCase):
    def test_without_a_proxy(self) -> None:
        self.fetch(DIRECT, SECURE + PAGE)
        self.fetch(DIRECT, PLAIN + PAGE)
        self.assertEqual(self.world.dialled, [("upstream.test", 443), ("upstream.test", 80)])

    def test_https_goes_through_a_tunnel_and_nothing_of_it_is_seen(self) -> None:
        self.fetch(WITH_PASSWORD, SECURE + PAGE)
        self.assertEqual(self.world.dialled, [("proxy.test", 3128)])
        (asked,) = self.world.asked
        self.assertIn("CONNECT upstream.test:443 HTTP/1.1\r\n", asked)
        self.assertIn(f"Proxy-Authorization: Basic {SECRET}", asked)
        (seen,) = self.world.index.requests
        self.assertEqual((seen.scheme, seen.path, seen.headers["host"]), ("https", PAGE, "upstream.test"))
        self.assertNotIn("proxy-authorization", seen.headers, "the password is for the proxy alone")

    def test_http_is_left_to_the_proxy(self) -> None:
        self.fetch(WITH_PASSWORD, PLAIN + PAGE)
        self.assertEqual(self.world.dialled, [("proxy.test", 3128)])
        (asked,) = self.world.asked
        self.assertTrue(asked.startswith(f"GET {PLAIN}{PAGE} HTTP/1.1\r\n"))
        self.assertIn(f"Proxy-Authorization: Basic {SECRET}", asked)
        self.assertIn("Host: upstream.test", asked)
        self.assertEqual(self.via(), ["1.1 proxy.test"])

    def test_without_a_password_none_is_sent(self) -> None:
        for url in (SECURE, PLAIN):
            self.fetch(PROXY, url + PAGE)
        self.assertNotIn("authorization", "".join(self.world.asked).lower())

    def test_a_file_arrives_whole(self) -> None:
        for root in (SECURE, PLAIN):
            sink = Sink()
            file = start(self.world.client(PROXY).file(root + self.world.index.file_path(self.demo), sink))
            self.world.flush()
            self.successResultOf(file)
            self.assertEqual(sink.got, self.demo.content)

    def test_hosts_that_need_no_proxy(self) -> None:
        rules = by_way_of("http://proxy.test:3128", "upstream.test")
        self.fetch(rules, SECURE + PAGE)
        self.fetch(rules, "https://other.test" + PAGE)
        self.assertEqual(self.world.dialled, [("upstream.test", 443), ("proxy.test", 3128)])

    def test_each_hop_of_a_redirection_goes_its_own_way(self) -> None:
        self.world.index.script(PAGE, redirect(f"https://other.test{PAGE}"))
        self.fetch(by_way_of("http://proxy.test:3128", "upstream.test"), SECURE + PAGE)
        self.assertEqual(self.world.dialled, [("upstream.test", 443), ("proxy.test", 3128)])

    def test_a_proxy_that_is_itself_spoken_to_over_tls(self) -> None:
        for root in (SECURE, PLAIN):
            self.fetch(by_way_of("https://proxy.test:3129"), root + PAGE)
        self.assertEqual(self.world.dialled, [("proxy.test", 3129)] * 2)
        self.assertEqual([seen.scheme for seen in self.world.index.requests], ["https", "https"])

    def test_a_url_that_nobody_can_ask(self) -> None:
        agent = self.world.agent(PROXY)
        self.failureResultOf(agent.request(b"GET", b"ftp://upstream.test/"))
        self.assertRaises(ValueError, agent.request, b"GET", b"https://upstream.test/a b")
        self.assertEqual(self.world.dialled, [])


class PoolTests(AgentTestCase):
    def test_a_connection_is_used_again(self) -> None:
        for root in (SECURE, PLAIN):
            for _ in range(3):
                self.fetch(PROXY, root + PAGE)
        self.assertEqual(len(self.world.dialled), 2)

    def test_one_connection_to_a_proxy_serves_every_plain_host(self) -> None:
        self.fetch(PROXY, PLAIN + PAGE)
        self.fetch(PROXY, "http://other.test:8080" + PAGE)
        self.assertEqual(len(self.world.dialled), 1)
        self.assertIn("GET http://other.test:8080/simple/demo/", self.world.asked[1])

    def test_a_tunnel_serves_only_its_host_and_port(self) -> None:
        for root in (SECURE, "https://other.test", "https://upstream.test:3129"):
            self.fetch(PROXY, root + PAGE)
        self.assertEqual(len(self.world.dialled), 3)

    def test_ways_are_kept_apart(self) -> None:
        """A mirror that must go by a proxy never goes directly because another one may, nor by another's password."""
        for root in (SECURE, PLAIN):
            for rules in (DIRECT, PROXY, WITH_PASSWORD):
                self.world.dialled.clear()
                self.fetch(rules, root + PAGE)
                self.assertEqual(len(self.world.dialled), 1)

    def test_agents_of_different_keys_share_no_connection(self) -> None:
        """One may have shown a certificate, or been allowed an address, that is not for the other."""
        for root in (SECURE, PLAIN):
            for rules in (DIRECT, PROXY):
                for key in ("one", "another"):
                    self.world.dialled.clear()
                    for _ in range(2):
                        page = self.world.client(rules, key=key).page(root + PAGE, etag=None, last_modified=None)
                        asking = start(page)
                        self.world.flush()
                        self.successResultOf(asking)
                    self.assertEqual(len(self.world.dialled), 1)


class TroubleTests(AgentTestCase):
    def test_the_certificate_is_that_of_the_upstream(self) -> None:
        self.assertIn("VerificationError", self.refused(PROXY, "https://impostor.test" + PAGE))
        self.assertEqual(self.world.index.requests, [])

    def test_a_proxy_over_tls_has_a_certificate_too(self) -> None:
        client = self.world.client(by_way_of("https://bob:secret@proxy.test:3129"), trusting=trustme.CA())
        for root in (SECURE, PLAIN):
            page = start(client.page(root + PAGE, etag=None, last_modified=None))
            self.world.flush()
            self.assertIn("the proxy https://proxy.test:3129 ", str(self.failureResultOf(page).value))
        self.assertEqual(self.world.asked, [], "it has not seen the password")

    def test_refusals_name_the_proxy(self) -> None:
        for root in (SECURE, PLAIN):
            for rules, what in ((PROXY, "wants a user"), (WITH_PASSWORD, "does not take our user and password")):
                self.world.answers.append(WANTS_PASSWORD)
                self.assertIn(f"the proxy http://proxy.test:3128 {what}", self.refused(rules, root + PAGE))
                self.assertEqual(self.world.connections, 0)

    def test_a_tunnel_refused(self) -> None:
        self.world.answers.append(b"HTTP/1.1 403 Access violation\r\n\r\n")
        self.assertIn("answers 403 to CONNECT upstream.test:443", self.refused(WITH_PASSWORD, SECURE + PAGE))

    def test_nonsense_for_an_answer(self) -> None:
        for root in (SECURE, PLAIN):
            self.world.answers.append(b"220 smtp.test ESMTP\r\n\r\n")
            self.assertIn("the proxy http://proxy.test:3128 ", self.refused(WITH_PASSWORD, root + PAGE))

    def test_silence(self) -> None:
        self.world.answers.append(b"")
        page = self.ask(PROXY, SECURE + PAGE)
        self.world.clock.advance(5)
        self.assertIn("within 5 s", str(self.failureResultOf(page, UpstreamUnavailable).value))
        self.world.answers.append(b"")
        page = self.ask(PROXY, PLAIN + PAGE)
        self.world.clock.advance(ASKING.header_timeout)
        self.assertIn("within 10 s", str(self.failureResultOf(page, UpstreamUnavailable).value))

    def test_leaving(self) -> None:
        for root in (SECURE, PLAIN):
            self.world.answers.append(b"HTTP/1.1 ")
            page = self.ask(PROXY, root + PAGE)
            page.cancel()
            self.failureResultOf(page, CancelledError)
            self.world.flush()
            self.assertEqual(self.world.connections, 0)
