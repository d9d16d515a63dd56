"""Tar archives member by member, so that each header can lie; gzipped, as source distributions are."""

from __future__ import annotations

import gzip
import io
import tarfile
from typing import Literal

ROOT = "demo-1.0"
PKG_INFO = b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n"


def tar_member(
    path: str,
    content: bytes = b"",
    kind: bytes = tarfile.REGTYPE,
    *,
    target: str = "",
    size: int | None = None,
    form: Literal[0, 1, 2] = tarfile.GNU_FORMAT,
    pax: dict[str, str] | None = None,
) -> bytes:
    """Return the blocks of a member; ``size``: what its header says instead of the length of ``content``."""
    info = tarfile.TarInfo(path)
    info.type, info.linkname = kind, target
    info.size = len(content) if size is None else size
    info.pax_headers = pax or {}
    return info.tobuf(tarfile.PAX_FORMAT if pax else form) + content + bytes(-len(content) % 512)


def changed_header(member: bytes, offset: int, field: bytes) -> bytes:
    """Return ``member`` with a field of its header changed, and the checksum made right."""
    header = bytearray(member[:512])
    header[offset : offset + len(field)] = field
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + member[512:]


def pkg_info(root: str = ROOT) -> bytes:
    return tar_member(f"{root}/PKG-INFO", PKG_INFO)


def tar_gz(*members: bytes, end: bytes = bytes(1024)) -> bytes:
    return packed(b"".join(members) + end)


def packed(content: bytes) -> bytes:
    """Return ``content`` gzipped; equal arguments give equal bytes."""
    buffer = io.BytesIO()
    with gzip.GzipFile("", "wb", fileobj=buffer, mtime=0) as compressed:
        compressed.write(content)
    return buffer.getvalue()
