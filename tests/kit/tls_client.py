"""
A TLS client that verifies or looks closely, over a blocking socket.

    with tls_connect(port, ca=pem, name="index.test") as peer:
        peer.send(b"GET /-/health HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
        assert b" 200 " in peer.recv(100)
        assert names_in(peer) == {"index.test"}
"""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

from cryptography import x509

from pypid.domain.certificates import names_of


def tls_connect(
    port: int,
    *,
    ca: Path | None = None,
    name: str | None = None,
    identity: Path | None = None,
    protocols: tuple[str, ...] = (),
    most: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED,
    timeout: float = 10,
) -> ssl.SSLSocket:
    """Connect to a port of this machine; without ``ca`` nothing is verified. ``identity``: our own certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.maximum_version = most
    if ca is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        context.load_verify_locations(ca)
    if identity is not None:
        context.load_cert_chain(identity)
    if protocols:
        context.set_alpn_protocols(protocols)
    sock = socket.create_connection(("127.0.0.1", port), timeout=timeout)
    try:
        return context.wrap_socket(sock, server_hostname=name)
    except BaseException:
        sock.close()
        raise


def serial_of(peer: ssl.SSLSocket) -> int:
    """Return the serial number of the certificate that it has shown."""
    return _shown(peer).serial_number


def names_in(peer: ssl.SSLSocket) -> set[str]:
    return set(names_of(_shown(peer)))


def _shown(peer: ssl.SSLSocket) -> x509.Certificate:
    shown = peer.getpeercert(binary_form=True)
    assert shown is not None
    return x509.load_der_x509_certificate(shown)
