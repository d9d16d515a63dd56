"""
A TLS server in memory, of any certificate, and our way to it.

    world = TlsWorld(); connecting = world.connect(policy, world.serving(leaf)); world.flush()

Certificates that trustme does not make are made here.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import NameOID
from OpenSSL import SSL, crypto
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import (
    IOpenSSLServerConnectionCreator,
    IProtocol,
    IProtocolFactory,
    IStreamClientEndpoint,
)
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import Clock
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.failure import Failure
from twisted.test import iosim
from zope.interface import implementer

from pypid.upstream.certificates import Authorities
from pypid.upstream.secured import SecuredEndpoint
from pypid.upstream.tls import TlsPolicy

HOST = "upstream.test"
_ADDRESS = IPv4Address("TCP", "192.0.2.1", 443)


class Line(Protocol):
    """Either end: what it has got, and how it ended."""

    def __init__(self) -> None:
        self.got = b""
        self.lost: Failure | None = None

    def dataReceived(self, data: bytes) -> None:
        self.got += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.lost = reason

    def say(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.write(data)


class TlsWorld:
    """``client`` and ``server`` are the ends of the last connection; ``shown`` is the client's certificate, if any."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.server = Line()
        self.pump: iosim.IOPump | None = None
        self.tls: SSL.Connection | None = None

    def connect(
        self, policy: TlsPolicy, serving: SSL.Context | None, *, host: str = HOST, port: int = 443
    ) -> Deferred[IProtocol]:
        """Begin to connect; ``serving`` None is a server that says nothing."""
        creator = policy.creatorForNetloc(host.encode(), port)
        way = SecuredEndpoint(_Way(self, serving), creator, timeout=5, clock=self.clock)
        return way.connect(Factory.forProtocol(Line))

    def flush(self) -> None:
        moved = True
        while moved:
            self.clock.advance(0)
            assert self.pump is not None
            moved = self.pump.flush()

    @property
    def is_open(self) -> bool:
        assert self.pump is not None
        return not self.pump.clientIO.disconnected

    @property
    def asked_for(self) -> bytes | None:
        """The name that the server was asked for (SNI)."""
        assert self.tls is not None
        return self.tls.get_servername()

    @property
    def shown(self) -> str | None:
        """Whose certificate the server was shown."""
        assert self.tls is not None
        certificate = self.tls.get_peer_certificate(as_cryptography=True)
        return None if certificate is None else str(certificate.subject.rfc4514_string())


@implementer(IStreamClientEndpoint)
class _Way:
    def __init__(self, world: TlsWorld, serving: SSL.Context | None) -> None:
        self._world = world
        self._serving = serving

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        world = self._world
        client = protocolFactory.buildProtocol(_ADDRESS)
        world.server = Line()
        server: IProtocol | None = world.server
        if self._serving is not None:
            factory = Factory.forProtocol(lambda: world.server)
            creator = _Serving(world, self._serving)
            server = TLSMemoryBIOFactory(creator, False, factory, clock=world.clock).buildProtocol(_ADDRESS)
        ends = iosim.FakeTransport(client, isServer=False), iosim.FakeTransport(server, isServer=True)
        world.pump = iosim.connect(server, ends[1], client, ends[0], greet=False)
        assert client is not None
        return succeed(client)


@implementer(IOpenSSLServerConnectionCreator)
class _Serving:
    def __init__(self, world: TlsWorld, context: SSL.Context) -> None:
        self._world = world
        self._context = context

    def serverConnectionForTLS(self, tlsProtocol: IProtocol) -> SSL.Connection:  # noqa: ARG002
        self._world.tls = SSL.Connection(self._context, None)
        return self._world.tls


def trusting(*authorities: trustme.CA) -> Authorities:
    pems = [authority.cert_pem.bytes() for authority in authorities]
    certificates = tuple(crypto.load_certificate(crypto.FILETYPE_PEM, pem) for pem in pems)
    return Authorities(certificates, digest=repr(pems))


def serving(leaf: trustme.LeafCert, *, clients_of: trustme.CA | None = None) -> SSL.Context:
    """Return a server's context, which asks its clients for certificates of an authority if one is given."""
    context = SSL.Context(SSL.TLS_METHOD)
    leaf.configure_cert(context)
    if clients_of is not None:
        clients_of.configure_trust(context)
        context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *args: bool(args[-1]))
    return context


def certificate(*, by: trustme.CA | None = None, names: list[x509.GeneralName] | None = None) -> trustme.LeafCert:
    """Return one signed ``by`` somebody, or by itself, that names what is given, and None nothing at all."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    issuer, signer = subject, key
    if by is not None:
        issuer = x509.load_pem_x509_certificate(by.cert_pem.bytes()).subject
        signer = load_pem_private_key(by.private_key_pem.bytes(), None)  # type: ignore[assignment]
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
    )
    if names is not None:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    made = builder.sign(signer, hashes.SHA256())
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return trustme.LeafCert(secret, made.public_bytes(Encoding.PEM), [])
