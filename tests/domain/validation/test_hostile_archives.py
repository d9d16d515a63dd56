"""B68: whatever the bytes are, a verdict comes out; and what passes, the standard library reads alike."""

from __future__ import annotations

import gzip
import io
import random
import tarfile
import zipfile

from hypothesis import example, given
from hypothesis import strategies as st

from pypid.domain.validation.claims import Claims
from pypid.domain.validation.findings import MAX_FINDINGS, Level, NotAccepted
from pypid.domain.validation.gzip_stream import GzipStream
from pypid.domain.validation.tar_members import MemberKind, TarReader
from pypid.domain.validation.zip_records import read_entries
from tests.domain.strategies import hostile_texts, patient
from tests.domain.validation.verdicts import SDIST, verdict
from tests.domain.validation.wheels import FILENAME, make
from tests.kit.dists import sdist, wheel
from tests.kit.tars import ROOT, changed_header, packed, pkg_info, tar_gz, tar_member

WHEEL = wheel("demo", requires=["other>=2"], requires_python=">=3.9")
TAR = gzip.decompress(sdist("demo").content)
PAX = tar_member(f"{ROOT}/{'long/' * 50}a", b"content", pax={"comment": "x", "mtime": "1.5"})

positions = st.integers(0, 2**16)
changes = st.lists(st.tuples(positions, st.integers(0, 255)), min_size=1, max_size=4)
levels = st.sampled_from(Level)


def changed(content: bytes, edits: list[tuple[int, int]]) -> bytes:
    result = bytearray(content)
    for position, value in edits:
        result[position % len(result)] = value
    return bytes(result)


def check(content: bytes, filename: str, level: Level = Level.LENIENT, claims: Claims | None = None) -> bool:
    """Say whether ``content`` passes; the verdict is bounded and printable as a line."""
    said = verdict(content, filename, level, claims or Claims())
    assert len(said.problems) + len(said.warnings) <= 2 * (MAX_FINDINGS + 1)
    assert all(len(text) < 2000 for text in (*said.problems, *said.warnings))
    return not said.problems


@given(st.binary(max_size=2000), levels)
@example(b"PK\5\6" + bytes(18), Level.STRICT)
@patient
def test_any_bytes(content: bytes, level: Level) -> None:
    for filename in (FILENAME, SDIST, "demo-1.0.zip"):
        assert not check(content, filename, level)
    assert not check(packed(content), SDIST, level)


@given(changes)
@patient
def test_changed_wheel(edits: list[tuple[int, int]]) -> None:
    content = changed(WHEEL.content, edits)
    if check(content, WHEEL.filename):
        _same_zip(content)


@given(changes)
@patient
def test_changed_sdist(edits: list[tuple[int, int]]) -> None:
    """Inside of the compression, where the changes mean something; and outside."""
    content = packed(changed(TAR, edits))
    if check(content, SDIST):
        _same_tar(content)
    check(changed(content, edits), SDIST)


def test_every_byte_of_the_headers() -> None:
    """Each byte of an archive's records, one after the other; random ones for what a few examples do not reach."""
    source = random.Random(0)
    archive = make()
    passed = 0
    for position in range(len(archive)):
        content = changed(archive, [(position, source.randrange(256))])
        if check(content, FILENAME):
            passed += 1
            _same_zip(content)
    headers = pkg_info() + PAX
    for position in range(len(headers)):
        content = tar_gz(changed(headers, [(position, source.randrange(256))]))
        if check(content, SDIST):
            passed += 1
            _same_tar(content)
    for position in range(512):
        for value in (0, 0x80, 0xFF, source.randrange(256)):
            content = tar_gz(pkg_info(), changed_header(tar_member(f"{ROOT}/a"), position, bytes([value])))
            if check(content, SDIST):
                passed += 1
                _same_tar(content)
    assert passed > 100


@given(st.binary(max_size=500), levels)
@patient
def test_any_metadata(metadata: bytes, level: Level) -> None:
    check(make(metadata=metadata), FILENAME, level)
    start = b"Metadata-Version: 2.4\nName: demo\nVersion: 1.0\n"
    check(make(metadata=start + metadata), FILENAME, level)


FIELDS = """
    Requires-Python Requires-Dist License-File Summary Project-URL Author-email Dynamic Keywords
    Description-Content-Type Classifier License-Expression Provides-Extra Home-page Import-Name
"""
fields = st.sampled_from(FIELDS.split())
digits = st.integers(0, 5000).map(lambda number: "9" * number)
values = hostile_texts | st.sampled_from(["a==", "a[", "a;", ">=", "a @ http://[", "text/plain; x*"]).flatmap(
    lambda start: digits.map(start.__add__)
)


@given(st.lists(st.tuples(fields, values), max_size=4), values, st.lists(values, max_size=3), levels)
@patient
def test_any_fields(lines: list[tuple[str, str]], python: str, dists: list[str], level: Level) -> None:
    text = "Metadata-Version: 2.4\nName: demo\nVersion: 1.0\n" + "".join(f"{name}: {value}\n" for name, value in lines)
    claims = Claims(requires_python=python, requires_dist=tuple(dists))
    for content, filename in (
        (make(metadata=text.encode()), FILENAME),
        (tar_gz(tar_member(f"{ROOT}/PKG-INFO", text.encode())), SDIST),
    ):
        check(content, filename, level, claims)


def test_metadata_that_is_nested_without_end() -> None:
    for line in (
        "Requires-Dist: a; " + "(" * 50_000,
        "License-Expression: " + "(" * 50_000,
        "Author-email: " + "(" * 50_000,
    ):
        metadata = f"Metadata-Version: 2.4\nName: demo\nVersion: 1.0\n{line}\n"
        assert not check(make(metadata=metadata.encode()), FILENAME, Level.STRICT)


def _same_zip(content: bytes) -> None:
    ours = [(entry.name, entry.size, entry.compressed, entry.crc) for entry in read_entries(io.BytesIO(content))]
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        infos = archive.infolist()
    assert ours == [(info.filename, info.file_size, info.compress_size, info.CRC) for info in infos]


def _same_tar(content: bytes) -> None:
    try:
        ours = [(member.path, member.kind, member.size) for member in TarReader(GzipStream(io.BytesIO(content)))]
    except NotAccepted as e:
        raise AssertionError from e
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        theirs = [(member.name, _kind(member), member.size) for member in archive.getmembers()]
    assert ours == theirs


def _kind(member: tarfile.TarInfo) -> MemberKind:
    if member.isdir():
        return MemberKind.DIRECTORY
    if member.issym():
        return MemberKind.SYMBOLIC_LINK
    if member.islnk():
        return MemberKind.HARD_LINK
    return MemberKind.DEVICE if member.isdev() else MemberKind.FILE
