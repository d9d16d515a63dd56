"""The names of an archive's members: where they would end up, were it unpacked."""

from __future__ import annotations

from collections.abc import Iterable

from pypid.domain.names import shorten
from pypid.domain.validation.findings import Findings, Weight


def check_paths(paths: Iterable[str], findings: Findings) -> None:
    """Note the paths that leave the directory they are unpacked in, or mean different files on different systems."""
    spellings: dict[str, str] = {}
    for path in paths:
        _check_path(path, findings)
        first = spellings.setdefault(path.casefold(), path)
        if first != path:
            findings.add(
                Weight.NOTE, f"{shorten(first)} and {shorten(path)} are one file where case does not count in names."
            )


def escapes(path: str) -> bool:
    """Say whether ``path``, read by Windows or by others, is outside the directory that it is relative to."""
    parts = path.replace("\\", "/").split("/")
    return parts[0] in {"", "~"} or ":" in parts[0] or ".." in parts


def _check_path(path: str, findings: Findings) -> None:
    if escapes(path):
        findings.add(Weight.SAFETY, f"Invalid distribution file. {shorten(path)} leads out of the archive.")
    elif "\\" in path:
        findings.add(Weight.FORM, f"Invalid distribution file. {shorten(path)} has a backslash.")
    elif any(part in {"", "."} for part in path.removesuffix("/").split("/")):
        findings.add(Weight.FORM, f"Invalid distribution file. {shorten(path)} is not the shortest path.")
    if any(ord(character) < 0x20 or ord(character) == 0x7F for character in path):
        findings.add(Weight.FORM, f"Invalid distribution file. {shorten(path)} has control characters.")
