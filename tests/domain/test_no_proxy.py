"""NO_PROXY: which hosts it covers, in every way that people write them."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pypid.domain.no_proxy import parse_no_proxy
from tests.domain.strategies import patient

labels = st.text("ab-1", min_size=1, max_size=2).filter(lambda text: not text.isdigit())
domains = st.lists(labels, min_size=1, max_size=3).map(".".join)
ports = st.integers(1, 65535)


class NoProxyTests(SynchronousTestCase):
    def check(self, text: str, *, covered: tuple[str, ...] = (), other: tuple[str, ...] = (), port: int = 443) -> None:
        no_proxy = parse_no_proxy(text)
        for host in covered:
            self.assertTrue(no_proxy.covers(host, port), f"{text!r} covers {host}")
        for host in other:
            self.assertFalse(no_proxy.covers(host, port), f"{text!r} does not cover {host}")

    def test_nothing(self) -> None:
        for text in ("", " ", ",", ".", " , . ,"):
            self.check(text, other=("example.test", "", "127.0.0.1", "::1", "localhost"))

    def test_a_domain_covers_itself_and_what_is_below(self) -> None:
        for text in ("example.test", ".example.test", "*.example.test", "EXAMPLE.Test", "example.test."):
            self.check(
                text,
                covered=("example.test", "a.example.test", "b.a.Example.TEST", "example.test."),
                other=("badexample.test", "test", "example.test.evil", "xample.test"),
            )

    def test_everything(self) -> None:
        self.check("*", covered=("example.test", "10.0.0.1", "::1"))
        self.check("a.test,*", covered=("b.test",))

    def test_addresses_and_networks(self) -> None:
        self.check("10.1.2.3", covered=("10.1.2.3",), other=("10.1.2.30", "110.1.2.3", "a.10.1.2.3"))
        self.check("10.0.0.0/8", covered=("10.1.2.3",), other=("11.0.0.1", "ten.test", "::a00:1"))
        self.check("10.1.2.3/8", covered=("10.200.0.1",))
        self.check("fd00::/8", covered=("fd12::1",), other=("fe80::1",))
        for text in ("::1", "[::1]", "0:0::1"):
            self.check(text, covered=("::1",), other=("::2",))

    def test_a_port_narrows_it(self) -> None:
        for text in ("example.test:8080", "*:8080", ".example.test:8080"):
            self.check(text, covered=("example.test",), port=8080)
            self.check(text, other=("example.test",), port=443)
        self.check("10.0.0.1:80 [::1]:80", covered=("10.0.0.1", "::1"), port=80)
        self.check("10.0.0.1:80 [::1]:80", other=("10.0.0.1", "::1"), port=81)

    def test_several(self) -> None:
        for text in ("a.test,b.test", "a.test b.test", " a.test ,\t b.test,"):
            self.check(text, covered=("a.test", "b.test"), other=("c.test",))

    def test_nonsense_covers_nothing(self) -> None:
        text = f"10.0.0.0/33 http://example.test/ example.test:port :80 [ ]:1 **.test a:{'9' * 5000}"
        self.check(text, other=("example.test", "10.0.0.1", "a", "b.test", ""))

    @patient
    @given(st.lists(domains | domains.map(".{}".format), max_size=3), domains)
    def test_agrees_with_python_about_domains(self, entries: list[str], host: str) -> None:
        """The standard library's reading is what pip falls back on."""
        text = ",".join(entries)
        expected = bool(proxy_bypass_environment(host, {"no": text})) if text else False
        self.assertEqual(parse_no_proxy(text).covers(host, 443), expected)

    @patient
    @given(st.ip_addresses(), st.ip_addresses(), st.integers(0, 32))
    def test_a_network_is_its_addresses(self, inside: object, other: object, prefix: int) -> None:
        no_proxy = parse_no_proxy(f"{inside}/{prefix}")
        self.assertTrue(no_proxy.covers(str(inside), 443))
        expected = ip_address(str(other)) in ip_network(f"{inside}/{prefix}", strict=False)
        self.assertEqual(no_proxy.covers(str(other), 443), expected)

    @patient
    @given(st.text("ab.:/[]*0129, %-\n\u0660", max_size=12) | st.text(), st.text(max_size=6), ports)
    def test_no_text_breaks_it(self, text: str, host: str, port: int) -> None:
        self.assertIn(parse_no_proxy(text).covers(host, port), {True, False})
