"""How https servers are checked, and to whom we say who we are."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Protocol
from weakref import ref

from cryptography import x509
from OpenSSL import SSL
from OpenSSL.crypto import X509
from service_identity import CertificateError, VerificationError
from service_identity.hazmat import (
    DNS_ID,
    DNSPattern,
    IPAddress_ID,
    IPAddressPattern,
    ServiceID,
    verify_service_identity,
)
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.ssl import Certificate, CertificateOptions, trustRootFromCertificates
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.python.failure import Failure
from twisted.web.iweb import IPolicyForHTTPS
from zope.interface import implementer

from pypid.domain.addresses import Address
from pypid.domain.reach import origin_of
from pypid.upstream.certificates import (
    Authorities,
    BadCertificates,
    Identity,
    read_authorities,
    read_identity,
    system_authorities,
)
from pypid.upstream.network import Unreachable

_log = Logger()

_VERIFY = SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT
_CODES = SSL.X509VerificationCodes
_UNKNOWN = "is of no authority that is trusted here (see ca_file), or the server does not send those in between"
_PROBLEMS = {
    _CODES.ERR_CERT_HAS_EXPIRED: "has expired",
    _CODES.ERR_CERT_NOT_YET_VALID: "is not valid yet, or the clock here is wrong",
    _CODES.ERR_CERT_REVOKED: "is revoked",
    _CODES.ERR_DEPTH_ZERO_SELF_SIGNED_CERT: "is signed by itself, and not named by ca_file",
    _CODES.ERR_SELF_SIGNED_CERT_IN_CHAIN: _UNKNOWN,
    _CODES.ERR_UNABLE_TO_GET_ISSUER_CERT: _UNKNOWN,
    _CODES.ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY: _UNKNOWN,
    _CODES.ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE: _UNKNOWN,
}
"""By OpenSSL's number of what is wrong with a certificate."""


@implementer(IPolicyForHTTPS)
class TlsPolicy:
    """
    Checks every server: its certificate, by ``authorities`` alone, and the name in it. There is no way around.

    ``identity`` is shown to the servers in ``own``, each a host and a port,
    and to no other. What holds for connections made so is `key`: such of
    another key must not be taken for them.
    """

    def __init__(
        self, authorities: Authorities, identity: Identity | None = None, own: frozenset[tuple[str, int]] = frozenset()
    ) -> None:
        roots = trustRootFromCertificates([Certificate(each) for each in authorities.certificates])
        # Each has one OpenSSL context, made when it is first used: reading the authorities anew for each connection
        # takes milliseconds.
        self._anonymous = self._identified = CertificateOptions(trustRoot=roots)
        if identity is not None:
            self._identified = CertificateOptions(
                trustRoot=roots,
                certificate=identity.certificate,
                privateKey=identity.key,
                extraCertChain=list(identity.chain),
            )
        self._own = own
        self.key: Hashable = (authorities.digest, identity and identity.digest, own)

    def creatorForNetloc(self, hostname: bytes, port: int) -> IOpenSSLClientConnectionCreator:
        """Raises ValueError for a name that no certificate can have."""
        host = hostname.decode("ascii").lower().rstrip(".")
        return _Creator(self._identified if (host, port) in self._own else self._anonymous, host)


class TlsSettings(Protocol):
    """What `pypid.config` says of a mirror."""

    @property
    def upstream(self) -> str: ...
    @property
    def ca_file(self) -> Path | None: ...
    @property
    def client_certificate(self) -> Path | None: ...
    @property
    def client_key(self) -> Path | None: ...


def read_policy(settings: TlsSettings, environ: Mapping[str, str]) -> TlsPolicy:
    """
    Return the policy for everything that is asked for the sake of one upstream.

    Authorities are those in ``ca_file``, else the machine's; who we are is
    for the upstream's own server. Raises `BadCertificates`.
    """
    authorities = _authorities(settings, environ)
    if settings.client_certificate is None:
        if settings.client_key is not None:
            raise BadCertificates("client_key: there is no client_certificate that it belongs to")
        return TlsPolicy(authorities)
    scheme, host, port = origin_of(settings.upstream)
    if scheme != "https":
        raise BadCertificates("client_certificate: only an https upstream asks for one")
    try:
        identity = read_identity(settings.client_certificate, settings.client_key or settings.client_certificate)
    except BadCertificates as e:
        raise BadCertificates(f"client_certificate: {e}") from e
    return TlsPolicy(authorities, identity, frozenset({(host, port)}))


def _authorities(settings: TlsSettings, environ: Mapping[str, str]) -> Authorities:
    if settings.ca_file is not None:
        try:
            return read_authorities(settings.ca_file)
        except BadCertificates as e:
            raise BadCertificates(f"ca_file: {e}") from e
    try:
        return system_authorities(environ)
    except BadCertificates as e:
        if settings.upstream.startswith("https:"):
            raise
        _log.warn("{problem}", problem=str(e))
        return Authorities((), "")  # any https server that is asked all the same fails its check


@implementer(IOpenSSLClientConnectionCreator)
class _Creator:
    """
    Connections to one host.

    Not those of Twisted's `optionsForClientTLS`: they take a certificate that
    has no host in it, or one that there cannot be, for that of any host (26.10).
    """

    def __init__(self, options: CertificateOptions, host: str) -> None:
        self._options = options
        self._host = host
        self._id: ServiceID
        try:
            ip_address(host)
        except ValueError:
            self._id, self._is_name = DNS_ID(host), True
        else:
            self._id, self._is_name = IPAddress_ID(host), False

    def clientConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        connection: SSL.Connection = self._options.clientConnectionForTLS(tlsProtocol)
        if self._is_name:
            connection.set_tlsext_host_name(self._host.encode("ascii"))
        # Weakly: the protocol has the connection, and both would wait for the garbage collector.
        connection.set_verify(_VERIFY, self._check_with(ref(tlsProtocol)))
        return connection

    def _check_with(self, tls: ref[TLSMemoryBIOProtocol]) -> Any:
        def check(connection: SSL.Connection, certificate: X509, error: int, depth: int, ok: int) -> bool:  # noqa: ARG001
            # OpenSSL calls this for each certificate, from the authority's down.
            problem = self._problem(certificate, error, depth, good=bool(ok))
            protocol = tls()
            if problem is not None and protocol is not None:
                protocol.failVerification(Failure(Unreachable(problem, detail="tls")))
            return problem is None

        return check

    def _problem(self, certificate: X509, error: int, depth: int, *, good: bool) -> str | None:
        if not good:
            whose = f"the certificate of {self._host}" if depth == 0 else f"a certificate above that of {self._host}"
            return f"{whose} {_PROBLEMS.get(error, f'is not accepted (OpenSSL: error {error})')}"
        if depth == 0:
            try:
                verify_service_identity(_hosts_of(certificate), [self._id], [])
            except VerificationError:
                return f"the certificate is not one of {self._host}, but of another host"
            except Exception:  # noqa: BLE001  (a stranger's bytes: whatever is wrong with them, the answer is no)
                return f"the certificate is not one of {self._host}: there is no host in it"
        return None


def _hosts_of(certificate: X509) -> list[DNSPattern | IPAddressPattern]:
    """Return the hosts that it is for. What none can be, such as ``*.lan``, is passed over."""
    extensions = certificate.to_cryptography().extensions
    names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    hosts: list[DNSPattern | IPAddressPattern] = [
        IPAddressPattern(address)
        for address in names.get_values_for_type(x509.IPAddress)
        if isinstance(address, Address)
    ]
    for name in names.get_values_for_type(x509.DNSName):
        with suppress(CertificateError):
            hosts.append(DNSPattern.from_bytes(name.encode()))
    return hosts
