"""B51, B60, B61, B64: what a wheel must be, at each level."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import replace
from hashlib import sha512

import pytest

from pypid.domain.validation import gzip_stream, record_digests, wheel_rules
from pypid.domain.validation.findings import Level
from pypid.domain.validation.platform_tags import is_public_platform
from tests.domain.validation.verdicts import effects, verdict
from tests.domain.validation.wheels import CODE, FILENAME, INFO, METADATA, digest_of, make, record
from tests.kit.dists import wheel
from tests.kit.zips import DEFLATED, Member, descriptor, raw_zip

HI = descriptor(b"hi")


@pytest.mark.parametrize("level", Level)
def test_good_wheel(level: Level) -> None:
    said = verdict(make(Member("demo/", b"")), FILENAME, level)
    assert (said.problems, said.warnings, said.metadata) == ((), (), METADATA)


@pytest.mark.parametrize(
    ("without", "text", "expected"),
    [
        ("WHEEL", f"Invalid distribution file. WHEEL not found at {INFO}/WHEEL.", "rrw"),
        ("RECORD", f"Wheel '{FILENAME}' does not contain the required RECORD file: {INFO}/RECORD.", "rrw"),
        ("METADATA", f"Wheel '{FILENAME}' does not contain the required METADATA file: {INFO}/METADATA.", "rrr"),
    ],
)
def test_what_every_wheel_has(without: str, text: str, expected: str) -> None:
    assert effects(make(without=without), FILENAME, text) == expected


def test_all_that_is_wrong_is_said_at_once() -> None:
    content = raw_zip([Member("../up"), Member("a\\b"), Member("demo/x", method=12, local={"method": 12})])
    problems = verdict(content, "Demo-1.0-py3-none-any.whl", Level.STRICT).problems
    for text in (
        "normalized project name 'demo'",
        "leads out",
        "backslash",
        "compression",
        "WHEEL",
        "RECORD",
        "METADATA",
    ):
        assert any(text in problem for problem in problems), text


@pytest.mark.parametrize(
    ("filename", "text", "expected"),
    [
        ("Demo-1.0-py3-none-any.whl", "should contain the normalized project name 'demo', not 'Demo'.", "rwi"),
        ("demo-1.0-py3-none-linux_x86_64.whl", "unsupported platform tag 'linux_x86_64'.", "rii"),
        ("demo-1.0-cp39-cp39-macosx_11_0_x86_64.linux_armv9.whl", "unsupported platform tag 'linux_armv9'.", "rii"),
        ("demo-1.0.tar.gz.whl", "Invalid wheel filename", "rrr"),
    ],
)  # fmt: skip
def test_filename(filename: str, text: str, expected: str) -> None:
    content = make(info=f"{filename.partition('-')[0]}-1.0.dist-info")
    assert effects(content, filename, text) == expected


@pytest.mark.parametrize(
    ("member", "text", "expected"),
    [
        (Member("demo/a", b"hello", method=12), "does not use a supported compression type", "rrw"),
        (
            Member("demo/a", b"hi", flags=8, local={"crc": 0, "size": 0, "compressed": 0}, descriptor=HI),
            "ZIP contains a data descriptor",
            "rwi",
        ),
        (Member("demo/../../a"), "leads out of the archive", "rrr"),
        (Member("/a"), "leads out of the archive", "rrr"),
        (Member("C:\\a"), "leads out of the archive", "rrr"),
        (Member("demo\\a"), "has a backslash", "rrw"),
        (Member("demo//a"), "is not the shortest path", "rrw"),
        (Member("Demo/__init__.PY"), "are one file where case does not count", "wwi"),
        (Member("other-1.0.dist-info/METADATA"), "metadata of another project: 'other-1.0.dist-info'", "wwi"),
        (Member("Demo-1.0.dist-info/METADATA", METADATA), "It holds 2 directories of metadata", "rrr"),
        (Member(f"{INFO}/entry_points.txt", b"[console_scripts]\n../x = a:b\n"), "has invalid entry points", "rrw"),
        (Member(f"{INFO}/entry_points.txt", b"[console_scripts]\n.. = a:b\n"), "has invalid entry points", "rrw"),
        (Member(f"{INFO}/entry_points.txt", b"no section"), "has invalid entry points", "rrw"),
        (Member(f"{INFO}/entry_points.txt", b"\xff"), "has invalid entry points", "rrw"),
        (Member(f"{INFO}/entry_points.txt", b"[console_scripts]\nA.b-c = a:b\n[x]\n%(y = 1\n"), "entry", "iii"),
    ],
)  # fmt: skip
def test_members(member: Member, text: str, expected: str) -> None:
    assert effects(make(member), FILENAME, text) == expected


def test_record_that_is_not_what_the_wheel_has() -> None:
    usual = [CODE, Member(f"{INFO}/METADATA", METADATA), Member(f"{INFO}/WHEEL", b"Wheel-Version: 1.0\n")]
    listed, text = [*usual, Member("gone.py")], "RECORD lists 'gone.py', which the wheel does not have."
    assert effects(raw_zip([*usual, record(*listed)]), FILENAME, text) == "rwi"
    many = [Member(f"m{number}.py") for number in range(5)]
    text = "RECORD does not list 'm0.py', 'm1.py', 'm2.py' and 2 more."
    assert effects(raw_zip([*usual, *many, record(*usual)]), FILENAME, text) == "rwi"
    other = [Member(CODE.name, b"longer than before"), *usual[1:]]
    text = "RECORD has another size for 'demo/__init__.py'."
    assert effects(raw_zip([*other, record(*usual)]), FILENAME, text) == "rwi"
    assert effects(raw_zip([*usual, Member(f"{INFO}/RECORD", b"\xff")]), FILENAME, "RECORD cannot be read") == "rwi"
    signed = [*usual, record(*usual), Member(f"{INFO}/RECORD.jws", b"x")]
    assert verdict(raw_zip(signed), FILENAME, Level.STRICT).problems == ()


def test_contents_that_are_not_what_record_says() -> None:
    usual = [CODE, Member(f"{INFO}/METADATA", METADATA), Member(f"{INFO}/WHEEL", b"Wheel-Version: 1.0\n")]
    other = [Member(CODE.name, b"x = 2\n", DEFLATED), *usual[1:]]
    text = "RECORD has another digest for 'demo/__init__.py'."
    assert effects(raw_zip([*other, record(*usual)]), FILENAME, text) == "rwi"
    told = record(*usual).content
    digest = f"sha256={digest_of(CODE.content)}".encode()
    for said, expected in {
        b"": "wwi",
        b"md5=c2hvcnQ": "wwi",
        digest + b"=": "iii",
        b"sha512=" + urlsafe_b64encode(sha512(CODE.content).digest()): "iii",
    }.items():
        written = Member(f"{INFO}/RECORD", told.replace(digest, said))
        text = "RECORD has no digest, of sha256 or better, for 'demo/__init__.py'."
        assert effects(raw_zip([*usual, written]), FILENAME, text) == expected, said
        assert effects(raw_zip([*usual, written]), FILENAME, "another digest") == "iii", said
    for said in (b"sha256", b"sha256=", b"sha256=x", b"sha512" + digest[6:]):
        written = Member(f"{INFO}/RECORD", told.replace(digest, said))
        assert effects(raw_zip([*usual, written]), FILENAME, "RECORD has another digest") == "rwi", said


def test_files_that_are_damaged() -> None:
    """Their checksum is not theirs, or they do not unpack: no installer copes, with or without RECORD."""
    wrong = Member("demo/a", b"hello", local={"crc": 1}, central={"crc": 1})
    broken = Member("demo/b", b"\xff" * 99, local={"method": DEFLATED}, central={"method": DEFLATED})
    text = "Invalid distribution file. 'demo/a', 'demo/b' cannot be unpacked."
    assert effects(make(wrong, broken), FILENAME, text) == "rrr"
    assert effects(make(wrong, broken, without="RECORD"), FILENAME, text) == "rrr"
    (problem,) = verdict(make(wrong, broken, metadata=METADATA + b"Requires-Python: x\n"), FILENAME).problems[1:]
    assert "requires-python" in problem


def test_only_so_much_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The smallest files first: the client waits."""
    usual = [CODE, Member(f"{INFO}/METADATA", METADATA), Member(f"{INFO}/WHEEL", b"Wheel-Version: 1.0\n")]
    text, large = "RECORD has another digest for", Member("demo/data", b"x" * 1000)
    listed = record(*usual, large)
    monkeypatch.setattr(record_digests, "MAX_COMPARED", 1999)
    changed = [*usual, replace(large, content=b"y" * 1000), listed]
    assert effects(raw_zip(changed), FILENAME, f"{text} 'demo/data'.") == "rwi"
    monkeypatch.setattr(record_digests, "MAX_COMPARED", 999)
    changed.insert(0, replace(CODE, content=b"x = 2\n"))
    changed.remove(CODE)
    assert effects(raw_zip(changed), FILENAME, f"{text} 'demo/__init__.py'.") == "rwi"


def test_required_files_in_a_compression_without_bounds() -> None:
    """45 bytes of bzip2 can be 45 MB: what is not unpacked cannot be a bomb."""
    packed = Member(f"{INFO}/entry_points.txt", b"", local={"method": 12}, central={"method": 12})
    assert effects(make(packed), FILENAME, "entry_points.txt' does not use a supported compression type") == "rrr"


def test_directory_that_is_spelled_otherwise() -> None:
    """As old build tools do."""
    text = "The directory 'Demo-1.0.0.dist-info' should be 'demo-1.0.dist-info'."
    assert effects(make(info="Demo-1.0.0.dist-info"), FILENAME, text) == "rwi"


def test_tar_as_well() -> None:
    """The first bytes of the archive are the header of a tar archive: its checksum is in the first name."""
    padded = Member("a" * 118 + " " * 8 + "a" * 474)
    checksum = f"{sum(padded.local_record()[:512]):07o} "
    both = raw_zip([Member("a" * 118 + checksum + "a" * 474), CODE])
    assert effects(both, FILENAME, "File is both a zip and a tar file") == "rrr"


def test_bomb(monkeypatch: pytest.MonkeyPatch) -> None:
    """What would unpack to gigabytes is not unpacked to find that out."""
    monkeypatch.setattr(gzip_stream, "FREE_SIZE", 2**20)
    content = make(Member("demo/zeros", bytes(4 * 2**20), DEFLATED))
    assert effects(content, FILENAME, "File exceeds compression ratio of 50") == "rrr"


def test_long_members(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheel_rules, "MAX_METADATA", 1000)
    assert verdict(make(metadata=METADATA.ljust(1000)), FILENAME).problems == ()
    assert effects(make(metadata=METADATA.ljust(1001)), FILENAME, "METADATA' is longer than 1000 bytes") == "rrr"


@pytest.mark.parametrize("name", ["demo", "Demo.Pkg", "a-b-c"])
def test_the_kit_makes_good_wheels(name: str) -> None:
    made = wheel(name, requires=["other>=2; extra == 'x'"], requires_python=">=3.9", extra_files={"data/x": b"y"})
    said = verdict(made.content, made.filename, Level.STRICT)
    assert (said.problems, said.warnings, said.metadata) == ((), (), made.metadata)


def test_platforms() -> None:
    public = "any win_arm64 manylinux2014_x86_64 manylinux_2_28_aarch64 musllinux_1_2_riscv64 macosx_10_9_universal2"
    public += " macosx_26_0_arm64 ios_13_0_arm64_iphoneos android_24_arm64_v8a pyemscripten_2025_0_wasm32"
    own = "linux_x86_64 macosx_11_1_arm64 macosx_99_0_arm64 manylinux_2_28_sparc musllinux_1_2_ppc64 any_x freebsd_13"
    assert [tag for tag in public.split() if not is_public_platform(tag)] == []
    assert [tag for tag in own.split() if is_public_platform(tag)] == []
