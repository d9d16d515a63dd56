"""Finding the names in a project list of which one piece comes after the other."""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator
from html import unescape
from typing import Protocol

from pypid.domain.simple_page import InvalidPage, require_version_1

MAX_VALUE = 64 * 1024
"""Characters of one entry, or of any value beside the entries. PyPI's longest entry has about a hundred."""

MAX_TEXT = 1000
"""Characters of a link's text. A name has up to 255."""


class Scanner(Protocol):
    def feed(self, text: str) -> Iterator[str]:
        """Go through the names that are complete by now, as they are written."""
        ...

    def finish(self) -> None:
        """Raise `InvalidPage` if that was no whole list."""
        ...


class HtmlScanner:
    """Finds ``<a ...>name</a>``: PEP 503 has the name as the link's text."""

    # Without backtracking over "<", so that nothing that is sent can take long.
    _ANCHOR = re.compile(r"<a(?:\s[^<>]*+)?>([^<]*+)</a", re.IGNORECASE)

    def __init__(self) -> None:
        self._text = ""
        self._found = False

    def feed(self, text: str) -> Iterator[str]:
        self._text += text
        end = 0
        for anchor in self._ANCHOR.finditer(self._text):
            end = anchor.end()
            self._found = True
            text = anchor[1].strip()
            # What is longer is no name, and of endless references html.unescape makes an error.
            if len(text) <= MAX_TEXT:
                yield unescape(text)
        self._text = self._text[end:][-MAX_VALUE:]

    def finish(self) -> None:
        if not self._found:
            # A login page, a captive portal; nobody mirrors an index without projects.
            raise InvalidPage("not a project list in HTML: it has no links")


_Steps = Generator[str | None, None, None]
"""Yields names, and None when there is not enough text."""

_decoder = json.JSONDecoder()


class JsonScanner:
    """Goes through ``{"meta": {...}, "projects": [{"name": ...}, ...]}`` one value at a time."""

    _BLANK = re.compile(r"[ \t\n\r]*+")

    def __init__(self) -> None:
        self._text = ""
        self._at = 0
        self._complete = False
        self._has_projects = False
        self._steps = self._document()

    def feed(self, text: str) -> Iterator[str]:
        self._text = "" if self._complete else self._text[self._at :] + text
        self._at = 0
        for name in self._steps:
            if name is None:
                return
            yield name

    def finish(self) -> None:
        if not self._complete or not self._has_projects:
            raise InvalidPage("not a project list in JSON: it is cut off, or has no projects")

    def _document(self) -> _Steps:
        yield from self._sign("{")
        sign = ","
        while sign == ",":
            key, _ = yield from self._value(":")
            if key == "projects":
                yield from self._projects()
                sign = yield from self._sign(",}")
            else:
                value, sign = yield from self._value(",}")
                if key == "meta" and isinstance(value, dict):
                    version = value.get("api-version")
                    require_version_1(version if isinstance(version, str) else None)
        self._complete = True

    def _projects(self) -> _Steps:
        self._has_projects = True
        yield from self._sign("[")
        sign = "]" if (yield from self._next()) == "]" else ","
        if sign == "]":
            self._at += 1
        while sign == ",":
            entry, sign = yield from self._value(",]")
            name = entry.get("name") if isinstance(entry, dict) else None
            if isinstance(name, str):
                yield name

    def _next(self) -> Generator[None, None, str]:
        """Skip blanks, and return the character after them."""
        while True:
            self._at = self._end_of_blank(self._at)
            if self._at < len(self._text):
                return self._text[self._at]
            yield

    def _sign(self, signs: str) -> Generator[None, None, str]:
        sign = yield from self._next()
        if sign not in signs:
            raise InvalidPage(f"not a project list in JSON: {sign!r} in place of one of {signs!r}")
        self._at += 1
        return sign

    def _value(self, signs: str) -> Generator[None, None, tuple[object, str]]:
        """Return the next value, and which of ``signs`` comes after it: before that, it may not be complete."""
        yield from self._next()
        while True:
            try:
                value, end = _decoder.raw_decode(self._text, self._at)
            except RecursionError as e:
                raise InvalidPage("not a project list in JSON: nested too deeply") from e
            except ValueError:  # cut off, or no JSON: the same until there is too much of it
                pass
            else:
                end = self._end_of_blank(end)
                # Else it may be the beginning of a number.
                if end < len(self._text) and self._text[end] in signs:
                    self._at = end + 1
                    return value, self._text[end]
            if len(self._text) - self._at > MAX_VALUE:
                raise InvalidPage("not a project list in JSON: it has a value that is no JSON, or too long")
            yield

    def _end_of_blank(self, start: int) -> int:
        blank = self._BLANK.match(self._text, start)
        assert blank is not None
        return blank.end()
