"""The wheel of `FILENAME`, whole or with something wrong in it."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import sha256

from tests.kit.zip_shapes import Shape
from tests.kit.zips import Member, raw_zip

FILENAME = "demo-1.0-py3-none-any.whl"
INFO = "demo-1.0.dist-info"
METADATA = b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n"
CODE = Member("demo/__init__.py", b"x = 1\n")


def record(*members: Member) -> Member:
    lines = [
        member.raw_name + f",sha256={digest_of(member.content)},{len(member.content)}\n".encode()
        for member in members
        if not member.raw_name.endswith(b"/")
    ]
    return Member(f"{INFO}/RECORD", b"".join([*lines, f"{INFO}/RECORD,,\n".encode()]))


def digest_of(content: bytes) -> str:
    """Return the sha256 as RECORD has it."""
    return urlsafe_b64encode(sha256(content).digest()).decode().rstrip("=")


def make(*more: Member, without: str = "", metadata: bytes = METADATA, info: str = INFO) -> bytes:
    """Return the archive of `FILENAME` with ``more`` members, all in RECORD."""
    usual = [CODE, Member(f"{info}/METADATA", metadata), Member(f"{info}/WHEEL", b"Wheel-Version: 1.0\n"), *more]
    members = [member for member in usual if member.name != f"{info}/{without}"]
    if without != "RECORD":
        members.append(Member(f"{info}/RECORD", record(*members).content.replace(INFO.encode(), info.encode())))
    return raw_zip(members)


def wheel_of(shape: Shape) -> bytes:
    """Return the archive of `FILENAME` in that shape: all else about it is right."""
    usual = [CODE, Member(f"{INFO}/METADATA", METADATA), Member(f"{INFO}/WHEEL", b"Wheel-Version: 1.0\n")]
    return shape.archive(*usual, record(*shape.listed, *usual))
