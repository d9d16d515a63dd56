"""The text of an htpasswd file: users, the hashes of their passwords, and changes to them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field

from pypid.domain.names import shorten
from pypid.domain.password_hashes import HashRefused, kind_of, matches

MAX_USER_LENGTH = 255
"""Bytes of UTF-8."""

_BOM = "\ufeff"


class HtpasswdError(ValueError):
    """The file as a whole cannot be used; the message says why."""


class InvalidUserName(ValueError):
    """The text cannot be the name of a user; the message says why."""


@dataclass(frozen=True, slots=True)
class Htpasswd:
    """The users of a file."""

    hashes: Mapping[str, bytes]
    """Hashes by user; only those that are checked."""
    problems: tuple[str, ...] = ()
    """One line for each entry that is disabled. Never has a hash in it."""
    warnings: tuple[str, ...] = ()
    """One line for each user whose hash should be replaced. Never has a hash in it."""
    samples: Mapping[Hashable, bytes] = field(default_factory=dict)
    """One of `hashes` for each amount of work that a check of them takes."""
    is_blank: bool = False
    """Whether there was nothing at all, not even a comment: a file that was cut off looks so."""

    def is_right(self, user: str, password: bytes) -> bool:
        """
        Say whether this is the user's password. Takes long.

        A wrong one costs one check of each amount of work that there is, for
        whatever user and for none: else the time would tell who exists.
        """
        stored = self.hashes.get(user)
        if stored is not None and matches(password, stored):
            return True
        done = None if stored is None else kind_of(stored.decode()).work
        for work, sample in self.samples.items():
            if work != done:
                matches(password, sample)
        return False


def parse_htpasswd(text: str, *, bcrypt_only: bool = False) -> Htpasswd:
    """
    Return the users of ``text``, as Apache's ``htpasswd`` writes them.

    Comments, empty lines, CRLF and a byte order mark are legal. An entry that
    cannot be checked, or may not be, is disabled and said in
    `Htpasswd.problems`. Raises `HtpasswdError` if a user has two entries:
    which one counts would be a guess.
    """
    hashes: dict[str, bytes] = {}
    problems: list[str] = []
    warnings: list[str] = []
    samples: dict[Hashable, bytes] = {}
    first_lines: dict[str, int] = {}
    for number, user, password in _entries(text):
        if user and user in first_lines:
            raise HtpasswdError(
                f"line {number}: user {shorten(user)} already has line {first_lines[user]}: remove one of them"
            )
        first_lines[user] = number
        try:
            _check_entry(user)
            kind = kind_of(password)
            if bcrypt_only and not kind.is_bcrypt:
                raise HashRefused(kind.name)
        except InvalidUserName as e:
            problems.append(f"line {number}: {e}; the line is ignored")
        except HashRefused as e:
            problems.append(f"line {number}: user {shorten(user)} has {e}, which pypid does not check: {_advice(user)}")
        else:
            hashes[user] = samples[kind.work] = password.encode()
            if not kind.is_good:
                warnings.append(
                    f"line {number}: user {shorten(user)} has {kind.name}, "
                    f"which is easier to guess from a stolen file than bcrypt's usual one: {_advice(user)}"
                )
    is_blank = not text.removeprefix(_BOM).strip()
    return Htpasswd(hashes, tuple(problems), tuple(warnings), samples, is_blank)


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


def _check_entry(user: str) -> None:
    if not user:
        raise InvalidUserName("not of the form user:password")
    check_user_name(user)


def _advice(user: str) -> str:
    return f"run `pypid user passwd {shlex.quote(user)}`"
