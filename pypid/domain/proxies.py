"""Which HTTP proxy leads to a host: from the URL of one, or from the environment, as curl and pip read it."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes, urlsplit

from pypid.domain.names import shorten
from pypid.domain.no_proxy import NoProxy, parse_no_proxy

_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+")


class InvalidProxy(ValueError):
    """The text is no URL of a proxy; the message says what was expected, and repeats no password."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """An HTTP proxy; its text, and its `repr`, are safe to show."""

    scheme: str
    """How the proxy itself is spoken to: ``http`` or ``https``."""
    host: str
    """A name, or an address without brackets."""
    port: int
    authorization: str | None = field(default=None, repr=False)
    """The value of ``Proxy-Authorization``, which is a secret."""

    def __str__(self) -> str:
        return f"{self.scheme}://{host_and_port(self.host, self.port)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyRules:
    """How every host is reached; directly, unless something else is said."""

    http: Proxy | None = None
    https: Proxy | None = None
    no_proxy: NoProxy = field(default_factory=NoProxy)

    def proxy_for(self, scheme: str, host: str, port: int) -> Proxy | None:
        """Return the proxy for URLs of this scheme, host (without brackets) and port; None: there is none."""
        if self.no_proxy.covers(host, port):
            return None
        return self.https if scheme == "https" else self.http


def parse_proxy(url: str) -> Proxy:
    """
    Return the proxy at ``url``: ``http://user:password@host:port``, all but scheme and host optional.

    In user and password any character can be percent-encoded, and ``/ ? # @ :``
    must be. Without a port it is that of the scheme. Raises `InvalidProxy`.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as e:
        raise _invalid(url, "with a host and, if any, a port from 1 to 65535") from e
    if re.fullmatch(r"[!-~]+", url) is None:
        raise _invalid(url, "in printable ASCII, without spaces; other characters of a password are percent-encoded")
    if parts.scheme not in _PORTS or _HOST.fullmatch(host) is None or port == 0:
        raise _invalid(url, "that begins with http:// or https:// and a host (there is no support for SOCKS)")
    if parts.path not in {"", "/"} or "?" in url or "#" in url:
        raise _invalid(url, "that ends after the host and the port; '/', '?' and '#' in a password are percent-encoded")
    return Proxy(
        scheme=parts.scheme,
        host=host,
        port=port or _PORTS[parts.scheme],
        authorization=basic_authorization(parts.username or "", parts.password or ""),
    )


def environment_rules(environ: Mapping[str, str]) -> ProxyRules:
    """
    Return what the variables ``HTTP_PROXY``, ``HTTPS_PROXY``, ``ALL_PROXY`` and ``NO_PROXY`` say.

    As in pip, a name in lower case wins, even if empty; what is empty says
    nothing; and a proxy without a scheme is an http one. Raises
    `InvalidProxy`, with the name of the variable, rather than go elsewhere
    than the user wished.
    """
    return ProxyRules(
        http=_environment_proxy(environ, "http_proxy"),
        https=_environment_proxy(environ, "https_proxy"),
        no_proxy=parse_no_proxy(environ.get(_spelling(environ, "no_proxy"), "")),
    )


def host_and_port(host: str, port: int) -> str:
    """Return both as in a URL."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _environment_proxy(environ: Mapping[str, str], name: str) -> Proxy | None:
    for variable in (_spelling(environ, name), _spelling(environ, "all_proxy")):
        text = environ.get(variable, "").strip()
        if text:
            try:
                return parse_proxy(text if "://" in text else f"http://{text}")
            except InvalidProxy as e:
                raise InvalidProxy(f"{variable}: {e}") from e
    return None


def _spelling(environ: Mapping[str, str], name: str) -> str:
    return name if name in environ else name.upper()


def basic_authorization(user: str, password: str) -> str | None:
    """Return the header field for what stood in a URL, percent-encoded; None if nothing did."""
    if not user and not password:
        return None
    credentials = unquote_to_bytes(user) + b":" + unquote_to_bytes(password)
    return f"Basic {base64.b64encode(credentials).decode('ascii')}"


def _invalid(url: str, what: str) -> InvalidProxy:
    # What has an @ may hold a password, wherever it is, and this message goes to a log.
    got = "" if "@" in url else f", got {shorten(url)}"
    return InvalidProxy(f"expected the URL of a proxy {what}{got}")
