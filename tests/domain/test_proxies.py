"""Proxies: their URLs, the environment's word on them, and what is never shown."""

from __future__ import annotations

import base64
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pypid.domain.proxies import InvalidProxy, Proxy, ProxyRules, environment_rules, host_and_port, parse_proxy
from tests.domain.strategies import patient

PROXY = Proxy(scheme="http", host="proxy.test", port=3128)
NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


class UrlTests(SynchronousTestCase):
    def test_read(self) -> None:
        for url, proxy in (
            ("http://proxy.test:3128", PROXY),
            ("HTTP://Proxy.test:3128/", PROXY),
            ("http://proxy.test", Proxy(scheme="http", host="proxy.test", port=80)),
            ("https://proxy.test", Proxy(scheme="https", host="proxy.test", port=443)),
            ("http://[::1]:1", Proxy(scheme="http", host="::1", port=1)),
            ("http://:@10.0.0.1", Proxy(scheme="http", host="10.0.0.1", port=80)),
        ):
            self.assertEqual(parse_proxy(url), proxy)

    def test_refused(self) -> None:
        for url in (
            "",
            "proxy.test:3128",
            "socks5://proxy.test:1080",
            "http://",
            "http://:3128",
            "http://proxy.test:0",
            "http://proxy.test:99999",
            "http://proxy.test:port",
            "http://[::1",
            "http://proxy.test/path",
            "http://proxy.test?query",
            "http://proxy.test#fragment",
            "http://proxy test",
            "http://proxy.test\r\nX: y",
            "\x01http://proxy.test",
            "http://pr\u00f6xy.test",
            "http://proxy,test",
        ):
            error = self.assertRaises(InvalidProxy, parse_proxy, url)
            self.assertIn("expected the URL of a proxy", str(error))

    def test_no_message_repeats_a_password(self) -> None:
        for url in (
            "socks5://bob:secret@proxy.test",
            "http://bob:secret@[proxy",
            "http://bob:secret@proxy:port",
            "http://bob:sec/secret@proxy",
            "http://bob:sec#secret@proxy",
            "http://bob:secret\u00e9@proxy",
            "bob:secret@proxy",
        ):
            self.assertNotIn("secret", str(self.assertRaises(InvalidProxy, parse_proxy, url)))

    @patient
    @given(st.text(min_size=1, max_size=20), st.text(max_size=20))
    def test_any_user_and_password_can_be_written_and_none_is_shown(self, user: str, password: str) -> None:
        proxy = parse_proxy(f"http://{quote(user, safe='')}:{quote(password, safe='')}@proxy.test:3128")
        assert proxy.authorization is not None
        scheme, _, encoded = proxy.authorization.partition(" ")
        self.assertEqual((scheme, base64.b64decode(encoded).decode()), ("Basic", f"{user}:{password}"))
        self.assertEqual(str(proxy), str(PROXY))
        self.assertEqual(repr(proxy), repr(PROXY))
        self.assertNotEqual(proxy, PROXY, "connections of the one are not for the other")

    @patient
    @given(st.text("htps:/@[]?#%.ab1 \n", max_size=20) | st.text())
    def test_no_text_breaks_it_and_what_it_shows_reads_back(self, text: str) -> None:
        try:
            proxy = parse_proxy(text)
        except InvalidProxy:
            return
        self.assertEqual(str(parse_proxy(str(proxy))), str(proxy))

    def test_host_and_port(self) -> None:
        self.assertEqual(host_and_port("a.test", 443), "a.test:443")
        self.assertEqual(host_and_port("::1", 443), "[::1]:443")


class EnvironmentTests(SynchronousTestCase):
    def test_without_variables_all_is_direct(self) -> None:
        self.assertEqual(environment_rules({"HOME": "/"}), ProxyRules())
        self.assertIsNone(ProxyRules().proxy_for("https", "example.test", 443))

    def test_each_scheme_has_its_own(self) -> None:
        rules = environment_rules({"HTTP_PROXY": "http://one.test:1", "https_proxy": "http://two.test:2"})
        self.assertEqual(str(rules.proxy_for("http", "example.test", 80)), "http://one.test:1")
        self.assertEqual(str(rules.proxy_for("https", "example.test", 443)), "http://two.test:2")

    def test_one_for_all_schemes_that_have_none(self) -> None:
        rules = environment_rules({"ALL_PROXY": "http://all.test:1", "HTTPS_PROXY": "http://two.test:2"})
        self.assertEqual((str(rules.http), str(rules.https)), ("http://all.test:1", "http://two.test:2"))

    def test_lower_case_wins_even_if_empty(self) -> None:
        rules = environment_rules({"https_proxy": "http://a.test", "HTTPS_PROXY": "http://b.test"})
        self.assertEqual(str(rules.https), "http://a.test:80")
        self.assertEqual(environment_rules({"https_proxy": "", "HTTPS_PROXY": "http://b.test"}), ProxyRules())
        no_proxy = {"no_proxy": "", "NO_PROXY": "*", "HTTPS_PROXY": "http://b.test"}
        self.assertIsNotNone(environment_rules(no_proxy).proxy_for("https", "example.test", 443))

    def test_scheme_may_be_left_out(self) -> None:
        self.assertEqual(environment_rules({"HTTPS_PROXY": " proxy.test:3128 "}).https, PROXY)

    def test_no_proxy(self) -> None:
        rules = environment_rules({"ALL_PROXY": "http://proxy.test:3128", "NO_PROXY": "corp.test, 10.0.0.0/8"})
        for host in ("corp.test", "index.corp.test", "10.1.1.1"):
            self.assertIsNone(rules.proxy_for("https", host, 443))
        self.assertEqual(rules.proxy_for("https", "example.test", 443), PROXY)

    def test_a_proxy_that_cannot_be_used_is_never_passed_over(self) -> None:
        error = self.assertRaises(InvalidProxy, environment_rules, {"ALL_PROXY": "socks5://bob:secret@a.test"})
        self.assertTrue(str(error).startswith("ALL_PROXY: expected"))
        self.assertNotIn("secret", str(error))

    def test_a_variable_that_nothing_comes_of_is_not_read(self) -> None:
        """Desktops set all three."""
        proxies = {"HTTP_PROXY": "http://a.test", "HTTPS_PROXY": "http://a.test"}
        self.assertEqual(environment_rules(proxies | {"ALL_PROXY": "socks5://a.test"}), environment_rules(proxies))

    @patient
    @given(st.dictionaries(st.sampled_from(NAMES), st.text("htps:/@.ab1,* ", max_size=20) | st.text()))
    def test_no_value_breaks_it(self, environ: dict[str, str]) -> None:
        try:
            rules = environment_rules(environ)
        except InvalidProxy as e:
            self.assertIn(str(e).partition(":")[0], environ)
        else:
            rules.proxy_for("http", "example.test", 80)
