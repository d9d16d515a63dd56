"""What is in hosted.db, in a file of its own for each uploaded file: hosted.db can be rebuilt from these."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pypid.domain.names import IndexName, NormalizedName
from pypid.offload import Offload
from pypid.storage.blobs import sync_directory
from pypid.storage.hosted_file import HostedFile

VERSION = 1
"""Of what a sidecar has."""

PROJECT = ".project"
"""Stands for a filename, which begins with no dot."""

OVERLAY = ".overlay"
"""The same, for what is laid over a project."""

Record = dict[str, Any]


class Sidecars:
    """
    ``<root>/<index>/<project>/<filename>.json``, one for each hosted file, and for each that is deleted.

    The three parts are parsed names, so none of them can leave the root; the
    slash of a two-segment index becomes a ``+``, which no index name has.
    """

    def __init__(self, root: Path, offload: Offload) -> None:
        self.root = root
        self._offload = offload

    def prepare(self) -> None:
        """Make the root directory, durably, if it is not there."""
        self.root.mkdir(mode=0o750, exist_ok=True)
        sync_directory(self.root.parent)

    def any(self) -> bool:
        """Return whether there is one at all."""
        return next(self.root.glob("*/*/*.json"), None) is not None

    def path(self, index: IndexName, project: NormalizedName, name: str) -> Path:
        """``name``: a filename, or `PROJECT` or `OVERLAY`."""
        return self.root / index.replace("/", "+") / project / f"{name}.json"

    async def blobs(self) -> set[str]:
        """
        Return the sha256 of every blob that a sidecar names.

        Raises `OSError` or `ValueError` if one of them cannot be read.
        """
        return await self._offload(sidecar_blobs, self.root)


def file_record(file: HostedFile, form: Mapping[str, object]) -> Record:
    """Return the record of a published file and the ``form`` that it came with."""
    return {"sidecar": VERSION, **asdict(file), "form": dict(form)}


def to_bytes(record: Record) -> bytes:
    text = json.dumps(record, ensure_ascii=False, indent=1, sort_keys=True)
    # Lone surrogates cannot occur in decoded text, but must not lose an upload if they do.
    return text.encode("utf-8", "backslashreplace")


def read_record(path: Path) -> Record:
    """Raises `OSError`, or `ValueError` for what is no sidecar."""
    try:
        record = json.loads(path.read_bytes())
    except ValueError as e:
        raise ValueError(f"{path} is no sidecar: {e}") from e
    if not isinstance(record, dict) or record.get("sidecar") != VERSION:
        raise ValueError(f"{path} is no sidecar that this pypid knows")
    return record


def file_records(root: Path) -> Iterator[Record]:
    """Yield the record of each file below ``root``, published or deleted. Raises as `read_record` does."""
    for path in sorted(root.glob("*/*/[!.]*.json")):
        yield read_record(path)


def sidecar_blobs(root: Path) -> set[str]:
    """Return the sha256 of every blob that a sidecar below ``root`` names; what is deleted needs none."""
    named: set[str] = set()
    for record in file_records(root):
        if "deleted_at" not in record:
            kept = (record.get(key) for key in ("sha256", "core_metadata", "signature", "provenance"))
            named.update(sha256 for sha256 in kept if sha256)
    return named
