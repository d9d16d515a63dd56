"""URLs of an upstream: where it may send us, and how one is shown."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from pypid.domain.errors import UpstreamBroken


def redirected(url: str, location: str) -> str:
    """Return where ``location``, in an answer of ``url``, leads; raise `UpstreamBroken` where nobody should go."""
    if not all("!" <= character <= "~" for character in location):
        raise UpstreamBroken(f"{shown(url)} redirects to nonsense")  # which urllib would mend in its own way
    try:
        target = urljoin(url, location)
        parts = urlsplit(target)
        host, port = parts.hostname, parts.port  # both raise ValueError
    except ValueError as e:
        raise UpstreamBroken(f"{shown(url)} redirects to nonsense") from e
    if parts.scheme not in {"http", "https"} or not host or port == 0 or parts.username is not None:
        raise UpstreamBroken(f"{shown(url)} redirects to a URL that is not followed")
    if urlsplit(url).scheme == "https" and parts.scheme != "https":
        raise UpstreamBroken(f"{shown(url)} redirects from https to http")
    return target.partition("#")[0]


def encoded(url: str) -> bytes:
    try:
        return url.partition("#")[0].encode("ascii")
    except UnicodeEncodeError as e:
        raise UpstreamBroken(f"{shown(url)} has characters that no URL has") from e


def shown(url: str) -> str:
    """Return ``url`` for a message: without credentials or query, which may be secrets."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
