"""One page with the links to files of many projects, as pip's --find-links takes it, made into a page for each."""

from __future__ import annotations

from html import escape

from pypid.domain.filenames import UnknownFilename, parse_filename
from pypid.domain.html_reader import VERSION_NAME, Attributes, filename_in, read_html
from pypid.domain.names import NormalizedName
from pypid.domain.simple_page import InvalidPage, require_version_1

ProjectPages = dict[NormalizedName, bytes]
"""A page of the Simple API in HTML for each project, whose links are relative to what those of the one page were."""


def split(body: bytes) -> ProjectPages:
    """
    Return a page for each project that ``body`` has a wheel or an sdist of.

    Raises `InvalidPage` where it has none: a login page, say, does not mean
    that all projects are gone.
    """
    links: dict[NormalizedName, list[str]] = {}

    def take(attributes: Attributes) -> None:
        link = (attributes["href"] or "").strip().partition("#")[0]
        try:
            project = parse_filename(filename_in(link)).project
        except UnknownFilename:
            return
        links.setdefault(project, []).append(_tag("a", attributes))

    document = read_html(body, take)
    require_version_1(document.metas.get(VERSION_NAME))
    if not links:
        raise InvalidPage("it has no link to a wheel or an sdist")
    head = "" if document.base is None else _tag("base", {"href": document.base})
    return {project: _page(head, written) for project, written in links.items()}


def _page(head: str, links: list[str]) -> bytes:
    return "\n".join(["<!DOCTYPE html>", head, *(f"{link}</a>" for link in links), ""]).encode(errors="replace")


def _tag(name: str, attributes: Attributes) -> str:
    written = "".join(f' {key}="{escape(value or "")}"' for key, value in attributes.items())
    return f"<{name}{written}>"
