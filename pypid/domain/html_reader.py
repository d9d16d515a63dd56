"""What an HTML document has that the Simple API gives a meaning to, whoever wrote it."""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

from pypid.domain.names import shorten
from pypid.domain.simple_page import MAX_FILES, InvalidPage

_MAX_TAG = 64 * 1024
"""Characters of one tag, comment or script: html.parser matches each with one regular expression, holding the GIL."""

_MAX_TAGS = 10 * MAX_FILES
"""In one page, which has about three for each file."""

VERSION_NAME = "pypi:repository-version"
STATUS_NAME = "pypi:project-status"
REASON_NAME = "pypi:project-status-reason"
_META_NAMES = frozenset({VERSION_NAME, STATUS_NAME, REASON_NAME})

Attributes = Mapping[str, str | None]


@dataclass(slots=True)
class Document:
    """What is said beside the links."""

    base: str | None = None
    """The ``href`` of its ``<base>``, as written."""
    metas: dict[str, str] = field(default_factory=dict)


def read_html(body: bytes, take: Callable[[Attributes], None]) -> Document:
    """
    Pass the attributes of each link in ``body`` to ``take``, and return what is said beside them.

    Raises `InvalidPage`, and nothing else, for what is no HTML.
    """
    if body.count(b"<") > _MAX_TAGS:
        raise InvalidPage(f"the page has more than {_MAX_TAGS} tags")
    reader = _Reader(take)
    _feed(reader, body)
    # Never close(): it goes over the rest anew for each "<" in it.
    if reader.rawdata.startswith("<"):
        raise InvalidPage("the page is cut off in the middle of a tag")
    if not reader.is_html:
        raise InvalidPage("not a project page in HTML: no doctype, no <html>, <body> or <a>")
    return reader.document


def filename_in(link: str) -> str:
    """Return the last segment of the URL ``link``, decoded."""
    try:
        return unquote(urlsplit(link).path.rpartition("/")[2])
    except ValueError:
        return link


class _Reader(HTMLParser):
    def __init__(self, take: Callable[[Attributes], None]) -> None:
        super().__init__()
        self.document = Document()
        self.is_html = False
        self._take = take
        self._links = 0

    def handle_decl(self, decl: str) -> None:
        self.is_html |= decl[:7].lower() == "doctype"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.is_html |= tag in {"html", "body", "a"}
        attributes = dict(reversed(attrs))  # of an attribute given twice, the first counts
        if tag == "a" and attributes.get("href"):
            if self._links == MAX_FILES:
                raise InvalidPage(f"the page has more than {MAX_FILES} files")
            self._links += 1
            self._take(attributes)
        elif tag == "base" and self.document.base is None:
            self.document.base = attributes.get("href")
        elif tag == "meta" and (name := attributes.get("name")) in _META_NAMES:
            self.document.metas.setdefault(name, attributes.get("content") or "")


def _feed(reader: _Reader, body: bytes) -> None:
    # Wrong bytes can only spoil the entry that they are in: filenames and digests are ASCII.
    decoder = getincrementaldecoder("utf-8-sig")(errors="replace")
    try:
        for start in range(0, len(body), _MAX_TAG):
            reader.feed(decoder.decode(body[start : start + _MAX_TAG]))
            if len(reader.rawdata) > _MAX_TAG:
                raise InvalidPage(f"the page has a tag, a comment or a script of more than {_MAX_TAG} characters")
        reader.feed(decoder.decode(b"", final=True))
    except InvalidPage:
        raise
    except (AssertionError, ValueError) as e:
        # What html.parser raises for marked sections it does not know: <![x[, and for references of 5000 digits.
        raise InvalidPage(f"not a project page in HTML: {shorten(str(e))}") from e
