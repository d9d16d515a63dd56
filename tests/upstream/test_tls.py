"""Which servers are believed (A48), who gets to see our certificate (A33), and the wait for the handshake (A05)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import trustme
from cryptography import x509
from OpenSSL import SSL, crypto
from twisted.internet.defer import CancelledError
from twisted.trial.unittest import SynchronousTestCase

from pypid.upstream.certificates import Authorities, Identity
from pypid.upstream.network import NETWORK_ERRORS, Unreachable, detail, reason
from pypid.upstream.tls import TlsPolicy
from tests.upstream.securing import HOST, Line, TlsWorld, certificate, serving, trusting

LONG_AGO = datetime.now(UTC) - timedelta(days=20)
SOON = datetime.now(UTC) + timedelta(days=20)


class TlsTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.authority = trustme.CA()
        self.policy = TlsPolicy(trusting(self.authority))
        self.world = TlsWorld()
        self.addCleanup(lambda: self.assertEqual(self.world.clock.getDelayedCalls(), [], "timers"))

    def accepted(self, context: SSL.Context, *, host: str = HOST, policy: TlsPolicy | None = None) -> Line:
        connecting = self.world.connect(policy or self.policy, context, host=host)
        self.assertNoResult(connecting)
        self.world.flush()
        line = self.successResultOf(connecting)
        assert isinstance(line, Line)
        return line

    def refused(self, context: SSL.Context, *, host: str = HOST, policy: TlsPolicy | None = None) -> str:
        connecting = self.world.connect(policy or self.policy, context, host=host)
        self.world.flush()
        error = self.failureResultOf(connecting).value
        self.assertIsInstance(error, NETWORK_ERRORS)
        self.assertEqual(detail(error), "tls")
        self.assertEqual(self.world.server.got, b"")
        self.assertFalse(self.world.is_open)
        return reason(error)


class CertificateTests(TlsTestCase):
    def test_a_good_one(self) -> None:
        line = self.accepted(serving(self.authority.issue_cert(HOST)))
        self.assertEqual(self.world.asked_for, HOST.encode())
        line.say(b"ping")
        self.world.server.say(b"pong")
        self.world.flush()
        self.assertEqual((self.world.server.got, line.got), (b"ping", b"pong"))

    def test_the_host_as_it_may_be_written(self) -> None:
        context = serving(self.authority.issue_cert(HOST))
        for host in (HOST, "Upstream.TEST", f"{HOST}."):
            self.accepted(context, host=host)
            self.assertEqual(self.world.asked_for, HOST.encode())

    def test_an_address_for_a_host(self) -> None:
        context = serving(self.authority.issue_cert("192.0.2.1", "2001:db8::1"))
        for host in ("192.0.2.1", "2001:db8::1"):
            self.accepted(context, host=host)
            self.assertIsNone(self.world.asked_for)
        self.assertIn("but of another host", self.refused(context, host="192.0.2.2"))

    def test_a48_expired(self) -> None:
        leaf = self.authority.issue_cert(HOST, not_before=LONG_AGO, not_after=LONG_AGO + timedelta(days=1))
        self.assertEqual(self.refused(serving(leaf)), f"the certificate of {HOST} has expired")

    def test_a48_not_valid_yet(self) -> None:
        leaf = self.authority.issue_cert(HOST, not_before=SOON, not_after=SOON + timedelta(days=1))
        self.assertIn("is not valid yet", self.refused(serving(leaf)))

    def test_a48_of_another_host(self) -> None:
        for name in ("other.test", "sub.upstream.test", "*.upstream.test", "*.other.test", "192.0.2.1"):
            self.assertIn("but of another host", self.refused(serving(self.authority.issue_cert(name))))

    def test_a48_of_no_host(self) -> None:
        """Twisted's own check takes it for anybody's; and a common name has not counted for long."""
        self.assertIn("there is no host in it", self.refused(serving(certificate(by=self.authority))))

    def test_names_in_it_that_cannot_be_do_no_harm(self) -> None:
        """Certificates of people's own authorities have such, beside good ones."""
        names: list[x509.GeneralName] = [x509.DNSName(name) for name in ("192.0.2.1", "*.lan", "*.mirrors.test")]
        leaf = certificate(by=self.authority, names=names)
        self.accepted(serving(leaf), host="one.mirrors.test")
        for host in ("192.0.2.1", "one.lan", HOST, "one.two.mirrors.test"):
            self.assertIn("but of another host", self.refused(serving(leaf), host=host))

    def test_a48_a_host_with_a_nul(self) -> None:
        names: list[x509.GeneralName] = [x509.DNSName(f"{HOST}\0.evil.test")]
        self.assertIn("is not one of", self.refused(serving(certificate(by=self.authority, names=names))))

    def test_a48_signed_by_itself(self) -> None:
        leaf = certificate(names=[x509.DNSName(HOST), x509.IPAddress(ip_address("192.0.2.1"))])
        said = self.refused(serving(leaf))
        self.assertIn("is signed by itself", said)
        self.assertIn("ca_file", said)

    def test_one_signed_by_itself_that_is_trusted_as_such(self) -> None:
        leaf = certificate(names=[x509.DNSName(HOST)])
        itself = crypto.load_certificate(crypto.FILETYPE_PEM, leaf.cert_chain_pems[0].bytes())
        policy = TlsPolicy(Authorities((itself,), "itself"))
        self.accepted(serving(leaf), policy=policy)
        self.assertIn("but of another host", self.refused(serving(leaf), host="other.test", policy=policy))

    def test_a48_an_authority_that_is_not_known(self) -> None:
        said = self.refused(serving(trustme.CA().issue_cert(HOST)))
        self.assertIn("is of no authority that is trusted here", said)
        self.assertIn("ca_file", said)

    def test_a48_without_the_certificate_in_between(self) -> None:
        leaf = self.authority.create_child_ca().issue_cert(HOST)
        self.accepted(serving(leaf))
        alone = SSL.Context(SSL.TLS_METHOD)
        alone.use_certificate(x509.load_pem_x509_certificate(leaf.cert_chain_pems[0].bytes()))
        leaf_key = crypto.load_privatekey(crypto.FILETYPE_PEM, leaf.private_key_pem.bytes()).to_cryptography_key()
        alone.use_privatekey(leaf_key)  # type: ignore[arg-type]
        self.assertIn("the server does not send those in between", self.refused(alone))

    def test_nobody_is_trusted_where_no_authority_is(self) -> None:
        self.refused(serving(self.authority.issue_cert(HOST)), policy=TlsPolicy(trusting()))

    def test_a48_versions_of_tls_that_are_not_safe(self) -> None:
        context = serving(self.authority.issue_cert(HOST))
        context.set_max_proto_version(SSL.TLS1_1_VERSION)
        self.assertIn("TLS", self.refused(context))

    def test_names_that_nobody_can_have(self) -> None:
        self.assertRaises(ValueError, self.policy.creatorForNetloc, b"a b", 443)


class HandshakeTests(TlsTestCase):
    def test_a05_a_server_that_says_nothing(self) -> None:
        connecting = self.world.connect(self.policy, None)
        self.world.flush()
        self.world.clock.advance(4.9)
        self.assertNoResult(connecting)
        self.world.clock.advance(0.2)
        error = self.failureResultOf(connecting, Unreachable).value
        self.assertEqual((reason(error), detail(error)), ("TLS does not begin within 5 s", "timeout"))
        self.world.flush()
        self.assertFalse(self.world.is_open)

    def test_a_server_that_does_not_speak_tls(self) -> None:
        connecting = self.world.connect(self.policy, None)
        self.world.flush()
        self.world.server.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        self.world.flush()
        error = self.failureResultOf(connecting).value
        self.assertEqual((reason(error), detail(error)), ("TLS failed: this port does not speak TLS", "tls"))

    def test_a_server_that_hangs_up(self) -> None:
        connecting = self.world.connect(self.policy, None)
        self.world.flush()
        assert self.world.server.transport is not None
        self.world.server.transport.loseConnection()
        self.world.flush()
        self.assertIsInstance(self.failureResultOf(connecting).value, NETWORK_ERRORS)

    def test_leaving(self) -> None:
        connecting = self.world.connect(self.policy, None)
        self.world.flush()
        connecting.cancel()
        self.failureResultOf(connecting, CancelledError)
        self.world.flush()
        self.assertFalse(self.world.is_open)

    def test_an_end_is_told_to_whoever_took_over(self) -> None:
        line = self.accepted(serving(self.authority.issue_cert(HOST)))
        assert self.world.server.transport is not None
        self.world.server.transport.loseConnection()
        self.world.flush()
        self.assertIsNotNone(line.lost)


class IdentityTests(TlsTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.ours = self.authority.issue_cert("pypid.test", common_name="pypid")
        pem = crypto.load_certificate(crypto.FILETYPE_PEM, self.ours.cert_chain_pems[0].bytes()).to_cryptography()
        key = crypto.load_privatekey(crypto.FILETYPE_PEM, self.ours.private_key_pem.bytes()).to_cryptography_key()
        self.identity = Identity(pem, (), key, digest="ours")
        self.asking = serving(self.authority.issue_cert(HOST, "files.test"), clients_of=self.authority)

    def test_a33_our_certificate_is_for_the_upstream_alone(self) -> None:
        policy = TlsPolicy(trusting(self.authority), self.identity, frozenset({(HOST, 443)}))
        self.accepted(self.asking, policy=policy)
        self.assertIn("CN=pypid", self.world.shown or "")
        for host, port in (("files.test", 443), (HOST, 8443)):
            connecting = self.world.connect(policy, self.asking, host=host, port=port)
            self.world.flush()
            self.assertIsNone(self.world.shown)
            connecting.addErrback(lambda _: None)  # TLS 1.3: the refusal comes after the handshake

    def test_a_server_that_wants_one_and_gets_none(self) -> None:
        """With TLS 1.3, its refusal comes after the handshake: it is the request that fails."""
        line = self.accepted(self.asking)
        assert line.lost is not None
        error = line.lost.value
        assert error is not None
        self.assertIn("client_certificate", reason(error))
        old = serving(self.authority.issue_cert(HOST), clients_of=self.authority)
        old.set_max_proto_version(SSL.TLS1_2_VERSION)
        self.assertIn("TLS failed", self.refused(old))

    def test_connections_of_different_trust_are_told_apart(self) -> None:
        own = frozenset({(HOST, 443)})
        same = [TlsPolicy(trusting(self.authority), self.identity, own).key for _ in range(2)]
        others = [
            self.policy.key,
            TlsPolicy(trusting(trustme.CA()), self.identity, own).key,
            TlsPolicy(trusting(self.authority), self.identity, frozenset({("other.test", 443)})).key,
        ]
        self.assertEqual(len({*same}), 1)
        self.assertEqual(len({*same, *others}), 4)
