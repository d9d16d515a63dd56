"""The OpenPGP signature that may come with an upload."""

from __future__ import annotations

import re

_ARMOUR = re.compile(
    rb"-----BEGIN PGP SIGNATURE-----[ \t]*\r?\n[\t\r\n -~]*\n-----END PGP SIGNATURE-----[ \t\r\n]*",
)


def is_signature(content: bytes) -> bool:
    """
    Say whether ``content`` looks like a detached signature in ASCII armour (RFC 9580), which is what ``.asc`` means.

    Whose it is, and of what, is not looked at: that takes keys which only
    its readers have.
    """
    return _ARMOUR.fullmatch(content) is not None
