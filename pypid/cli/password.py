"""Asking for a new password, and the hash that is kept of it."""

from __future__ import annotations

import sys

import bcrypt
import click

COST = 12
"""bcrypt's cost: 0.2 to 0.6 s for each guess, and for each sign-in that is not remembered."""

MAX_PASSWORD = 72
"""Bytes. bcrypt takes no more of a password."""


class PasswordRefused(Exception):
    """The password cannot be used; the message says why, without it."""


def ask_password(*, stdin: bool) -> bytes:
    """
    Return a password typed twice, or the first line of standard input.

    Only the end of that line is taken off: spaces belong to the password.
    Raises `PasswordRefused`.
    """
    if stdin:
        line = sys.stdin.buffer.readline()
        password = line.removesuffix(b"\n").removesuffix(b"\r")
    else:
        typed: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, default="", show_default=False)
        password = typed.encode(errors="surrogateescape")
    _check(password)
    return password


def hash_password(password: bytes, *, cost: int = COST) -> str:
    """Return the bcrypt hash, under the prefix that Apache's htpasswd writes for the same thing. Takes long."""
    hashed: bytes = bcrypt.hashpw(password, bcrypt.gensalt(cost))
    return "$2y$" + hashed.decode().removeprefix("$2b$")


def _check(password: bytes) -> None:
    if not password:
        raise PasswordRefused("the password is empty")
    if b"\0" in password:
        raise PasswordRefused("the password has a NUL character, at which bcrypt would stop reading")
    if len(password) > MAX_PASSWORD:
        raise PasswordRefused(
            f"the password has {len(password)} bytes; bcrypt takes no more than {MAX_PASSWORD}, so use a shorter one"
        )
