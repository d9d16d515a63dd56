"""The legacy JSON of a project and of its releases, as PyPI has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from packaging.metadata import parse_email
from packaging.version import Version

from pypid.domain.filenames import FileKind, parse_filename
from pypid.domain.files import DistributionFile, ProjectPage
from pypid.domain.release_facts import OtherDigests, ReleaseFacts
from pypid.domain.releases import Releases, reason_yanked
from pypid.domain.simple_page import encodable, relative_url

_INFO: Mapping[str, Any] = {
    "author": None,
    "author_email": None,
    "classifiers": [],
    "description": None,
    "description_content_type": None,
    "download_url": None,
    "dynamic": None,
    "home_page": None,
    "keywords": None,
    "license": None,
    "license_expression": None,
    "license_files": None,
    "maintainer": None,
    "maintainer_email": None,
    "project_urls": None,
    "provides_extra": None,
    "requires_dist": None,
    "requires_python": None,
    "summary": None,
}
"""What PyPI says where nothing is known, under the names that `packaging.metadata` has too."""

_UNKNOWN = OtherDigests()


def render(
    page: ProjectPage, releases: Releases, version: Version | None, facts: ReleaseFacts, *, base: str, whole: bool
) -> bytes:
    """
    Return the body that says ``version``, and with ``whole`` all ``releases``.

    ``facts``: about the project and, unless they name another one, about that
    version. Where they name one that the page has too, and ``whole`` leaves
    the choice, it is that one. ``base``: absolute URL of the index, since
    readers expect absolute URLs.
    """
    if facts.version is not None and facts.version != version:
        if whole and facts.version in releases:
            version = facts.version
        else:
            # The page is newer than what upstream said, or older: what is about another release is not said.
            facts = ReleaseFacts(digests=facts.digests)
    files = [] if version is None else releases[version]
    body: dict[str, Any] = {
        "info": _info(page, version, files, facts),
        "last_serial": page.serial or -1,
        "urls": [_entry(page, file, facts, base) for file in files],
        "vulnerabilities": _safe(list(facts.vulnerabilities)),
    }
    if whole:
        body["releases"] = {
            str(each): [_entry(page, file, facts, base) for file in listed] for each, listed in releases.items()
        }
    return msgspec.json.encode(body)


def _info(
    page: ProjectPage, version: Version | None, files: Sequence[DistributionFile], facts: ReleaseFacts
) -> dict[str, Any]:
    known = _safe({**_from_metadata(facts.metadata), **facts.info})
    if "requires_python" not in known:
        known["requires_python"] = next((_safe(file.requires_python) for file in files if file.requires_python), None)
    reason = reason_yanked(files)
    return {
        **_INFO,
        "name": page.name,
        **known,
        "version": "" if version is None else str(version),
        "yanked": reason is not None,
        "yanked_reason": _safe(reason) or None,
    }


def _from_metadata(metadata: bytes) -> dict[str, Any]:
    raw: dict[str, Any] = dict(parse_email(metadata)[0])
    known = {key: raw[key] for key in (*_INFO, "name") if raw.get(key)}
    if "keywords" in known:
        known["keywords"] = ",".join(known["keywords"])
    return known


def _safe(value: Any) -> Any:
    """Return ``value`` with each text in it made one that UTF-8 can say."""
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, list):
        return [_safe(each) for each in value]
    if isinstance(value, dict):
        return {encodable(key): _safe(each) for key, each in value.items()}
    return value


def _entry(page: ProjectPage, file: DistributionFile, facts: ReleaseFacts, base: str) -> dict[str, Any]:
    kind = parse_filename(file.filename).kind
    time = None if file.upload_time is None else file.upload_time.replace(tzinfo=None)
    others = facts.digests.get((file.filename, file.sha256 or ""), _UNKNOWN)
    digests = {"blake2b_256": others.blake2b_256, "md5": others.md5, "sha256": file.sha256}
    return {
        "comment_text": None,
        "digests": {name: digest for name, digest in digests.items() if digest is not None},
        "downloads": -1,
        "filename": file.filename,
        "has_sig": False,
        "md5_digest": others.md5,
        "packagetype": kind.value,
        "python_version": "source" if kind is FileKind.SDIST else file.filename.split("-")[-3],
        "requires_python": _safe(file.requires_python),
        "size": file.size,
        "upload_time": None if time is None else time.isoformat(timespec="seconds"),
        "upload_time_iso_8601": None if time is None else time.isoformat(timespec="microseconds") + "Z",
        # bandersnatch takes only what is below /packages.
        "url": relative_url(page.name, file, f"{base}packages/"),
        "yanked": file.yanked is not None,
        "yanked_reason": _safe(file.yanked) or None,
    }
