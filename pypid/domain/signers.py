"""Who signed an attestation, by what the certificate of its key says (PEP 740's publisher)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from cryptography import x509

Publisher = dict[str, Any]

_CLAIM = "1.3.6.1.4.1.57264.1."
"""The arc of Sigstore's certificate extensions, each of which is one claim of who signed in."""

_ISSUER, _BUILD_CONFIG = "8", "18"
"""Below that arc: who vouches for the signer, and which workflow it was."""

MAX_CLAIM = 2048
"""Characters of one claim; they are URLs and addresses, and are repeated in the provenance."""

_UTF8_STRING = 0x0C
_LONG_FORM = 0x80
"""DER: the tag of a UTF8String, and the bit of a length that is longer than one byte."""

_GITHUB = re.compile(r"https://github\.com/([^/]+/[^/]+)/\.github/workflows/([^/@]+)@.+")
_GITLAB = re.compile(r"https://gitlab\.com/(.+?)//([^@]+)@.+")


def publisher_of(certificate: bytes) -> Publisher:
    """
    Return PEP 740's publisher for the signer that ``certificate``, in DER, names.

    Those that clients know are said in the form of theirs, by which
    pypi-attestations verifies; any other is of kind "pypid", with the claims
    as they are. Nothing is verified here. Raises `ValueError` for what is no
    certificate.
    """
    try:
        parsed = x509.load_der_x509_certificate(certificate)
        claims, identity = _claims(parsed), _identity(parsed)
    except (x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as e:
        raise ValueError(str(e)) from e
    issuer, workflow = claims.get(_ISSUER, ""), claims.get(_BUILD_CONFIG, "")
    if issuer == "https://token.actions.githubusercontent.com" and (match := _GITHUB.fullmatch(workflow)):
        return {"kind": "GitHub", "repository": match[1], "workflow": match[2]}
    if issuer == "https://gitlab.com" and (match := _GITLAB.fullmatch(workflow)):
        return {"kind": "GitLab", "repository": match[1], "workflow_filepath": match[2]}
    if issuer == "https://accounts.google.com" and "://" not in identity:
        return {"kind": "Google", "email": identity}
    return {"kind": "pypid", "claims": {"issuer": issuer, "identity": identity}}


def identity_of(certificate: bytes) -> str:
    """Return the URL or e-mail address of the signer, as `publisher_of` reads it; nothing if there is none."""
    return _identity(x509.load_der_x509_certificate(certificate))


def is_one_of(identity: str, patterns: Sequence[str]) -> bool:
    """Say whether ``identity`` is like one of ``patterns``, in which ``*`` stands for anything."""
    return any(re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), identity) for pattern in patterns)


def _claims(certificate: x509.Certificate) -> dict[str, str]:
    """Return the claims that are text, by the number of their extension."""
    return {
        extension.oid.dotted_string.removeprefix(_CLAIM): _text(extension.value.value)
        for extension in certificate.extensions
        if extension.oid.dotted_string.startswith(_CLAIM) and isinstance(extension.value, x509.UnrecognizedExtension)
    }


def _identity(certificate: x509.Certificate) -> str:
    """Return the first name of the signer: a URL or an e-mail address; nothing if there is none."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ""
    named = [name.value for name in names if isinstance(name, (x509.UniformResourceIdentifier, x509.RFC822Name))]
    return _claim(named[0]) if named else ""


def _text(der: bytes) -> str:
    """Return the text of a DER UTF8String; nothing for anything else."""
    if len(der) < 2 or der[0] != _UTF8_STRING:
        return ""
    size = der[1] & ~_LONG_FORM if der[1] & _LONG_FORM else 0
    try:
        text = der[2 + size :].decode()
    except UnicodeDecodeError:
        return ""
    return _claim(text)


def _claim(text: str) -> str:
    """Return ``text`` if it can be one, else nothing."""
    return text if len(text) <= MAX_CLAIM and text.isprintable() else ""
