"""
What PyPI would answer: index pages by the Simple API, files with ranges.

    index = ScriptedIndex(PageStyle(json=False, sizes=False))  # an older kind of upstream
    index = ScriptedIndex(PageStyle(gzip=True, max_age=0))

Pure functions; `tests.kit.scripted` calls them.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from html import escape
from typing import Any
from urllib.parse import quote, unquote

from packaging.version import Version

from tests.kit.actions import Reply
from tests.kit.dists import Dist

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "application/vnd.pypi.simple.v1+html"
PLAIN_HTML = "text/html"
_NEW_YEAR_2026 = 1767225600


@dataclass(frozen=True, slots=True, kw_only=True)
class PageStyle:
    """What this upstream's pages have; the defaults are PyPI's."""

    json: bool = True
    """False: HTML as ``text/html``, whatever was asked for."""
    hashes: bool = True
    algorithm: str = "sha256"
    """Of what `hashes` are; any other is that of the true bytes."""
    sizes: bool = True
    """Of JSON only; HTML never has them."""
    upload_times: bool = True
    """The same."""
    serials: bool = True
    gzip: bool = False
    """Compress pages for those who accept it; PyPI does."""
    absolute_urls: bool = True
    """False: the files' URLs are relative to the page's, as devpi's and others' are."""
    max_age: int | None = 600
    """Seconds; None leaves out Cache-Control."""
    legacy_json: bool = True
    """False: there is nothing under ``/pypi/``, as with most servers that are not PyPI."""


PYPI = PageStyle()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file, and what the page says about it."""

    dist: Dist
    filename: str
    sha256: str
    size: int
    url: str | None
    upload_time: str | None
    yanked: str | None
    core_metadata: bool
    provenance: str | None = None
    """Where its provenance is, as the page says."""

    @property
    def path(self) -> str:
        """Where the file is, named by its true digest, so that other bytes have another URL."""
        digest = self.dist.sha256
        return f"/packages/{digest[:2]}/{digest[2:4]}/{digest[4:]}/{quote(self.filename)}"

    def content_at(self, path: str) -> bytes | None:
        """Return the file, or its metadata, if that is what is at ``path``."""
        if unquote(path) == unquote(self.path):
            return self.dist.content
        if self.core_metadata and unquote(path) == f"{unquote(self.path)}.metadata":
            return self.dist.metadata
        return None


@dataclass(slots=True)
class Project:
    name: str
    serial: int = 0
    entries: dict[str, Entry] = field(default_factory=dict)
    status: str = "active"
    status_reason: str | None = None
    vulnerabilities: list[dict[str, Any]] = field(default_factory=list)


def render_list(projects: Sequence[Project], serial: int, style: PageStyle, asked: Mapping[str, str]) -> Reply:
    """Return the answer for ``/simple/``; ``asked`` are the request's headers."""
    kind = _negotiate(asked.get("accept", ""), style)
    if kind == JSON:
        names = [{"name": project.name, "_last-serial": project.serial} for project in projects]
        return _page(_json({"meta": _meta(serial, style), "projects": names}), kind, serial, style, asked)
    links = [f'<a href="/simple/{p.name}/">{escape(p.name)}</a>' for p in projects]
    return _page(_html("Simple index", links, serial, style), kind, serial, style, asked)


def render_page(project: Project, style: PageStyle, scheme: str, asked: Mapping[str, str]) -> Reply:
    """Return the answer for one project's page."""
    root = f"{scheme}://{asked.get('host', 'upstream.test')}" if style.absolute_urls else "../.."
    kind = _negotiate(asked.get("accept", ""), style)
    entries = project.entries.values()
    if kind == JSON:
        status = {"status": project.status, "reason": project.status_reason}
        body = _json(
            {
                "meta": _meta(project.serial, style),
                "name": project.name,
                "versions": [str(v) for v in sorted({Version(e.dist.version) for e in entries})],
                "project-status": {key: value for key, value in status.items() if value is not None},
                "files": [_file(entry, root, style) for entry in entries],
            }
        )
    else:
        body = _html(f"Links for {project.name}", [_anchor(e, root, style) for e in entries], project.serial, style)
    return _page(body, kind, project.serial, style, asked)


def render_file(content: bytes, asked: Mapping[str, str]) -> Reply:
    """Return the answer for a file, or for the part of it that was asked for."""
    headers = {
        "Content-Type": "application/octet-stream",
        "Content-Length": str(len(content)),
        "ETag": _etag(content),
        "Last-Modified": formatdate(_NEW_YEAR_2026, usegmt=True),
        "Cache-Control": "max-age=365000000, immutable, public",
        "Accept-Ranges": "bytes",
    }
    whole = Reply(200, headers, content)
    if asked.get("if-range", headers["ETag"]) not in {headers["ETag"], headers["Last-Modified"]}:
        return whole
    unit, _, spec = asked.get("range", "").partition("=")
    first, dash, last = spec.partition("-")
    if unit != "bytes" or not dash or "," in spec:
        return whole
    start = int(first) if first else max(0, len(content) - int(last))
    stop = min(int(last) + 1, len(content)) if first and last else len(content)
    if start >= stop:
        return Reply(416, {"Content-Range": f"bytes */{len(content)}", "Content-Length": "0"})
    ranged = {"Content-Length": str(stop - start), "Content-Range": f"bytes {start}-{stop - 1}/{len(content)}"}
    return Reply(206, headers | ranged, content[start:stop])


def _negotiate(accept: str, style: PageStyle) -> str:
    """Return the one of our three types that ``accept`` gives the highest q; PyPI's default is HTML."""
    if not style.json:
        return PLAIN_HTML
    best, kind = 0.0, PLAIN_HTML
    for part in accept.split(","):
        name, _, parameters = part.strip().partition(";")
        q = float(parameters.strip().removeprefix("q=") or 1)
        if name.strip() in {JSON, HTML, PLAIN_HTML} and q > best:
            best, kind = q, name.strip()
    return kind


def _page(body: bytes, kind: str, serial: int, style: PageStyle, asked: Mapping[str, str]) -> Reply:
    compressed = style.gzip and "gzip" in asked.get("accept-encoding", "")
    if compressed:
        body = gzip.compress(body, mtime=0)
    headers = {"ETag": _etag(body), "Vary": "Accept, Accept-Encoding"}
    if style.max_age is not None:
        headers["Cache-Control"] = f"max-age={style.max_age}, public"
    if style.serials:
        headers["X-PyPI-Last-Serial"] = str(serial)
    if headers["ETag"] in asked.get("if-none-match", ""):
        return Reply(304, headers)
    headers["Last-Modified"] = formatdate(_NEW_YEAR_2026 + serial, usegmt=True)
    headers["Content-Type"] = kind if kind == JSON else f"{kind}; charset=utf-8"
    headers["Content-Length"] = str(len(body))
    if compressed:
        headers["Content-Encoding"] = "gzip"
    return Reply(200, headers, body)


def _etag(body: bytes) -> str:
    # As PyPI's: of the body as sent, so every representation has its own.
    return f'"{base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()}"'


def _meta(serial: int, style: PageStyle) -> dict[str, Any]:
    return {"api-version": "1.4"} | ({"_last-serial": serial} if style.serials else {})


def _json(page: Any) -> bytes:
    return json.dumps(page).encode()


def _url(entry: Entry, root: str) -> str:
    return f"{root}{entry.path}" if entry.url is None else entry.url


def _digest(entry: Entry, style: PageStyle) -> str:
    if style.algorithm == "sha256":
        return entry.sha256
    return hashlib.new(style.algorithm, entry.dist.content, usedforsecurity=False).hexdigest()


def _core_metadata(entry: Entry) -> dict[str, str] | bool:
    digest = entry.dist.metadata_sha256
    return {"sha256": digest} if entry.core_metadata and digest is not None else False


def _file(entry: Entry, root: str, style: PageStyle) -> dict[str, Any]:
    file: dict[str, Any] = {
        "filename": entry.filename,
        "url": _url(entry, root),
        "hashes": {style.algorithm: _digest(entry, style)} if style.hashes else {},
        "requires-python": entry.dist.requires_python,
        "yanked": False if entry.yanked is None else entry.yanked or True,
        "core-metadata": _core_metadata(entry),
        "data-dist-info-metadata": _core_metadata(entry),
        "provenance": entry.provenance,
    }
    if style.sizes:
        file["size"] = entry.size
    if style.upload_times and entry.upload_time is not None:
        file["upload-time"] = entry.upload_time
    return file


def _anchor(entry: Entry, root: str, style: PageStyle) -> str:
    attributes = {"href": _url(entry, root) + (f"#{style.algorithm}={_digest(entry, style)}" if style.hashes else "")}
    if entry.dist.requires_python is not None:
        attributes["data-requires-python"] = entry.dist.requires_python
    if entry.yanked is not None:
        attributes["data-yanked"] = entry.yanked
    if entry.core_metadata:
        attributes["data-core-metadata"] = f"sha256={entry.dist.metadata_sha256}"
    if entry.provenance is not None:
        attributes["data-provenance"] = entry.provenance
    written = " ".join(f'{name}="{escape(value)}"' for name, value in attributes.items())
    return f"<a {written}>{escape(entry.filename)}</a>"


def _html(title: str, links: Sequence[str], serial: int, style: PageStyle) -> bytes:
    head = f'<meta name="pypi:repository-version" content="1.4"><title>{escape(title)}</title>'
    lines = ["<!DOCTYPE html>", f"<html><head>{head}</head><body>", f"<h1>{escape(title)}</h1>"]
    lines += [f"{link}<br />" for link in links]
    lines += ["</body></html>"] + ([f"<!--SERIAL {serial}-->"] if style.serials else [])
    return "\n".join(lines).encode()
