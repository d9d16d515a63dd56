"""What each upload said, in a file of its own beside the database: hosted.db can be rebuilt from these."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from pypid.offload import Offload
from pypid.storage.blobs import sync_directory
from pypid.storage.hosted import HostedFile


class Sidecars:
    """
    ``<root>/<index>/<project>/<filename>.json``, one for each hosted file.

    The three parts are parsed names, so none of them can leave the root; the
    slash of a two-segment index becomes a ``+``, which no index name has.
    """

    def __init__(self, root: Path, offload: Offload) -> None:
        self._root = root
        self._offload = offload

    def prepare(self) -> None:
        """Make the root directory, durably, if it is not there."""
        self._root.mkdir(mode=0o750, exist_ok=True)
        sync_directory(self._root.parent)

    async def write(self, file: HostedFile, form: Mapping[str, tuple[str, ...]]) -> None:
        """Keep ``file`` and the ``form`` it came with; both are on the disk when this returns."""
        record = {"sidecar": 1, **asdict(file), "form": dict(form)}
        text = json.dumps(record, ensure_ascii=False, indent=1, sort_keys=True)
        # Lone surrogates cannot occur in decoded text, but must not lose an upload if they do.
        await self._offload(self._write, self._path(file), text.encode("utf-8", "backslashreplace"))

    async def blobs(self) -> set[str]:
        """
        Return the sha256 of every blob that a sidecar names.

        Raises `OSError` or `ValueError` if one of them cannot be read.
        """
        return await self._offload(sidecar_blobs, self._root)

    def _path(self, file: HostedFile) -> Path:
        return self._root / file.index_name.replace("/", "+") / file.project / f"{file.filename}.json"

    def _write(self, path: Path, data: bytes) -> None:
        path.parent.parent.mkdir(mode=0o750, exist_ok=True)
        path.parent.mkdir(mode=0o750, exist_ok=True)
        unfinished = path.parent / f".{secrets.token_hex(8)}.part"
        try:
            with unfinished.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
        # All of them, though hardly ever new: whoever made one may have ended before it was synced.
        for directory in (path.parent, path.parent.parent, self._root):
            sync_directory(directory)


def sidecar_blobs(root: Path) -> set[str]:
    """Return the same of the sidecars below ``root``."""
    named: set[str] = set()
    for path in root.glob("*/*/[!.]*.json"):
        try:
            record = json.loads(path.read_bytes())
            named.update(sha256 for key in ("sha256", "core_metadata") if (sha256 := record[key]))
        except (KeyError, TypeError, ValueError) as e:
            raise ValueError(f"{path} is no sidecar: {e}") from e
    return named
