"""The kinds of single values that a setting can have, and how each is checked."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from pypid.config.units import NoQuantity, UnknownUnit, parse_duration, parse_size
from pypid.domain.names import IndexName, InvalidName, parse_index_name, shorten
from pypid.domain.proxies import InvalidProxy, ProxyRules, parse_proxy


class BadValue(ValueError):
    """The value cannot be used; the message says what was expected."""


class Kind(Protocol):
    """What a setting accepts."""

    def read(self, value: object) -> object:
        """Return ``value``, as it came out of TOML, in the type that the program uses; raises `BadValue`."""
        ...

    def split(self, text: str) -> object:
        """Return the TOML value that plain ``text`` from an environment variable stands for."""
        ...


def read_text(kind: Kind, text: str) -> object:
    """
    Return the value of an environment variable: TOML if that gives the right type, else the plain text.

    Raises `BadValue`.
    """
    try:
        document = tomllib.loads(f"value = {text}")
        # A line break in the text could smuggle in a second key.
        if set(document) == {"value"}:
            return kind.read(document["value"])
    except (ValueError, RecursionError):
        pass
    return kind.read(kind.split(text))


def quote(value: object) -> str:
    """Return ``value`` for a message; of any length, and safe on a terminal."""
    if isinstance(value, bool):
        return "true" if value else "false"
    try:
        return shorten(value) if isinstance(value, str) else shorten(repr(value)).strip("\"'")
    except ValueError:  # repr() of an integer of thousands of digits
        return "a huge number"


@dataclass(frozen=True)
class Plain:
    """A kind whose plain text is its value."""

    def split(self, text: str) -> object:
        return text


@dataclass(frozen=True)
class Flag(Plain):
    def read(self, value: object) -> bool:
        if not isinstance(value, bool):
            raise BadValue(f"expected true or false, got {quote(value)}")
        return value


@dataclass(frozen=True)
class Choice(Plain):
    """One of some words."""

    words: tuple[str, ...]

    def read(self, value: object) -> str:
        if not isinstance(value, str) or value not in self.words:
            expected = " or ".join(f'"{word}"' for word in self.words)
            raise BadValue(f"expected {expected}, got {quote(value)}")
        return value


@dataclass(frozen=True)
class Duration(Plain):
    """Seconds as a number, or text with a unit."""

    least: float = 0.001
    """Seconds. By default anything but zero: as a limit, no time at all lets nothing through."""
    most: float = 366 * 86400
    """Seconds. More is a slip of the pen, and far more overflows the system's timers."""

    def read(self, value: object) -> float:
        seconds = self._seconds(value)
        if seconds < self.least:
            raise BadValue(f"expected at least {self.least:g} seconds, got {quote(value)}")
        if seconds > self.most:
            raise BadValue(f"expected at most {self.most:.0f} seconds, got {quote(value)}")
        return float(seconds)

    def _seconds(self, value: object) -> float:
        if isinstance(value, str):
            try:
                return parse_duration(value)
            except UnknownUnit as e:
                raise BadValue(f"{quote(value)}: {e}") from e
            except NoQuantity:
                pass
        elif isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value):
            return value
        raise BadValue(f"expected a number of seconds, got {quote(value)}")


@dataclass(frozen=True)
class Ceiling(Duration):
    """A duration, or ``unlimited``, which is read as infinity."""

    least: float = 0

    def read(self, value: object) -> float:
        if value == "unlimited":
            return math.inf
        try:
            return super().read(value)
        except BadValue as e:
            raise BadValue(f'{e} (or "unlimited")') from e


@dataclass(frozen=True)
class Age(Duration):
    """How old something may get: days, with their unit; or ``never``, read as infinity."""

    least: float = 86400
    """Seconds. A bare 30, meant as days, would be half a minute, after which everything is old."""
    most: float = 36_500 * 86400

    def read(self, value: object) -> float:
        if value == "never":
            return math.inf
        try:
            return super().read(value)
        except BadValue as e:
            raise BadValue(f'{e} (such as "30 d", or "never")') from e


@dataclass(frozen=True)
class Size(Plain):
    """Bytes as a whole number, or text with a unit."""

    least: int = 1
    """Bytes."""
    most: int = 2**63 - 1
    """Bytes. The largest number that the database and file offsets can hold."""

    def read(self, value: object) -> int:
        size = self._bytes(value)
        if size < self.least:
            raise BadValue(f"expected at least {self.least} bytes, got {quote(value)}")
        if size > self.most:
            raise BadValue(f"expected at most {self.most} bytes, got {quote(value)}")
        return size

    def _bytes(self, value: object) -> int:
        if isinstance(value, str):
            try:
                return parse_size(value)
            except UnknownUnit as e:
                raise BadValue(f"{quote(value)}: {e}") from e
            except NoQuantity:
                pass
        elif isinstance(value, int) and not isinstance(value, bool):
            return value
        raise BadValue(f"expected a number of bytes, got {quote(value)}")


@dataclass(frozen=True)
class SizeLimit(Plain):
    """A size, or ``unlimited``, which is read as None."""

    def read(self, value: object) -> int | None:
        if value == "unlimited":
            return None
        try:
            return Size().read(value)
        except BadValue as e:
            raise BadValue(f'{e} (or "unlimited")') from e


@dataclass(frozen=True)
class Count(Plain):
    """How many of something, at least one."""

    most: int = 100_000
    """More is a slip of the pen."""

    def read(self, value: object) -> int:
        number = int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value
        if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= self.most:
            raise BadValue(f"expected a whole number from 1 to {self.most}, got {quote(value)}")
        return number


@dataclass(frozen=True)
class CountLimit(Plain):
    """How many may stay, at least one; or ``all``, which is read as None."""

    def read(self, value: object) -> int | None:
        if value == "all":
            return None
        try:
            return Count().read(value)
        except BadValue as e:
            raise BadValue(f'{e} (or "all")') from e


@dataclass(frozen=True)
class Word(Plain):
    """A text that goes into a header of a request; it may be a secret, and is not shown."""

    def read(self, value: object) -> str:
        if not isinstance(value, str) or not value.isprintable():
            raise BadValue("expected a text without control characters (what was given is not shown)")
        return value


@dataclass(frozen=True)
class OneOf(Plain):
    """A word that is the value of a member of ``words``; read as that member."""

    words: type[Enum]

    def read(self, value: object) -> Enum:
        for word in self.words:
            if value == word.value:
                return word
        known = ", ".join(repr(word.value) for word in self.words)
        raise BadValue(f"expected one of {known}, got {quote(value)}")


@dataclass(frozen=True)
class FilePath(Plain):
    """The path of a file or a directory, taken literally."""

    def read(self, value: object) -> Path:
        if not isinstance(value, str) or not value or "\0" in value:
            raise BadValue(f"expected a path, got {quote(value)}")
        if value.startswith("~"):
            raise BadValue(f"'~' is not expanded here, write the whole path: got {quote(value)}")
        return Path(value)


_PAGES = (".html", ".htm")
"""How the URL of one page ends, which a slash would make another one."""


@dataclass(frozen=True)
class OptionalFile(Plain):
    """The path of a file; an empty text, read as None, for none."""

    def read(self, value: object) -> Path | None:
        return None if value == "" else FilePath().read(value)


@dataclass(frozen=True)
class BaseUrl(Plain):
    """The URL under which a simple index has its projects, read with a slash at its end, or that of one page."""

    def read(self, value: object) -> str:
        if not isinstance(value, str):
            raise BadValue(f"expected a URL, got {quote(value)}")
        problem = _problem_of_url(value)
        if problem is not None:
            # What has an @ may hold a password, wherever it is, and this message goes to a log.
            got = "" if "@" in value else f", got {quote(value)}"
            raise BadValue(f"expected a URL{problem}{got}")
        return value if value.endswith(("/", *_PAGES)) else f"{value}/"


@dataclass(frozen=True)
class EndpointUrl(BaseUrl):
    """A URL as it is written, or "" for none."""

    def read(self, value: object) -> str:
        if value != "":
            super().read(value)
        return str(value)


def _problem_of_url(text: str) -> str | None:
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        return " with a host and, if any, a port from 1 to 65535"
    if url.username is not None or url.password is not None:
        return " without user and password"
    if url.scheme not in {"http", "https"} or not url.hostname or port == 0:
        return " that begins with https:// or http:// and a host"
    if "?" in text or "#" in text:
        return " without '?' and '#'"
    if not text.isascii() or not text.isprintable() or " " in text:
        return " in printable ASCII, without spaces"
    return None


@dataclass(frozen=True)
class ProxyChoice(Plain):
    """The URL of a proxy for everything, ``none``, or ``environment``, which is read as None."""

    def read(self, value: object) -> ProxyRules | None:
        if not isinstance(value, str):
            raise BadValue(f'expected the URL of a proxy, "none" or "environment", got {quote(value)}')
        if value == "environment":
            return None
        if value in {"none", ""}:
            return ProxyRules()
        try:
            proxy = parse_proxy(value)
        except InvalidProxy as e:
            raise BadValue(f'{e} (or "none", or "environment")') from e
        return ProxyRules(http=proxy, https=proxy)


@dataclass(frozen=True)
class IndexReference(Plain):
    """The name of one index."""

    def read(self, value: object) -> IndexName:
        if not isinstance(value, str):
            raise BadValue(f"expected the name of an index, got {quote(value)}")
        return index_name(value)


def index_name(text: str) -> IndexName:
    """Return ``text`` as the name of an index; raises `BadValue`."""
    try:
        return parse_index_name(text)
    except InvalidName as e:
        raise BadValue(str(e)) from e
