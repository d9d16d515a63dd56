"""The wheel of `FILENAME`, whole or with something wrong in it."""

from __future__ import annotations

from tests.kit.zips import Member, raw_zip

FILENAME = "demo-1.0-py3-none-any.whl"
INFO = "demo-1.0.dist-info"
METADATA = b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n"
CODE = Member("demo/__init__.py", b"x = 1\n")


def record(*members: Member) -> Member:
    lines = [
        f"{member.raw_name.decode()},,{len(member.content)}\n"
        for member in members
        if not member.raw_name.endswith(b"/")
    ]
    return Member(f"{INFO}/RECORD", "".join([*lines, f"{INFO}/RECORD,,\n"]).encode())


def make(*more: Member, without: str = "", metadata: bytes = METADATA, info: str = INFO) -> bytes:
    """Return the archive of `FILENAME` with ``more`` members, all in RECORD."""
    usual = [CODE, Member(f"{info}/METADATA", metadata), Member(f"{info}/WHEEL", b"Wheel-Version: 1.0\n"), *more]
    members = [member for member in usual if member.name != f"{info}/{without}"]
    if without != "RECORD":
        members.append(Member(f"{info}/RECORD", record(*members).content.replace(INFO.encode(), info.encode())))
    return raw_zip(members)
