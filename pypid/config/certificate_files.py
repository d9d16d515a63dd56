"""Reading the files that [server] names for TLS."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from pypid.config.settings import ConfigError, ServerConfig
from pypid.domain.certificates import (
    BadCertificate,
    PrivateKey,
    ServerCertificate,
    pair,
    parse_certificates,
    parse_keys,
    problems_of,
)

LARGEST = 1024 * 1024
"""Bytes of one file: a chain takes some KB, and all the authorities of a machine take 200 KB."""


class FilesUnsettled(ConfigError):
    """What is wrong may come right by itself: somebody may be about to replace one file after the other."""


@dataclass(frozen=True)
class TlsFiles:
    """What was in them."""

    certificates: tuple[ServerCertificate, ...]
    client_authorities: tuple[x509.Certificate, ...]
    """Who may vouch for clients; none where clients are not asked."""


def read_tls_files(server: ServerConfig) -> TlsFiles:
    """
    Return the certificates with their keys, and the authorities for clients, checked but for the time.

    Raises `ConfigError` with every problem, and `FilesUnsettled` if one of
    them is in reading the files. Blocks for as long as the disk does.
    """
    reading = _Reading()
    chains = [(path, reading.certificates("certificates", path)) for path in server.certificates]
    keys = [key for path in (*server.private_keys, *server.certificates) for key in reading.keys(path, server)]
    if server.client_ca is None:
        authorities: tuple[x509.Certificate, ...] = ()
    else:
        authorities = reading.certificates("client_ca", server.client_ca)
    # A key that could not be read would be said to be missing, too.
    whole = not reading.problems
    paired = [reading.paired(path, chain, keys) for path, chain in chains] if whole else []
    if reading.problems:
        raise (FilesUnsettled if reading.unsettled else ConfigError)(list(dict.fromkeys(reading.problems)))
    return TlsFiles(tuple(each for each in paired if each is not None), authorities)


class _Reading:
    """Reads files, collecting what is wrong."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.unsettled = False

    def certificates(self, setting: str, path: Path) -> tuple[x509.Certificate, ...]:
        try:
            return parse_certificates(_read(path)[0])
        except (OSError, BadCertificate) as e:
            self._refuse(setting, path, e)
            return ()

    def keys(self, path: Path, server: ServerConfig) -> tuple[PrivateKey, ...]:
        setting = "private_keys" if path in server.private_keys else "certificates"
        try:
            pem, mode = _read(path)
            found = parse_keys(pem)
            if found and mode & stat.S_IRWXO:
                raise BadCertificate(f"everybody may read or change this private key: chmod o= {path}")
            if not found and setting == "private_keys":
                raise BadCertificate("there is no private key in PEM form")
        except (OSError, BadCertificate) as e:
            self._refuse(setting, path, e)
            return ()
        return found

    def paired(
        self, path: Path, chain: tuple[x509.Certificate, ...], keys: list[PrivateKey]
    ) -> ServerCertificate | None:
        try:
            certificate = pair(chain, keys)
        except BadCertificate as e:
            self._refuse("certificates", path, e)
            return None
        self.problems += [f"[server] certificates: {path}: {problem}" for problem in problems_of(certificate)]
        return certificate

    def _refuse(self, setting: str, path: Path, e: Exception) -> None:
        self.unsettled = True
        why = e.strerror if isinstance(e, OSError) and e.strerror else e
        self.problems.append(f"[server] {setting}: {path}: {why}")


def _read(path: Path) -> tuple[bytes, int]:
    """Return the content and the mode of the file."""
    with path.open("rb") as file:
        content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise BadCertificate(f"more than {LARGEST} bytes are no certificate")
        return content, os.fstat(file.fileno()).st_mode
