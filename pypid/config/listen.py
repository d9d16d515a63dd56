"""What may stand in ``listen``: Twisted's endpoint descriptions, and ours for TLS, checked without a reactor."""

from __future__ import annotations

import re

MAX_PORT = 65535

_ARGUMENTS = {
    "tcp": ("port", "interface", "backlog"),
    "tcp6": ("port", "backlog", "interface"),
    "unix": ("address", "mode", "backlog", "lockfile"),
    "systemd": ("domain", "index", "name"),
}
"""Twisted's own names of the arguments, in the order in which they may be given without a name."""

_WITH_TLS = {"tls": "tcp", "tls6": "tcp6", "tls-systemd": "systemd"}
"""Our kinds of addresses, and Twisted's without TLS, whose arguments they have."""

_KINDS = (*_ARGUMENTS, *_WITH_TLS)

_NUMBERS = {"backlog": 10, "lockfile": 10, "index": 10, "mode": 8}
"""Arguments that Twisted reads as whole numbers, and the base."""

_DOMAINS = ("INET", "INET6", "UNIX")

_PART = re.compile(r"(?:[^:\\]|\\.)*", re.DOTALL)
_ARGUMENT = re.compile(r"((?:[^=\\]|\\.)*?)=(.*)", re.DOTALL)
_HOST_AND_PORT = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.*-]*):(?P<port>\d{1,5})", re.ASCII)


class BadAddress(ValueError):
    """The text is not a listen address; the message says why, and what may be meant."""


def check_listen_address(description: str) -> None:
    """
    Raise `BadAddress` unless ``description`` is an endpoint that pypid can listen on.

    Whether the address exists, is free, or is allowed shows only when the daemon starts.
    """
    _read(description)


def below_tls(description: str) -> str | None:
    """Return Twisted's description of the endpoint that TLS is spoken on; None where it is not."""
    kind, colon, arguments = description.partition(":")
    below = _WITH_TLS.get(kind)
    return None if below is None else f"{below}{colon}{arguments}"


def local_url(description: str) -> str | None:
    """Return the URL for a client on the same machine; None for an endpoint without a known port."""
    kind, arguments = _read(description)
    secured = kind in _WITH_TLS
    kind = _WITH_TLS.get(kind, kind)
    if int(arguments.get("port", "0")) == 0:
        return None
    host = re.sub(r"\\(.)", r"\1", arguments.get("interface", ""))
    if host in {"", "::", "0.0.0.0"}:  # noqa: S104  # every address
        host = "::1" if kind == "tcp6" or host == "::" else "127.0.0.1"
    return f"{'https' if secured else 'http'}://{f'[{host}]' if ':' in host else host}:{arguments['port']}/"


def _read(description: str) -> tuple[str, dict[str, str]]:
    """Return the kind of endpoint and its arguments, as they are written. Raises `BadAddress`."""
    kind, *rest = _split(description)
    below = _WITH_TLS.get(kind, kind)
    names = _ARGUMENTS.get(below)
    if names is None:
        raise BadAddress(f"{description!r} does not say what kind of address it is ({_suggest(description)})")
    arguments = _arguments(description, names, rest)
    for required in [names[0]] if below != "systemd" else ["domain"]:
        if not arguments.get(required):
            raise BadAddress(f"{description!r} has no {required} ({_example(kind)})")
    if "port" in names:
        _check_port(description, arguments["port"])
    for name in _NUMBERS.keys() & arguments.keys():
        _check_number(description, name, arguments[name])
    if below == "systemd":
        _check_systemd(description, arguments)
    return kind, arguments


def _split(description: str) -> list[str]:
    parts = []
    position = 0
    while position <= len(description):
        match = _PART.match(description, position)
        if match is None or (match.end() < len(description) and description[match.end()] != ":"):
            raise BadAddress(f"{description!r} ends in a backslash, which must come before the character it protects")
        parts.append(match.group())
        position = match.end() + 1
    return parts


def _arguments(description: str, names: tuple[str, ...], parts: list[str]) -> dict[str, str]:
    arguments: dict[str, str] = {}
    unnamed = iter(names)
    for part in parts:
        match = _ARGUMENT.fullmatch(part)
        name = match[1] if match else next(unnamed, None)
        if name not in names:
            raise BadAddress(f"{description!r}: {part!r} is not an argument here (have: {', '.join(names)})")
        if name in arguments:
            colons = r" (the colons of an IPv6 address are written \:)" if "::" in description else ""
            raise BadAddress(f"{description!r} gives {name} twice{colons}")
        arguments[name] = match[2] if match else part
    return arguments


def _check_port(description: str, port: str) -> None:
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and int(port) <= MAX_PORT):
        raise BadAddress(f"{description!r}: expected a port from 0 to {MAX_PORT}, got {port!r}")


def _check_number(description: str, name: str, text: str) -> None:
    digits = "01234567" if _NUMBERS[name] == 8 else "0123456789"
    if not text or len(text) > 9 or text.strip(digits):
        raise BadAddress(f"{description!r}: expected a number in base {_NUMBERS[name]} for {name}, got {text!r}")


def _check_systemd(description: str, arguments: dict[str, str]) -> None:
    if ("index" in arguments) == ("name" in arguments):
        raise BadAddress(f"{description!r} needs an index or a name ({_example('systemd')})")
    if arguments["domain"] not in _DOMAINS:
        raise BadAddress(f"{description!r}: the domain is one of {', '.join(_DOMAINS)}, not {arguments['domain']!r}")


def _suggest(description: str) -> str:
    if description.isascii() and description.isdigit():
        return f"did you mean tcp:{description}?"
    if description.startswith("ssl:"):
        return "HTTPS is tls:8443, and its files are in certificates and private_keys"
    match = _HOST_AND_PORT.fullmatch(description)
    if match is None:
        return f"kinds: {', '.join(_KINDS)}, as in tcp:8080"
    host, port = match["host"], match["port"]
    if host.startswith("["):
        escaped = host[1:-1].replace(":", r"\:")
        return f"did you mean tcp6:{port}:interface={escaped}?"
    if host in {"", "*", "0.0.0.0"}:  # noqa: S104  # read from the user's text
        return f"did you mean tcp:{port}?"
    return f"did you mean tcp:{port}:interface={host}?"


def _example(kind: str) -> str:
    return {
        "unix": "as in unix:/run/pypid/http.sock",
        "systemd": "as in systemd:domain=INET6:name=http",
        "tls-systemd": "as in tls-systemd:domain=INET6:name=https",
        "tls": "as in tls:8443",
        "tls6": "as in tls6:8443",
    }.get(kind, f"as in {kind}:8080")
