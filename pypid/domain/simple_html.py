"""The HTML form of the Simple API: PEP 503, 592, 629, 658, 714, 740 and 792; frozen at 1.4 by PEP 833."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from itertools import islice
from types import MappingProxyType
from urllib.parse import urljoin, urlsplit

from pypid.domain.digests import strongest
from pypid.domain.files import DistributionFile, ProjectPage, ProjectStatus, offered, versions_of
from pypid.domain.html_reader import (
    REASON_NAME,
    STATUS_NAME,
    VERSION_NAME,
    Attributes,
    filename_in,
    read_html,
)
from pypid.domain.names import NormalizedName
from pypid.domain.reach import AllowedHosts
from pypid.domain.simple_page import (
    NAMES_AT_ONCE,
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

_FRAGMENT_SEPARATORS = re.compile("[#&]")
# HTML has no NUL, readers turn CR into LF, and one line is to be one file. Any other control
# character can only stand for itself: as a reference it would mean something else (&#128; is the euro sign).
_CONTROLS = str.maketrans({"\0": "\N{REPLACEMENT CHARACTER}", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"})


def parse_project(
    body: bytes, *, url: str, project: NormalizedName, allowed: AllowedHosts, upstream: str = ""
) -> ParsedPage:
    """
    Return what a page fetched from ``url``, after redirects, says about ``project``.

    ``allowed`` and ``upstream`` are for the `Sieve`.

    The text of a link is not looked at: the filename is the last segment of
    its URL. Raises `InvalidPage`, and nothing else, for a body that is not
    such a page; a page without files is one.
    """
    entries: list[DistributionFile] = []
    document = read_html(body, lambda attributes: entries.append(_from_anchor(attributes)))
    require_version_1(document.metas.get(VERSION_NAME))
    sieve = Sieve(project, base=_base(url, document.base), allowed=allowed, upstream=upstream)
    for entry in entries:
        sieve.offer(entry)
    status = known_status(document.metas.get(STATUS_NAME), document.metas.get(REASON_NAME))
    files = offered(sieve.files(), status)
    return ParsedPage(files, versions_of(files), sieve.dropped(), status, sieve.refused_hosts())


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
    claims = _digests_in(fragment)
    return DistributionFile(
        filename=filename_in(link),
        sha256=claims.get("sha256"),
        other_digest=strongest(claims),
        upload_time=known_time(attributes.get("data-upload-time")),
        requires_python=known_requires_python(attributes.get("data-requires-python")),
        yanked=attributes["data-yanked"] or "" if "data-yanked" in attributes else None,
        core_metadata=_core_metadata(attributes),
        provenance=known_provenance(attributes.get("data-provenance")),
        origin=link,
    )


def _digests_in(fragment: str) -> dict[str, str]:
    """Return what ``egg=demo&sha256=...`` claims, by algorithm; several that differ come out as what is no digest."""
    claims: dict[str, set[str]] = {}
    for part in _FRAGMENT_SEPARATORS.split(fragment):
        algorithm, _, digest = part.partition("=")
        claims.setdefault(algorithm, set()).add(digest)
    return {algorithm: " and ".join(sorted(digests)) for algorithm, digests in claims.items()}


def _core_metadata(attributes: Attributes) -> str | None:
    """Return the digest of the METADATA; a bare ``true`` is none, as what it lets through cannot be verified."""
    for name in ("data-core-metadata", "data-dist-info-metadata"):
        algorithm, _, digest = (attributes.get(name) or "").partition("=")
        if algorithm == "sha256" and (known := known_sha256(digest)):
            return known
    return None


def _anchor(project: NormalizedName, file: DistributionFile, up: str = "../../") -> str:
    fragment = "" if file.sha256 is None else f"#sha256={file.sha256}"
    attributes = {"href": f"{relative_url(project, file, up)}{fragment}"}
    if file.requires_python is not None:
        attributes["data-requires-python"] = file.requires_python
    if file.yanked is not None:
        attributes["data-yanked"] = file.yanked
    if file.core_metadata is not None:
        claim = f"sha256={file.core_metadata}" if file.core_metadata else "true"
        attributes["data-core-metadata"] = attributes["data-dist-info-metadata"] = claim
    if file.provenance:
        attributes["data-provenance"] = file.provenance
    return _element("a", attributes, file.filename)


def _status_metas(status: ProjectStatus) -> dict[str, str]:
    metas = {STATUS_NAME: status.status.value}
    if status.reason is not None:
        metas[REASON_NAME] = status.reason
    return metas


def _document(title: str, links: Iterable[str], metas: Mapping[str, str] = MappingProxyType({})) -> bytes:
    return "\n".join([*_head(title, metas), *(f"{link}<br>" for link in links), *_FOOT]).encode()


_FOOT = ("</body>", "</html>", "")


def _head(title: str, metas: Mapping[str, str] = MappingProxyType({})) -> list[str]:
    said = {VERSION_NAME: API_VERSION, **metas}
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
