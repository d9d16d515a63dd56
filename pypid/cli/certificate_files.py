"""Files of certificates and keys, written so that nothing is lost and no key is seen."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pypid.domain.certificates import (
    BadCertificate,
    PrivateKey,
    parse_certificates,
    parse_keys,
)
from pypid.domain.private_authority import Authority

SECRET = 0o600
OPEN = 0o644

CA, CA_KEY = "ca.pem", "ca-key.pem"
"""The authority in its directory."""


class CannotWrite(Exception):
    """A file cannot be read or written; the message names it and says why."""


def pem_of(key: PrivateKey | None, *certificates: x509.Certificate) -> bytes:
    """Return the certificates, and the key after them."""
    text = b"".join(each.public_bytes(Encoding.PEM) for each in certificates)
    if key is None:
        return text
    return text + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def read_authority(directory: Path) -> Authority | None:
    """Return the one in the directory; None if there is none. Raises `CannotWrite`, `BadCertificate`."""
    if not (directory / CA).exists() and not (directory / CA_KEY).exists():
        return None
    certificate = read_certificate(directory / CA)
    keys = parse_keys(_read(directory / CA_KEY))
    if not keys or keys[0].public_key() != certificate.public_key():
        raise BadCertificate(f"{directory / CA_KEY} does not have the key of {CA}")
    return Authority(certificate, keys[0])


def read_certificate(path: Path) -> x509.Certificate:
    """Return the first one in the file. Raises `CannotWrite`, `BadCertificate`."""
    try:
        return parse_certificates(_read(path))[0]
    except BadCertificate as e:
        raise BadCertificate(f"{path}: {e}") from e


def write_new(path: Path, content: bytes, mode: int) -> None:
    """Write a file that is not there yet. Raises `CannotWrite`."""
    temporary = _write_beside(path, content, mode)
    try:
        os.link(temporary, path)  # fails where there is a file; nobody ever sees half of one
    except FileExistsError as e:
        raise CannotWrite(f"{path} is there already, and is not overwritten") from e
    except OSError as e:
        raise CannotWrite(f"{path}: {e.strerror}") from e
    finally:
        temporary.unlink()


def replace(path: Path, content: bytes) -> None:
    """Put ``content`` in the place of a file at once, with its mode and owner. Raises `CannotWrite`."""
    path = path.resolve()  # a link stays one
    try:
        model = path.stat()
        temporary = _write_beside(path, content, model.st_mode & 0o777)
        try:
            if os.geteuid() == 0:
                os.chown(temporary, model.st_uid, model.st_gid)
            temporary.replace(path)
        except BaseException:
            temporary.unlink()
            raise
    except OSError as e:
        raise CannotWrite(f"{path}: {e.strerror}") from e


def _write_beside(path: Path, content: bytes, mode: int) -> Path:
    try:
        fd, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # for nobody else to read
    except OSError as e:
        raise CannotWrite(f"{path.parent}: {e.strerror}") from e
    temporary = Path(name)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(content)
            os.fchmod(fd, mode)
            os.fsync(fd)
    except OSError as e:
        with suppress(OSError):
            temporary.unlink()
        raise CannotWrite(f"{path}: {e.strerror}") from e
    return temporary


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as e:
        raise CannotWrite(f"{path}: {e.strerror}") from e
