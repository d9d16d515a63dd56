"""Hosts with their ports, as URLs and the Host header have them."""

from __future__ import annotations

import re

# Narrower than RFC 3986, whose names may have quotes, parentheses and anything percent-encoded: no host has.
_AUTHORITY = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{0,5})?", re.ASCII)


def is_authority(text: str) -> bool:
    """
    Return whether ``text`` is a host, with a port or without: it may be put into a URL as it is.

    >>> is_authority("[2001:db8::1]:8080")
    True
    >>> is_authority("user@pypid.test")
    False
    """
    return _AUTHORITY.fullmatch(text) is not None
