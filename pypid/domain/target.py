"""What a request asks for, in the forms that its first line may have (RFC 9112, section 3.2)."""

from __future__ import annotations

import re

# No userinfo, which RFC 9110 (section 4.2.4) tells recipients to be suspicious of.
_ABSOLUTE = re.compile(rb"https?://([A-Za-z0-9._~!$&'()*+,;=%:\[\]-]+)([/?].*)?", re.IGNORECASE | re.DOTALL)


def origin_form(target: bytes) -> tuple[bytes, bytes | None] | None:
    """
    Return path and query, and the host where ``target`` names one; None for what is neither form.

    >>> origin_form(b"http://pypid.test:8080/simple/")
    (b'/simple/', b'pypid.test:8080')

    Everybody must take the absolute form; only clients of a proxy send it.
    """
    if target.startswith(b"/"):
        return target, None
    match = _ABSOLUTE.fullmatch(target)
    if match is None:
        return None
    path = match[2] or b"/"
    return (path if path.startswith(b"/") else b"/" + path), match[1]
