"""The text of an htpasswd file: users, their bcrypt passwords, and changes to them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pypid.domain.names import shorten

MIN_COST = 4
MAX_COST = 14
"""bcrypt's cost is the power of two of its rounds: 14 takes seconds for each check, 31 takes days."""

MAX_PASSWORD = 72
"""Bytes that bcrypt can take. Longer ones are refused, never cut off: a part must not open the door."""

MAX_USER_LENGTH = 255
"""Bytes of UTF-8."""

_BOM = "\ufeff"
# The 22nd character holds two bits only; bcrypt raises an error for any other.
_BCRYPT = re.compile(r"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{31}", re.ASCII)
_OTHER_FORMATS = {
    "$2x$": "$2x$ (an old, faulty bcrypt)",
    "$2": "damaged bcrypt",
    "$apr1$": "$apr1$ (MD5)",
    "$1$": "$1$ (MD5)",
    "$5$": "$5$ (SHA-256)",
    "$6$": "$6$ (SHA-512)",
    "$y$": "$y$ (yescrypt)",
    "$argon2": "$argon2 (Argon2)",
    "{SHA}": "{SHA} (SHA-1)",
    "{SSHA}": "{SSHA} (SHA-1)",
}


class HtpasswdError(ValueError):
    """The file as a whole cannot be used; the message says why."""


class InvalidUserName(ValueError):
    """The text cannot be the name of a user; the message says why."""


@dataclass(frozen=True, slots=True)
class Htpasswd:
    """The users of a file."""

    hashes: Mapping[str, bytes]
    """bcrypt hashes by user; only those that can be checked."""
    problems: tuple[str, ...]
    """One line for each entry that is disabled. Never has a hash in it."""
    max_cost: int
    """The highest cost of `hashes`, so that an unknown user can be made to take as long; 0 if there are none."""


def parse_htpasswd(text: str) -> Htpasswd:
    """
    Return the users of ``text``, as Apache's ``htpasswd -B`` writes them.

    Comments, empty lines, CRLF and a byte order mark are legal. An entry that
    cannot be checked is disabled and said in `Htpasswd.problems`. Raises
    `HtpasswdError` if a user has two entries: which one counts would be a guess.
    """
    hashes: dict[str, bytes] = {}
    problems: list[str] = []
    first_lines: dict[str, int] = {}
    max_cost = 0
    for number, user, password in _entries(text):
        if user and user in first_lines:
            raise HtpasswdError(
                f"line {number}: user {shorten(user)} already has line {first_lines[user]}: remove one of them"
            )
        first_lines[user] = number
        problem = _problem(user, password)
        if problem is not None:
            problems.append(f"line {number}: {problem}")
            continue
        hashes[user] = password.encode()
        max_cost = max(max_cost, int(password[4:6]))
    return Htpasswd(hashes, tuple(problems), max_cost)


def check_user_name(name: str) -> None:
    """
    Raise `InvalidUserName` unless ``name`` can be a user here and in HTTP.

    RFC 7617 leaves no way to send a colon or a control character; a space at
    an end, or a ``#`` in front, would not survive the file.
    """
    if not name:
        raise InvalidUserName("a user name cannot be empty")
    try:
        length = len(name.encode())
    except UnicodeEncodeError:
        raise InvalidUserName(f"{shorten(name)} is not valid UTF-8") from None
    if length > MAX_USER_LENGTH:
        raise InvalidUserName(f"{shorten(name)} is longer than {MAX_USER_LENGTH} bytes")
    # isprintable() is also false for line separators, of which some editors make lines.
    if ":" in name or not name.isprintable():
        raise InvalidUserName(f"{shorten(name)} has a colon or a control character, which no user name may have")
    if name != name.strip() or name.startswith("#"):
        raise InvalidUserName(f"{shorten(name)} begins or ends with a space, or begins with '#'")


def password_problem(password: bytes) -> str | None:
    """Return why nobody can have this password, without it; None if somebody can."""
    if not password:
        return "the password is empty"
    if b"\0" in password:
        return "the password has a NUL character, at which bcrypt would stop reading"
    if len(password) > MAX_PASSWORD:
        return f"the password has {len(password)} bytes; bcrypt takes no more than {MAX_PASSWORD}, so use a shorter one"
    return None


def list_users(text: str) -> tuple[str, ...]:
    """Return the users that have a line in ``text``, with or without a password that can be checked."""
    return tuple(dict.fromkeys(user for _, user, _ in _entries(text) if user))


def set_user(text: str, user: str, password_hash: str) -> str:
    """
    Return ``text`` with this hash for ``user``: in the line it has, or in a new one at the end.

    Every other line keeps its bytes, though a last line without an end gets
    one when another follows. Further lines of the same user are dropped.
    Raises `InvalidUserName`.
    """
    check_user_name(user)
    bom, lines = _lines(text)
    ending = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    places = [place for place, line in enumerate(lines) if _is_of(user, line)]
    if not places:
        if lines and not lines[-1].endswith("\n"):
            lines[-1] += ending
        return bom + "".join(lines) + f"{user}:{password_hash}{ending}"
    old = lines[places[0]]
    lines[places[0]] = f"{user}:{password_hash}" + old[len(old.rstrip("\r\n")) :]
    return bom + "".join(line for place, line in enumerate(lines) if place not in places[1:])


def remove_user(text: str, user: str) -> str:
    """Return ``text`` without the lines of ``user``; unchanged if there are none. Raises `InvalidUserName`."""
    check_user_name(user)
    bom, lines = _lines(text)
    return bom + "".join(line for line in lines if not _is_of(user, line))


def _lines(text: str) -> tuple[str, list[str]]:
    """Return the byte order mark, if any, and the lines with their ends."""
    bom = _BOM if text.startswith(_BOM) else ""
    # Not splitlines(): it also splits at characters that are legal inside a line.
    return bom, re.findall(r"[^\n]*\n|[^\n]+\Z", text[len(bom) :])


def _entries(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield line number, user and password of each entry."""
    for number, line in enumerate(_lines(text)[1], 1):
        entry = _entry(line)
        if entry is not None:
            yield number, *entry


def _entry(line: str) -> tuple[str, str] | None:
    """Return user and password; no user for a line without a colon; None for a comment and for no text."""
    stripped = line.strip()
    if not stripped or stripped[0] == "#":
        return None
    user, colon, password = line.partition(":")
    return (user, password.strip()) if colon else ("", "")


def _is_of(user: str, line: str) -> bool:
    entry = _entry(line)
    return entry is not None and entry[0] == user


def _problem(user: str, password: str) -> str | None:
    if not user:
        return "not of the form user:password; the line is ignored"
    try:
        check_user_name(user)
    except InvalidUserName as e:
        return f"{e}; the line is ignored"
    match = _BCRYPT.fullmatch(password)
    if match is None:
        fault = f"{_format_of(password)} password"
    elif not MIN_COST <= int(match[1]) <= MAX_COST:
        fault = f"a bcrypt password of cost {int(match[1])} (not {MIN_COST} to {MAX_COST})"
    else:
        return None
    advice = f"run `pypid user passwd {shlex.quote(user)}`"
    return f"user {shorten(user)} has {fault}, which pypid does not check: {advice}"


def _format_of(password: str) -> str:
    if not password:
        return "an empty"
    for prefix, name in _OTHER_FORMATS.items():
        if password.startswith(prefix):
            return f"a {name}"
    return "a plain-text, crypt() or unknown"
