"""Asking for a new password, and the hash that is kept of it."""

from __future__ import annotations

import sys

import bcrypt
import click

from pypid.domain.password_hashes import bcrypt_problem

COST = 12
"""bcrypt's cost: 0.2 to 0.6 s for each guess, and for each sign-in that is not remembered."""


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
    problem = bcrypt_problem(password)
    if problem is not None:
        raise PasswordRefused(problem)
    return password


def hash_password(password: bytes, *, cost: int = COST) -> str:
    """Return the bcrypt hash, under the prefix that Apache's htpasswd writes for the same thing. Takes long."""
    hashed: bytes = bcrypt.hashpw(password, bcrypt.gensalt(cost))
    return "$2y$" + hashed.decode().removeprefix("$2b$")
