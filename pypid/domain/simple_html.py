"""The HTML form of the Simple API: PEP 503, 592, 629, 658, 714, 740 and 792; frozen at 1.4 by PEP 833."""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from html.parser import HTMLParser
from itertools import islice
from types import MappingProxyType
from urllib.parse import unquote, urljoin, urlsplit

from pypid.domain.files import DistributionFile, ProjectPage, ProjectStatus, offered, versions_of
from pypid.domain.names import NormalizedName, shorten
from pypid.domain.simple_page import (
    MAX_FILES,
    NAMES_AT_ONCE,
    InvalidPage,
    ParsedPage,
    Sieve,
    encodable,
    known_provenance,
    known_requires_python,
    known_sha256,
    known_status,
    known_time,
    relative_url,
    require_version_1,
)

API_VERSION = "1.4"

_MAX_TAG = 64 * 1024
"""Characters of one tag, comment or script: html.parser matches each with one regular expression, holding the GIL."""

_MAX_TAGS = 10 * MAX_FILES
"""In one page, which has about three for each file."""

_VERSION_NAME = "pypi:repository-version"
_STATUS_NAME = "pypi:project-status"
_REASON_NAME = "pypi:project-status-reason"
_META_NAMES = frozenset({_VERSION_NAME, _STATUS_NAME, _REASON_NAME})
_FRAGMENT_SEPARATORS = re.compile("[#&]")
# HTML has no NUL, readers turn CR into LF, and one line is to be one file. Any other control
# character can only stand for itself: as a reference it would mean something else (&#128; is the euro sign).
_CONTROLS = str.maketrans({"\0": "\N{REPLACEMENT CHARACTER}", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"})

Attributes = Mapping[str, str | None]


def parse_project(body: bytes, *, url: str, project: NormalizedName) -> ParsedPage:
    """
    Return what a page fetched from ``url``, after redirects, says about ``project``.

    The text of a link is not looked at: the filename is the last segment of
    its URL. Raises `InvalidPage`, and nothing else, for a body that is not
    such a page; a page without files is one.
    """
    reader = _read(body)
    if not reader.is_html:
        raise InvalidPage("not a project page in HTML: no doctype, no <html>, <body> or <a>")
    require_version_1(reader.metas.get(_VERSION_NAME))
    sieve = Sieve(project, base=_base(url, reader.base))
    for entry in reader.entries:
        sieve.offer(entry)
    status = known_status(reader.metas.get(_STATUS_NAME), reader.metas.get(_REASON_NAME))
    files = offered(sieve.files(), status)
    return ParsedPage(files, versions_of(files), sieve.dropped(), status)


def render_project(page: ProjectPage) -> bytes:
    """Return the body that says ``page`` to a client of ``{base}/simple/{project}/``."""
    metas = {} if page.status is None else _status_metas(page.status)
    return _document(f"Links for {page.name}", (_anchor(page.name, file) for file in page.files), metas)


def render_project_list(names: Iterable[NormalizedName]) -> Iterator[bytes]:
    """Return the body piece by piece: one call for a million names would not let other threads run."""
    left = iter(names)
    yield "\n".join(_head("Simple index")).encode()
    # A normalized name has nothing to escape, and with a million of them that tells.
    while some := [f'\n<a href="{name}/">{name}</a><br>' for name in islice(left, NAMES_AT_ONCE)]:
        yield "".join(some).encode()
    yield "\n".join(["", *_FOOT]).encode()


def render_file_list(pages: Iterable[ProjectPage]) -> bytes:
    """Return the body that lists the files of ``pages`` to a client of ``{base}/packages/``."""
    return _document("Files", (_anchor(page.name, file, up="../") for page in pages for file in page.files))


class _Reader(HTMLParser):
    """Collects from a document what the Simple API gives a meaning to."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[DistributionFile] = []
        self.base: str | None = None
        self.metas: dict[str, str] = {}
        self.is_html = False

    def handle_decl(self, decl: str) -> None:
        self.is_html |= decl[:7].lower() == "doctype"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.is_html |= tag in {"html", "body", "a"}
        attributes = dict(reversed(attrs))  # of an attribute given twice, the first counts
        if tag == "a" and attributes.get("href"):
            if len(self.entries) == MAX_FILES:
                raise InvalidPage(f"the page has more than {MAX_FILES} files")
            self.entries.append(_from_anchor(attributes))
        elif tag == "base" and self.base is None:
            self.base = attributes.get("href")
        elif tag == "meta" and (name := attributes.get("name")) in _META_NAMES:
            self.metas.setdefault(name, attributes.get("content") or "")


def _read(body: bytes) -> _Reader:
    if body.count(b"<") > _MAX_TAGS:
        raise InvalidPage(f"the page has more than {_MAX_TAGS} tags")
    reader = _Reader()
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
    # Never close(): it goes over the rest anew for each "<" in it.
    if reader.rawdata.startswith("<"):
        raise InvalidPage("the page is cut off in the middle of a tag")
    return reader


def _base(url: str, href: str | None) -> str:
    """Return what links are relative to; a ``<base>`` that is no URL counts as absent."""
    try:
        base = urljoin(url, (href or "").strip())
        urlsplit(base)
    except ValueError:
        return url
    return base


def _from_anchor(attributes: Attributes) -> DistributionFile:
    """Return what a link says, unchecked, for a `Sieve`."""
    href = (attributes["href"] or "").strip()
    link, _, fragment = href.partition("#")
    return DistributionFile(
        filename=_last_segment(link),
        sha256=_sha256_in(fragment),
        upload_time=known_time(attributes.get("data-upload-time")),
        requires_python=known_requires_python(attributes.get("data-requires-python")),
        yanked=attributes["data-yanked"] or "" if "data-yanked" in attributes else None,
        core_metadata=_core_metadata(attributes),
        provenance=known_provenance(attributes.get("data-provenance")),
        origin=link,
    )


def _last_segment(link: str) -> str:
    try:
        return unquote(urlsplit(link).path.rpartition("/")[2])
    except ValueError:
        return link


def _sha256_in(fragment: str) -> str:
    """Return the digest in ``egg=demo&sha256=...``; several that differ come out as no digest at all."""
    claims = {part.removeprefix("sha256=") for part in _FRAGMENT_SEPARATORS.split(fragment) if part[:7] == "sha256="}
    return " and ".join(sorted(claims))


def _core_metadata(attributes: Attributes) -> str | None:
    """Return the digest of the METADATA; a bare ``true`` is none, as what it lets through cannot be verified."""
    for name in ("data-core-metadata", "data-dist-info-metadata"):
        algorithm, _, digest = (attributes.get(name) or "").partition("=")
        if algorithm == "sha256" and (known := known_sha256(digest)):
            return known
    return None


def _anchor(project: NormalizedName, file: DistributionFile, up: str = "../../") -> str:
    attributes = {"href": f"{relative_url(project, file, up)}#sha256={file.sha256}"}
    if file.requires_python is not None:
        attributes["data-requires-python"] = file.requires_python
    if file.yanked is not None:
        attributes["data-yanked"] = file.yanked
    if file.core_metadata is not None:
        claim = f"sha256={file.core_metadata}" if file.core_metadata else "true"
        attributes["data-core-metadata"] = attributes["data-dist-info-metadata"] = claim
    if file.provenance is not None:
        attributes["data-provenance"] = file.provenance
    return _element("a", attributes, file.filename)


def _status_metas(status: ProjectStatus) -> dict[str, str]:
    metas = {_STATUS_NAME: status.status.value}
    if status.reason is not None:
        metas[_REASON_NAME] = status.reason
    return metas


def _document(title: str, links: Iterable[str], metas: Mapping[str, str] = MappingProxyType({})) -> bytes:
    return "\n".join([*_head(title, metas), *(f"{link}<br>" for link in links), *_FOOT]).encode()


_FOOT = ("</body>", "</html>", "")


def _head(title: str, metas: Mapping[str, str] = MappingProxyType({})) -> list[str]:
    said = {_VERSION_NAME: API_VERSION, **metas}
    return [
        "<!DOCTYPE html>",
        "<html>",
        "<head>",
        '<meta charset="utf-8">',
        *(_start_tag("meta", {"name": name, "content": content}) for name, content in said.items()),
        _element("title", {}, title),
        "</head>",
        "<body>",
        _element("h1", {}, title),
    ]


def _element(tag: str, attributes: Mapping[str, str], text: str) -> str:
    """Return one element: here and in its tag alone, anyone's text becomes markup."""
    return f"{_start_tag(tag, attributes)}{_escape(text)}</{tag}>"


def _start_tag(tag: str, attributes: Mapping[str, str]) -> str:
    written = "".join(f' {name}="{_escape(value)}"' for name, value in attributes.items())
    return f"<{tag}{written}>"


def _escape(text: str) -> str:
    return escape(encodable(text)).translate(_CONTROLS)
