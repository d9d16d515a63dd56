"""Whether the files of a wheel are those that its RECORD has the digests of."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Iterator

from pypid.domain.validation.findings import Findings, Weight
from pypid.domain.validation.record import Record, RecordedFile, signatures, some
from pypid.domain.validation.zip_contents import Damaged, ZipContents
from pypid.domain.validation.zip_records import ZipEntry

MAX_COMPARED = 512 * 1024 * 1024
"""
Bytes that are unpacked of one wheel. Poetry waits 15 s for the answer to an upload: these take
2 s of a desktop's processor.
"""

_ALGORITHMS = frozenset({"sha256", "sha384", "sha512"})
"""The wheel specification has sha256 or better."""


def check_contents(wheel: ZipContents, record: Record, directory: str, findings: Findings) -> None:
    """
    Note the files that are damaged, and those that are not as ``record``, in ``directory``, says.

    The smallest are unpacked first, up to `MAX_COMPARED` bytes: all the code
    is among them where data takes up the rest.
    """
    unsaid = signatures(directory) | {f"{directory}/RECORD"}
    damaged, wrong, without = set[str](), set[str](), set[str]()
    for entry in _smallest(wheel):
        path = entry.name
        algorithm, _, digest = record.get(path, RecordedFile()).digest.partition("=")
        is_known = algorithm in _ALGORITHMS
        try:
            found = _digest(wheel, entry, algorithm if is_known else "sha256")
        except Damaged:
            damaged.add(path)
            continue
        if is_known and digest.rstrip("=") != found:
            wrong.add(path)
        elif not is_known and path in record and path not in unsaid:
            without.add(path)
    if damaged:
        findings.add(Weight.SAFETY, f"Invalid distribution file. {some(damaged)} cannot be unpacked.")
    if wrong:
        findings.add(Weight.ADVICE, f"RECORD has another digest for {some(wrong)}.")
    if without:
        findings.add(Weight.NOTE, f"RECORD has no digest, of sha256 or better, for {some(without)}.")


def _digest(wheel: ZipContents, entry: ZipEntry, algorithm: str) -> str:
    """Return what RECORD has for the content of ``entry``. Raises `Damaged`."""
    digest = hashlib.new(algorithm)
    for chunk in wheel.unpack(entry):
        digest.update(chunk)
    return urlsafe_b64encode(digest.digest()).decode().rstrip("=")


def _smallest(wheel: ZipContents) -> Iterator[ZipEntry]:
    left = MAX_COMPARED
    for entry in sorted(filter(wheel.can_unpack, wheel.files.values()), key=lambda entry: entry.size):
        left -= entry.size
        if left < 0:
            return
        yield entry
