"""B60, T12: the shapes of zip archives that have one reading, and those that have two."""

from __future__ import annotations

import io
import zipfile

import pytest

from pypid.domain.validation import zip_records
from pypid.domain.validation.findings import Level, NotAccepted
from pypid.domain.validation.zip_records import looks_like_zip, read_entries
from tests.domain.validation.verdicts import verdict
from tests.domain.validation.wheels import FILENAME, wheel_of
from tests.kit.zip_shapes import ACCEPTED, REASONS, REFUSED, STREAMED, TEXT, A, Shape
from tests.kit.zips import Member, descriptor, raw_zip


@pytest.mark.parametrize("shape", ACCEPTED.values(), ids=ACCEPTED)
def test_one_reading(shape: Shape) -> None:
    content = shape.archive()
    entries = read_entries(io.BytesIO(content))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        theirs = [(info.filename, info.file_size, info.compress_type, info.CRC) for info in archive.infolist()]
    assert [(entry.name, entry.size, entry.method, entry.crc) for entry in entries] == theirs
    assert looks_like_zip(io.BytesIO(content))


@pytest.mark.parametrize("shape", REFUSED.values(), ids=REFUSED)
def test_two_readings_or_none(shape: Shape) -> None:
    with pytest.raises(NotAccepted) as raised:
        read_entries(io.BytesIO(shape.archive()))
    assert str(raised.value) == shape.problem


@pytest.mark.parametrize("shape", {**ACCEPTED, **REFUSED}.values(), ids=[*ACCEPTED, *REFUSED])
def test_shapes_of_wheels(shape: Shape) -> None:
    """What is right but for its shape is refused for that alone; a shape that has one reading is no obstacle."""
    said = verdict(wheel_of(shape), FILENAME, Level.LENIENT if shape.why else Level.STANDARD)
    assert said.problems == (() if not shape.why else (f"Invalid distribution file. {shape.problem}.",))


def test_there_are_enough() -> None:
    """As many as PyPI has in its own tests, and every reason that it knows."""
    assert len(REFUSED) >= 35
    assert len(ACCEPTED) >= 10
    assert set(REASONS) <= {shape.why for shape in REFUSED.values()}


def test_descriptors_are_told() -> None:
    streamed = Member("a", TEXT, local={**STREAMED, "flags": 8}, descriptor=descriptor(TEXT))
    first, second = read_entries(io.BytesIO(raw_zip([streamed, A])))
    assert (first.has_descriptor, second.has_descriptor) == (True, False)


def test_cut_off_anywhere() -> None:
    content = ACCEPTED["several"].archive()
    for length in range(len(content)):
        with pytest.raises(NotAccepted):
            read_entries(io.BytesIO(content[:length]))


def test_every_byte_of_a_header_counts() -> None:
    """Whatever one byte is changed to, what is accepted has the same files of the same sizes."""
    content = ACCEPTED["stored"].archive()
    (expected,) = read_entries(io.BytesIO(content))
    for position in range(len(content)):
        for value in (0, 1, 0x80, 0xFF, content[position] ^ 1):
            changed = content[:position] + bytes([value]) + content[position + 1 :]
            try:
                (entry,) = read_entries(io.BytesIO(changed))
            except NotAccepted:
                continue
            assert (entry.compressed, entry.size, entry.crc) == (expected.compressed, expected.size, expected.crc)


class _Counting(io.BytesIO):
    largest = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.largest = max(self.largest, 2**63 if size is None or size < 0 else size)
        return super().read(size)


def test_directory_that_is_too_long_is_not_read() -> None:
    """B61: the number of entries is bounded before the directory is in memory."""
    for end in ({"here": 0xFFFE, "entries": 0xFFFE, "size": 2**31}, {"here": 1, "entries": 1, "size": 2**31}):
        archive = _Counting(raw_zip([A], end=end))
        with pytest.raises(NotAccepted, match="More than 100000 files"):
            read_entries(archive)
        assert archive.largest < zip_records.MAX_DIRECTORY
    archive = _Counting(
        raw_zip([A], zip64={"here": 100_001, "entries": 100_001}, end={"here": 65535, "entries": 65535})
    )
    with pytest.raises(NotAccepted, match="More than 100000 files"):
        read_entries(archive)
