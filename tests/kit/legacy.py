"""PyPI's legacy JSON, of a scripted project."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from email.parser import BytesParser
from typing import Any

from packaging.version import Version

from tests.kit.actions import Reply
from tests.kit.pages import Entry, Project


def render_legacy(project: Project, version: str | None, asked: Mapping[str, str]) -> Reply:
    """Return the answer for ``/pypi/NAME/json`` or, with a version, for ``/pypi/NAME/VERSION/json``."""
    releases: dict[str, list[Entry]] = {}
    for entry in project.entries.values():
        releases.setdefault(entry.dist.version, []).append(entry)
    chosen = str(max(map(Version, releases))) if version is None and releases else version
    if chosen not in releases:
        return Reply(404, {"Content-Type": "application/json", "Content-Length": "2"}, b"{}")
    document: dict[str, Any] = {
        "info": _info(project.name, chosen, releases[chosen]),
        "last_serial": project.serial,
        "urls": [_file(entry) for entry in releases[chosen]],
        "vulnerabilities": project.vulnerabilities,
    }
    if version is None:
        document["releases"] = {each: [_file(entry) for entry in entries] for each, entries in releases.items()}
    body = json.dumps(document).encode()
    etag = f'"{hashlib.sha256(body).hexdigest()[:22]}"'
    headers = {"ETag": etag, "Cache-Control": "max-age=900, public"}
    if etag in asked.get("if-none-match", ""):
        return Reply(304, headers)
    return Reply(200, {**headers, "Content-Type": "application/json", "Content-Length": str(len(body))}, body)


def _info(name: str, version: str, entries: list[Entry]) -> dict[str, Any]:
    metadata = next((entry.dist.metadata for entry in entries if entry.dist.metadata is not None), b"")
    said = BytesParser().parsebytes(metadata)
    return {
        "name": name,
        "version": version,
        "summary": said["Summary"],
        "requires_dist": said.get_all("Requires-Dist"),
        "requires_python": said["Requires-Python"],
        "classifiers": [],
        "project_url": f"http://upstream.test/project/{name}/",
        "downloads": {"last_day": -1},
        "yanked": False,
        "yanked_reason": None,
    }


def _file(entry: Entry) -> dict[str, Any]:
    content = entry.dist.content
    return {
        "filename": entry.filename,
        "digests": {
            "md5": hashlib.md5(content, usedforsecurity=False).hexdigest(),
            "blake2b_256": hashlib.blake2b(content, digest_size=32).hexdigest(),
            "sha256": entry.sha256,
        },
        "url": f"http://elsewhere.test/{entry.filename}",
    }
