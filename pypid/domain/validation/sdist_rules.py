"""What a source distribution must be: its name, its archive, and what is in it."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from typing import BinaryIO

from pypid.domain.filenames import ParsedFilename
from pypid.domain.names import shorten
from pypid.domain.validation.contents import MAX_METADATA, Contents
from pypid.domain.validation.findings import Findings, NotAccepted, Weight
from pypid.domain.validation.gzip_stream import GzipStream
from pypid.domain.validation.paths import check_paths, escapes
from pypid.domain.validation.tar_members import MemberKind, TarMember, TarReader
from pypid.domain.validation.zip_contents import open_zip
from pypid.domain.validation.zip_records import looks_like_zip

_LINKS = frozenset({MemberKind.HARD_LINK, MemberKind.SYMBOLIC_LINK})


def check_sdist_filename(filename: str, expected: ParsedFilename, findings: Findings) -> None:
    """Note where ``filename``, which parses, is not the one that PEP 625 demands."""
    right = f"{_root(expected)}.tar.gz"
    if filename != right:
        weight = Weight.FORM if filename.endswith(".zip") else Weight.ADVICE
        findings.add(weight, f"Filename {filename!r} is invalid, should be {right!r}.")


def read_sdist(archive: BinaryIO, filename: str, expected: ParsedFilename, findings: Findings) -> Contents | None:
    """Return what is in the sdist, None if that cannot be known; what is wrong with it is noted."""
    try:
        if filename.endswith(".zip"):
            files, metadata = _read_zip(archive, findings)
        elif looks_like_zip(archive):
            raise NotAccepted("File is both a zip and a tar file")
        else:
            files, metadata = _read_tar(archive, findings)
        return _contents(files, metadata, expected, findings)
    except NotAccepted as e:
        findings.add(Weight.SAFETY, f"Invalid distribution file. {e}.")
    return None


def _contents(
    paths: Iterable[str], metadata: dict[str, bytes], expected: ParsedFilename, findings: Findings
) -> Contents | None:
    paths = set(paths)
    roots = {path.partition("/")[0] for path in paths}
    if len(roots) != 1 or paths == roots:
        findings.add(Weight.SAFETY, "Invalid distribution file. Incorrect number of top-level directories in sdist.")
        return None
    root = roots.pop()
    if root != _root(expected):
        findings.add(Weight.NOTE, f"The top-level directory {shorten(root)} should be {_root(expected)!r}.")
    content = metadata.get(f"{root}/PKG-INFO")
    if content is None:
        findings.add(Weight.FORM, f"Invalid distribution file. PKG-INFO not found at {shorten(root)[1:-1]}/PKG-INFO.")
        return None
    return Contents(metadata=content, files=paths, licenses=f"{root}/")


def _root(expected: ParsedFilename) -> str:
    return f"{expected.project.replace('-', '_')}-{expected.version}"


def _read_tar(archive: BinaryIO, findings: Findings) -> tuple[set[str], dict[str, bytes]]:
    """Return the paths of all members, and each PKG-INFO in a top-level directory."""
    tar = TarReader(GzipStream(archive))
    metadata: dict[str, bytes] = {}
    members: dict[str, TarMember] = {}
    for member in tar:
        twin = members.get(member.path)
        if twin is not None and MemberKind.FILE in {twin.kind, member.kind}:
            findings.add(Weight.NOTE, f"{shorten(member.path)} is there more than once.")
        members[member.path] = member
        if _is_metadata(member.path):
            if member.path in metadata or member.kind is not MemberKind.FILE:
                raise NotAccepted(f"{shorten(member.path)} is there more than once, or is no file")
            if member.size > MAX_METADATA:
                raise NotAccepted(f"{shorten(member.path)} is longer than {MAX_METADATA} bytes")
            metadata[member.path] = tar.read(member.size)
    check_paths(members, findings)
    _check_links(members, findings)
    return set(members), metadata


def _check_links(members: dict[str, TarMember], findings: Findings) -> None:
    links = {path for path, member in members.items() if member.kind in _LINKS}
    for path, member in members.items():
        if member.kind is MemberKind.DEVICE:
            findings.add(Weight.SAFETY, f"Invalid distribution file. {shorten(path)} is a device or a pipe.")
        if _parents(path) & links:
            findings.add(Weight.SAFETY, f"Invalid distribution file. {shorten(path)} goes through a link.")
        if path in links and _leads_out(member, links):
            findings.add(
                Weight.SAFETY,
                f"Invalid distribution file. The link {shorten(path)} leads out of the archive, "
                f"to {shorten(member.target)}.",
            )


def _leads_out(link: TarMember, links: set[str]) -> bool:
    """Say whether a link's target is outside the top-level directory, or may be: a link on the way could lead there."""
    start = posixpath.dirname(link.path) if link.kind is MemberKind.SYMBOLIC_LINK else ""
    target = posixpath.normpath(posixpath.join(start, link.target))
    if link.target.startswith("/") or escapes(target) or not link.target:
        return True
    if target.partition("/")[0] != link.path.partition("/")[0]:
        return True
    return ".." in link.target.split("/") and bool((_parents(target) | _parents(f"{start}/{link.target}/x")) & links)


def _parents(path: str) -> set[str]:
    parts = path.split("/")
    return {"/".join(parts[:count]) for count in range(1, len(parts))}


def _read_zip(archive: BinaryIO, findings: Findings) -> tuple[set[str], dict[str, bytes]]:
    zipped = open_zip(archive)
    check_paths((entry.name for entry in zipped.entries), findings)
    zipped.check_compression(findings)
    metadata = {path: zipped.content(path, MAX_METADATA) or b"" for path in zipped.files if _is_metadata(path)}
    return {entry.name.rstrip("/") for entry in zipped.entries}, metadata


def _is_metadata(path: str) -> bool:
    return path.endswith("/PKG-INFO") and path.count("/") == 1
