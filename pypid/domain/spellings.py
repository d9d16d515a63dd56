"""The ways in which the same user and password may have been typed."""

from __future__ import annotations

from collections.abc import Iterator
from unicodedata import normalize


def spellings(user: str, password: bytes) -> Iterator[tuple[str, bytes]]:
    """
    Yield user and password as they were sent and, if that is something else, with their letters composed.

    What looks like "ü" may be one character or two (Unicode's NFC and NFD), by the system and the way in
    which it was typed; RFC 7617 asks clients for the former, which is what files of users have as well.
    """
    yield user, password
    try:
        composed = normalize("NFC", user), normalize("NFC", password.decode("utf-8")).encode("utf-8")
    except UnicodeDecodeError:
        return
    if composed != (user, password):
        yield composed
