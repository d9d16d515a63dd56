"""The forms in which an htpasswd file keeps passwords: which are checked, what a check costs, and the check itself."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha1
from hmac import compare_digest

import bcrypt
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from passlib.hash import apr_md5_crypt, sha256_crypt, sha512_crypt

GOOD_COST = 10
"""Of bcrypt: below it a stolen file is guessed quickly. Apache's htpasswd writes 5 unless it is told otherwise."""

MAX_BCRYPT_PASSWORD = 72
"""Bytes that bcrypt can take. Longer ones are refused, never cut off: a part must not open the door."""

MAX_PASSWORD = 4096
"""Bytes that any other form is checked with: passlib takes no more."""


class HashRefused(ValueError):
    """A text that is never checked, so nobody can sign in with it; the message says what it is, without it."""


@dataclass(frozen=True, slots=True)
class HashKind:
    """What is known of a hash without a password."""

    name: str
    """With its article, for messages."""
    work: Hashable
    """The same for hashes whose checks take equally long."""
    is_bcrypt: bool
    is_good: bool
    """False for what should be replaced."""


@dataclass(frozen=True, slots=True)
class _Parameter:
    """What decides how long a check takes; the default is meant where a hash does not have it."""

    name: str
    least: int
    most: int
    default: int = 0


@dataclass(frozen=True, slots=True)
class _Form:
    name: str
    pattern: re.Pattern[str]
    """Its groups are the parameters."""
    check: Callable[[bytes, bytes], bool]
    parameters: tuple[_Parameter, ...] = ()


def _argon2(password: bytes, stored: bytes) -> bool:
    try:
        return PasswordHasher().verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


def _sha1(password: bytes, stored: bytes) -> bool:
    # Not our choice: what Apache's `htpasswd -s` wrote.
    return compare_digest(b"{SHA}" + b64encode(sha1(password, usedforsecurity=False).digest()), stored)


_SALT_AND_DIGEST = r"[./A-Za-z0-9]{0,%d}\$[./A-Za-z0-9]{%d}"
# bcrypt's 14 takes seconds for each check, 31 takes days.
_COST = _Parameter("cost", 4, 14)
# Half a million takes 0.25 s, as bcrypt's cost 12 does.
_ROUNDS = _Parameter("rounds", 1000, 500_000, 5000)
# Argon2: three to four times what RFC 9106 recommends where memory is scarce.
_MEMORY, _PASSES, _LANES = _Parameter("KiB", 8, 262_144), _Parameter("passes", 1, 10), _Parameter("lanes", 1, 16)

_BCRYPT = "$2"
_FORMS: Mapping[str, _Form] = {
    _BCRYPT: _Form(
        "bcrypt",
        # The 22nd character holds two bits only; bcrypt raises an error for any other.
        re.compile(r"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{31}", re.ASCII),
        bcrypt.checkpw,
        (_COST,),
    ),
    "$apr1$": _Form("$apr1$ (MD5)", re.compile(r"\$apr1\$" + _SALT_AND_DIGEST % (8, 22)), apr_md5_crypt.verify),
    "{SHA}": _Form("{SHA} (SHA-1)", re.compile(r"\{SHA\}[+/A-Za-z0-9]{27}="), _sha1),
    "$5$": _Form(
        "$5$ (SHA-256)",
        re.compile(r"\$5\$(?:rounds=([1-9]\d{0,8})\$)?" + _SALT_AND_DIGEST % (16, 43), re.ASCII),
        sha256_crypt.verify,
        (_ROUNDS,),
    ),
    "$6$": _Form(
        "$6$ (SHA-512)",
        re.compile(r"\$6\$(?:rounds=([1-9]\d{0,8})\$)?" + _SALT_AND_DIGEST % (16, 86), re.ASCII),
        sha512_crypt.verify,
        (_ROUNDS,),
    ),
    "$argon2": _Form(
        "$argon2 (Argon2)",
        re.compile(
            r"\$argon2(?:id|i|d)\$v=19\$m=(\d{1,9}),t=(\d{1,9}),p=(\d{1,9})"
            r"\$[+/A-Za-z0-9]{11,86}\$[+/A-Za-z0-9]{22,86}",
            re.ASCII,
        ),
        _argon2,
        (_MEMORY, _PASSES, _LANES),
    ),
}
_NEVER_CHECKED = {
    "$2x$": "a $2x$ (an old, faulty bcrypt) password",
    "$1$": "a $1$ (MD5) password",
    "$y$": "a $y$ (yescrypt) password",
    "{SSHA}": "a {SSHA} (SHA-1) password",
}


def kind_of(stored: str) -> HashKind:
    """Return the kind of a hash. Raises `HashRefused` for plain text, and for all else that is never checked."""
    prefix = _prefix_of(stored)
    match = None if prefix is None else _FORMS[prefix].pattern.fullmatch(stored)
    if prefix is not None and match is not None:
        return _kind(prefix, match.groups())
    for other, name in _NEVER_CHECKED.items():
        if stored.startswith(other):
            raise HashRefused(name)
    if prefix is not None:
        raise HashRefused(f"a damaged {_FORMS[prefix].name} password")
    raise HashRefused("a plain-text, crypt() or unknown password" if stored else "an empty password")


@lru_cache(64)  # a long file has few kinds
def _kind(prefix: str, values: tuple[str | None, ...]) -> HashKind:
    form = _FORMS[prefix]
    numbers = [int(text or parameter.default) for text, parameter in zip(values, form.parameters, strict=True)]
    for number, parameter in zip(numbers, form.parameters, strict=True):
        if not parameter.least <= number <= parameter.most:
            raise HashRefused(
                f"a {form.name} password of {parameter.name} {number} (not {parameter.least} to {parameter.most})"
            )
    if prefix != _BCRYPT:
        return HashKind(f"a {form.name} password", (prefix, *numbers), is_bcrypt=False, is_good=False)
    (cost,) = numbers
    return HashKind(f"a bcrypt password of cost {cost}", (prefix, cost), is_bcrypt=True, is_good=cost >= GOOD_COST)


def password_problem(password: bytes) -> str | None:
    """Return why nobody can have this password, without it; None if somebody can."""
    if not password:
        return "the password is empty"
    if b"\0" in password:
        return "the password has a NUL character, at which bcrypt would stop reading"
    if len(password) > MAX_PASSWORD:
        return f"the password has {len(password)} bytes; no more than {MAX_PASSWORD} are checked"
    return None


def bcrypt_problem(password: bytes) -> str | None:
    """Return why bcrypt cannot take this password, without it; None if it can."""
    if len(password) > MAX_BCRYPT_PASSWORD:
        return (
            f"the password has {len(password)} bytes; "
            f"bcrypt takes no more than {MAX_BCRYPT_PASSWORD}, so use a shorter one"
        )
    return password_problem(password)


def matches(password: bytes, stored: bytes) -> bool:
    """Say whether ``stored``, which has a kind, was made of this password. Takes long, on purpose."""
    prefix = _prefix_of(stored.decode())
    if prefix is None or password_problem(password) is not None:
        return False
    if prefix == _BCRYPT and len(password) > MAX_BCRYPT_PASSWORD:
        return False
    return _FORMS[prefix].check(password, stored)


def _prefix_of(stored: str) -> str | None:
    for prefix in _FORMS:
        if stored.startswith(prefix):
            return prefix
    return None
