"""What is unpacked of a zip archive is all that is there, as the records say, or it is damaged."""

from __future__ import annotations

import io
import zipfile
import zlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pypid.domain.validation.zip_contents import Damaged, open_zip
from tests.domain.strategies import patient
from tests.kit.zips import DEFLATED, STORED, Member, raw_zip

TEXT = b"hello, hello, hello, hello"
PACKED = Member("a", TEXT, DEFLATED).packed
BLOCK = 256 * 1024


def unpacked(content: bytes) -> bytes:
    archive = open_zip(io.BytesIO(content))
    return b"".join(archive.unpack(archive.files["a"]))


def archive_of(packed: bytes, text: bytes = TEXT, method: int = DEFLATED) -> bytes:
    """Return the archive of one file: ``packed`` are its bytes, the numbers in its headers are those of ``text``."""
    told = {"crc": zlib.crc32(text), "size": len(text), "method": method}
    return raw_zip([Member("a", packed, local=told, central=told)])


@given(st.binary(max_size=100), st.sampled_from([1, BLOCK // 50, BLOCK]), st.sampled_from([STORED, DEFLATED]))
@example(b"abc", BLOCK // 3 + 1, DEFLATED)  # the last of it comes from no input
@example(b"\0", BLOCK, DEFLATED)
@example(b"\0", 3 * BLOCK + 1, DEFLATED)
@example(b"", 1, DEFLATED)
@patient
def test_same_as_the_standard_library(part: bytes, times: int, method: int) -> None:
    content = raw_zip([Member("a", part * times, method)])
    with zipfile.ZipFile(io.BytesIO(content)) as theirs:
        assert unpacked(content) == theirs.read("a")


def test_empty_file_without_a_stream() -> None:
    """As some writers have it, whatever the method."""
    assert unpacked(archive_of(b"", b"")) == b""


@pytest.mark.parametrize(
    ("packed", "text"),
    [
        (PACKED, TEXT[:-1]),
        (PACKED, TEXT + b"!"),
        (PACKED, b"x" * len(TEXT)),
        (PACKED, b""),
        (PACKED + b"x", TEXT),
        (PACKED + PACKED, TEXT),
        (PACKED[:-1], TEXT),
        (PACKED.ljust(BLOCK + 1), TEXT),
        (b"\xff" * 99, TEXT),
        (b"", TEXT),
    ],
)
def test_damaged(packed: bytes, text: bytes) -> None:
    """A reader that stops where the records say finds the first of these right."""
    with pytest.raises(Damaged):
        unpacked(archive_of(packed, text))


def test_no_more_is_unpacked_than_the_records_say() -> None:
    zeros = Member("a", bytes(64 * 2**20), DEFLATED).packed
    archive = open_zip(io.BytesIO(archive_of(zeros, b"")))
    pieces = archive.unpack(archive.files["a"])
    with pytest.raises(Damaged):
        next(pieces)
