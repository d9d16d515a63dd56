"""Certificates in files: of the authorities that are trusted, and our own."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from OpenSSL import SSL, crypto

SYSTEM_FILES = (
    Path("/etc/ssl/certs/ca-certificates.crt"),  # Debian, Ubuntu, Arch, Gentoo, NixOS
    Path("/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"),  # Fedora, RHEL
    Path("/etc/pki/tls/certs/ca-bundle.crt"),  # older ones of these
    Path("/etc/ssl/ca-bundle.pem"),  # openSUSE
    Path("/etc/ssl/cert.pem"),  # Alpine, macOS, OpenBSD
    Path("/usr/local/share/certs/ca-root-nss.crt"),  # FreeBSD
)
"""Where systems have the authorities that they trust: pyOpenSSL's list and Go's."""

_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


class BadCertificates(Exception):
    """There are no certificates to be had; the message says where, and what is wrong."""


@dataclass(frozen=True, slots=True)
class Authorities:
    """Those who may vouch for a server."""

    certificates: tuple[crypto.X509, ...]
    digest: str
    """The same for the same certificates."""


@dataclass(frozen=True, slots=True)
class Identity:
    """
    What we show to a server that asks who we are: objects of cryptography's.

    pyOpenSSL wants these, while Twisted, which passes them on, is annotated
    with pyOpenSSL's own.
    """

    certificate: Any
    chain: tuple[Any, ...]
    """The certificates between ours and an authority that the server knows."""
    key: Any = field(repr=False)
    digest: str
    """Another one for any other certificate."""


def system_authorities(environ: Mapping[str, str], files: Iterable[Path] = SYSTEM_FILES) -> Authorities:
    """
    Return those that this machine trusts. Raises `BadCertificates`, also if there are none.

    As with OpenSSL, ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` (several between
    colons) take the place of what is usual.
    """
    file, folders = environ.get("SSL_CERT_FILE", ""), environ.get("SSL_CERT_DIR", "")
    if file or folders:
        parts = [_read(Path(file))] if file else []
        parts += [_read_folder(Path(folder)) for folder in folders.split(":") if folder]
        return _authorities(b"\n".join(parts), ", ".join(filter(None, (file, folders))))
    for usual in files:
        if usual.exists():
            return _authorities(_read(usual), str(usual))
    raise BadCertificates(
        "this machine has no list of authorities (package ca-certificates), so that no https server can be trusted: "
        "install one, or name one with ca_file or the variable SSL_CERT_FILE"
    )


def read_authorities(path: Path) -> Authorities:
    """Return those in the PEM file. Raises `BadCertificates`."""
    return _authorities(_read(path), str(path))


def read_identity(certificate: Path, key: Path) -> Identity:
    """Return our certificate, with those above it if they follow it, and its key. Raises `BadCertificates`."""
    data, secret = _read(certificate), _read(key)
    first, *chain = (each.to_cryptography() for each in _certificates(data, str(certificate)))
    private: Any
    try:
        # Without a passphrase, OpenSSL would ask for one at the terminal.
        private = crypto.load_privatekey(crypto.FILETYPE_PEM, secret, passphrase=b"").to_cryptography_key()
    except (crypto.Error, ValueError) as e:
        raise BadCertificates(f"{key}: there is no private key in PEM form, or it has a passphrase") from e
    context = SSL.Context(SSL.TLS_METHOD)
    try:
        context.use_certificate(first)
        context.use_privatekey(private)
        context.check_privatekey()
    except SSL.Error as e:
        raise BadCertificates(f"{key}: this is not the key of the certificate {certificate}") from e
    return Identity(first, tuple(chain), private, hashlib.sha256(data + b"\0" + secret).hexdigest())


# Many mirrors trust the same ones, and every reload reads them again.
@lru_cache(maxsize=8)
def _authorities(data: bytes, source: str) -> Authorities:
    return Authorities(_certificates(data, source), hashlib.sha256(data).hexdigest())


def _certificates(data: bytes, source: str) -> tuple[crypto.X509, ...]:
    found: list[crypto.X509] = []
    for text in dict.fromkeys(_CERTIFICATE.findall(data)):
        try:
            found.append(crypto.load_certificate(crypto.FILETYPE_PEM, text))
        except crypto.Error as e:
            raise BadCertificates(f"{source}: certificate {len(found) + 1} is damaged") from e
    if not found:
        raise BadCertificates(f"{source}: there is no certificate in PEM form")
    return tuple(found)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as e:
        raise BadCertificates(f"{path}: {e.strerror}") from e


def _read_folder(path: Path) -> bytes:
    """Return all its files as one; one that is not there has none, as with OpenSSL."""
    files = sorted(path.iterdir()) if path.is_dir() else []
    return b"\n".join(_read(file) for file in files if file.is_file())
