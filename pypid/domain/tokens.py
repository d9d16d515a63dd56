"""API tokens: what they look like, and what each allows."""

from __future__ import annotations

import hashlib
import string
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from pypid.domain.names import IndexName, NormalizedName
from pypid.domain.rights import Grant, Right

PREFIX = "pypid-"
"""Of every token, so that scanners for leaked secrets know one."""

SECRET = 32
"""Random bytes of a token: nobody guesses 256 bits, so the digest that is kept needs no salt and no slow hash."""

DEFAULT_LIFETIME = 90 * 86400.0
"""Seconds: what is forgotten in some script ends by itself, and a quarter is what people plan for."""

CHECK_DIGITS = 6
"""Characters at the end, by which a token that was mistyped or cut off is known without looking for it."""

TOKEN_USER = "__token__"  # noqa: S105 (everybody knows it)
"""The user name with which a token is the password, as on PyPI."""

_DIGITS = string.digits + string.ascii_letters
_BODY = 43
"""Characters that `SECRET` bytes take in base 62."""


def make_token(random: Callable[[int], bytes]) -> str:
    """Return a new token. ``random``: returns so many bytes that nobody can foresee."""
    body = _in_base_62(int.from_bytes(random(SECRET)), _BODY)
    return f"{PREFIX}{body}{_check(body)}"


def is_token(text: str) -> bool:
    """Return whether ``text`` is written as tokens are; whether there is one like it is another question."""
    if not text.startswith(PREFIX) or not text.isascii():
        return False
    body, check = text[len(PREFIX) : -CHECK_DIGITS], text[-CHECK_DIGITS:]
    return len(body) == _BODY and _check(body) == check


def digest_of(token: str) -> str:
    """Return what is kept of a token: its sha256, in hex."""
    return hashlib.sha256(token.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A token that somebody wants, with the fields of a `Token`."""

    user: str
    rights: frozenset[Right]
    index: IndexName | None = None
    projects: tuple[str, ...] = ()
    description: str = ""
    publishers: tuple[str, ...] = ()
    lifetime: float | None = None
    """Seconds; None: for ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What is known of a token. It never allows more than its user may do."""

    id: str
    """By which people name it; it is no secret."""
    user: str
    """In whose name it acts."""
    rights: frozenset[Right]
    index: IndexName | None = None
    """None: every index."""
    projects: tuple[str, ...] = ()
    """Patterns as in a `Grant`; none: all projects."""
    description: str = ""
    publishers: tuple[str, ...] = ()
    """The trusted publishers that it was made for, instead of a user: it allows no more than they may do now."""
    created_at: float
    """Seconds since 1970."""
    expires_at: float | None = None
    """None: never."""

    def is_valid(self, now: float) -> bool:
        return self.expires_at is None or now < self.expires_at

    def covers(self, index: IndexName, right: Right, project: NormalizedName | None) -> bool:
        """Return whether it was made for this; None for a project: for the index as a whole."""
        if self.index is not None and self.index != index:
            return False
        wanted = right in self.rights or (right is Right.READ and bool(self.rights))
        return (wanted or Right.ADMIN in self.rights) and Grant(self.user, only=self.projects).covers(project)


def _in_base_62(number: int, length: int) -> str:
    digits: list[str] = []
    for _ in range(length):
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))


def _check(body: str) -> str:
    return _in_base_62(zlib.crc32(body.encode()), CHECK_DIGITS)
