"""What TLS connections are made with: the certificates in force, replaced as one by a reload."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cryptography import x509
from OpenSSL import SSL, crypto
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.logger import Logger
from zope.interface import implementer

from pypid.config import ConfigError, ServerConfig
from pypid.config.certificate_files import read_tls_files
from pypid.domain.certificates import ServerCertificate
from pypid.domain.server_names import certificate_for

CIPHERS = b"ECDHE+AESGCM:ECDHE+CHACHA20"
"""For TLS 1.2: forward secrecy and authenticated encryption, nothing else. All of TLS 1.3's are so."""

HTTP = b"http/1.1"
"""What we speak on TLS, as ALPN calls it. Twisted's HTTP/2 has had its share of attacks, and no installer needs it."""

OPTIONS = (
    SSL.OP_CIPHER_SERVER_PREFERENCE
    | SSL.OP_NO_COMPRESSION
    | SSL.OP_NO_RENEGOTIATION
    # Their keys would live as long as the process, and give forward secrecy away.
    | SSL.OP_NO_TICKET
)

Choice = Callable[[str | None], int]
"""Takes the name that a client asks for, and gives the number of the certificate for it."""


class TlsContexts:
    """
    OpenSSL's contexts for some certificates, one each.

    Never changed after it is made: OpenSSL does not allow it once there was a
    connection. Raises `OpenSSL.SSL.Error` where OpenSSL finds fault with what
    it is given.
    """

    _log = Logger()

    def __init__(
        self,
        certificates: Sequence[ServerCertificate],
        *,
        client_authorities: Sequence[x509.Certificate] = (),
        clients_optional: bool = False,
        choose: Choice | None = None,
    ) -> None:
        """``choose``: for tests; by default the certificate's own names decide."""
        self.certificates = tuple(certificates)
        names = [certificate.names for certificate in certificates]
        self._choose = choose or (lambda name: certificate_for(name, names))
        # All alike: a connection begins with the first one, and takes much from the one that it is switched to.
        self._contexts = [_context(certificate) for certificate in certificates]
        # Without a certificate no handshake succeeds.
        self._closed = SSL.Context(SSL.TLS_SERVER_METHOD)
        self._has_failed = False
        self._contexts[0].set_tlsext_servername_callback(self._named)
        for context in self._contexts:
            if client_authorities:
                _ask_clients(context, client_authorities, optional=clients_optional)

    def connection(self) -> SSL.Connection:
        return SSL.Connection(self._contexts[0], None)

    def _named(self, connection: SSL.Connection) -> None:
        """Be told by OpenSSL that a client has begun, and which name it asks for, if any."""
        try:
            name = connection.get_servername()
            number = self._choose(None if name is None else name.decode("ascii", "replace"))
            connection.set_context(self._contexts[number])
        except Exception:  # noqa: BLE001  (from here it would go to OpenSSL, and a traceback of each to stderr)
            connection.set_context(self._closed)
            if not self._has_failed:
                self._has_failed = True
                self._log.failure("choosing a certificate failed: such connections are refused")


def _context(certificate: ServerCertificate) -> SSL.Context:
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_options(OPTIONS)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    context.set_cipher_list(CIPHERS)
    context.set_alpn_select_callback(_select_protocol)
    context.use_certificate(certificate.certificate)
    for above in certificate.chain:
        context.add_extra_chain_cert(above)
    context.use_privatekey(certificate.key)
    context.check_privatekey()
    return context


def _ask_clients(context: SSL.Context, authorities: Sequence[x509.Certificate], *, optional: bool) -> None:
    store = context.get_cert_store()
    assert store is not None
    for authority in authorities:
        store.add_cert(crypto.X509.from_cryptography(authority))
        context.add_client_ca(authority)
    context.set_verify(SSL.VERIFY_PEER if optional else SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT)


def _select_protocol(_: SSL.Connection, offered: Sequence[bytes]) -> Any:
    # A client that offers others only is likely to speak ours all the same.
    return HTTP if HTTP in offered else SSL.NO_OVERLAPPING_PROTOCOLS


@implementer(IOpenSSLServerConnectionCreator)
class CurrentTls:
    """
    Gives each new connection what is in force; those that are open keep what they began with.

    Not the `tls:` of Twisted, which reads its files again for names that it
    does not know, and at no other time.
    """

    def __init__(self, contexts: TlsContexts) -> None:
        self.contexts = contexts

    def serverConnectionForTLS(self, tlsProtocol: object) -> SSL.Connection:  # noqa: ARG002  (Twisted's signature)
        return self.contexts.connection()

    def seconds_left(self, now: float) -> Mapping[str, float]:
        """Return for how long the certificates are valid, by their first name; below zero: for how long not."""
        return {each.names[0]: each.ends - now for each in reversed(self.contexts.certificates)}


def read_contexts(server: ServerConfig) -> TlsContexts:
    """Return what the files of the configuration give. Raises `ConfigError`. Blocks for as long as the disk does."""
    files = read_tls_files(server)
    try:
        return TlsContexts(
            files.certificates,
            client_authorities=files.client_authorities,
            clients_optional=server.client_certificates == "optional",
        )
    except SSL.Error as e:
        why = "; ".join(reason for _, _, reason in e.args[0]) if e.args else e
        raise ConfigError([f"[server] certificates: OpenSSL does not take them: {why}"]) from e
