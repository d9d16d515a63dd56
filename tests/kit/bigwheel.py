"""
A wheel that is larger than anybody wants to hold in memory, made while it is sent.

    big = BigWheel("big", "1.0", blocks=48)  # 3 GiB
    for piece in big.pieces():
        peer.send(piece)
"""

from __future__ import annotations

import hashlib
import random
import zlib
from base64 import urlsafe_b64encode
from collections.abc import Iterator

from tests.kit.dists import wheel
from tests.kit.zips import CENTRAL, END, LOCAL

BLOCK = 64 * 2**20
"""Bytes of each of its large members, which all have the same content. Below 4 GiB no record needs 64 bits."""


class BigWheel:
    """A valid wheel with ``blocks`` large members."""

    def __init__(self, name: str, version: str, *, blocks: int) -> None:
        small = wheel(name, version)
        self.filename, self.project, self.version = small.filename, small.project, small.version
        self._blocks = blocks
        self._block = random.Random(name).randbytes(2**20) * (BLOCK // 2**20)
        self._crc = zlib.crc32(self._block)
        self._info = f"{small.module}-{small.version}.dist-info"
        self._members = {f"{small.module}/block-{number}.bin": self._block for number in range(blocks)}
        assert small.metadata is not None
        self._members[f"{self._info}/METADATA"] = small.metadata
        self._members[f"{self._info}/WHEEL"] = b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        self._members[f"{self._info}/RECORD"] = self._record().encode()

    @property
    def size(self) -> int:
        names = sum(2 * len(name) for name in self._members)
        contents = sum(map(len, self._members.values()))
        return (LOCAL.size + CENTRAL.size) * len(self._members) + names + contents + END.size

    def pieces(self) -> Iterator[bytes]:
        """Yield its bytes from first to last, up to `BLOCK` at a time."""
        offset, directory = 0, b""
        for name, content in self._members.items():
            numbers = (self._crc if content is self._block else zlib.crc32(content), len(content), len(content))
            head = LOCAL.pack(b"PK\3\4", 20, 0, 0, 0, 33, *numbers, len(name), 0) + name.encode()
            directory += CENTRAL.pack(
                b"PK\1\2", 20, 20, 0, 0, 0, 33, *numbers, len(name), 0, 0, 0, 0, 0, offset
            )  # fmt: skip
            directory += name.encode()
            offset += len(head) + len(content)
            yield head
            yield content
        count = len(self._members)
        yield directory + END.pack(b"PK\5\6", 0, 0, count, count, len(directory), offset, 0)

    def _record(self) -> str:
        block = _digest(self._block)
        listed = [
            f"{name},sha256={block if content is self._block else _digest(content)},{len(content)}\n"
            for name, content in self._members.items()
        ]
        return "".join([*listed, f"{self._info}/RECORD,,\n"])


def _digest(content: bytes) -> str:
    return urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
