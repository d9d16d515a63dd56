"""To which hosts an upstream may send us."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

_PATTERN = re.compile(r"(?:\*|(?:\*\.)?[0-9A-Za-z_](?:[0-9A-Za-z._-]*[0-9A-Za-z_])?|\[[0-9A-Fa-f:.]+\])(?::[0-9]+)?")

DEFAULT_PORTS = {"http": 80, "https": 443}

Origin = tuple[str, str, int]
"""Scheme, host in lower case, port."""


def origin_of(url: str) -> Origin:
    """Return what ``url``, an absolute http(s) URL, shares with all others of its server. Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        raise ValueError("it is no http or https URL")
    port = DEFAULT_PORTS[parts.scheme] if parts.port is None else parts.port
    return parts.scheme, parts.hostname.rstrip("."), port


def host_of(url: str) -> str:
    """Return the host of ``url`` as a pattern names it that allows it. Raises ValueError."""
    scheme, host, port = origin_of(url)
    named = f"[{host}]" if ":" in host else host
    return named if port == DEFAULT_PORTS[scheme] else f"{named}:{port}"


class AllowedHosts:
    """
    The hosts that may be asked for the sake of one upstream: its own, and those that its configuration names.

    A page is a stranger's text: what it links to, and where its server
    redirects, is not asked merely because it says so (A33, A37).
    """

    def __init__(self, upstreams: Iterable[str], patterns: Iterable[str] = ()) -> None:
        """
        ``patterns``: ``host`` for its default ports, ``host:port``, ``*.domain`` for every name under it, ``*``.

        An IPv6 address is written in brackets.
        """
        self._origins = frozenset(origin_of(upstream)[1:] for upstream in upstreams)
        self._patterns = tuple(_read(pattern) for pattern in patterns)

    def __str__(self) -> str:
        return f"{sorted(self._origins)} {sorted(self._patterns, key=str)}"

    def allow(self, url: str) -> bool:
        """Return whether ``url``, an absolute http(s) URL, may be asked."""
        scheme, host, port = origin_of(url)
        if (host, port) in self._origins:
            return True
        is_default = port == DEFAULT_PORTS[scheme]
        # Port 443 of an upstream that is asked over port 80 is the same server, better asked.
        if is_default and any(
            host == known and known_port in DEFAULT_PORTS.values() for known, known_port in self._origins
        ):
            return True
        return any(
            _matches(host, wanted) and (port == wanted_port if wanted_port is not None else is_default)
            for wanted, wanted_port in self._patterns
        )

    def name(self, host: str) -> bool:
        """Return whether ``host``, as in a URL, is one that the configuration names itself, not by a ``*``."""
        folded = host.lower().rstrip(".")
        return any(folded == named for named, _ in (*self._origins, *self._patterns))


def check_pattern(pattern: str) -> None:
    """Raise ValueError for what `AllowedHosts` cannot take as a pattern."""
    host, port = _read(pattern)
    if port == 0 or _PATTERN.fullmatch(pattern) is None or not (host.isascii() and host):
        raise ValueError("it is no pattern for hosts")


def _read(pattern: str) -> tuple[str, int | None]:
    parts = urlsplit(f"//{pattern}")
    return (parts.hostname or "").rstrip("."), parts.port


def _matches(host: str, wanted: str) -> bool:
    if wanted == "*":
        return True
    return host.endswith(wanted[1:]) if wanted.startswith("*.") else host == wanted
