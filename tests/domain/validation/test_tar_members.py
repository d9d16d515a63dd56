"""B62, B63, B65: source distributions that are one archive for every reader, and those that are not."""

from __future__ import annotations

import gzip
import tarfile

import pytest

from pypid.domain.validation import gzip_stream, tar_members
from tests.domain.validation.verdicts import SDIST, effects, verdict
from tests.kit.dists import sdist
from tests.kit.tars import PKG_INFO, ROOT, changed_header, packed, pkg_info, tar_gz, tar_member
from tests.kit.zips import Member, raw_zip

LONG = f"{ROOT}/{'d' * 90}/{'f' * 90}"
SPARSE = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0"}
A_HEADER = tar_member(f"{ROOT}/a")

ACCEPTED = {
    "directories": tar_gz(
        tar_member(ROOT, kind=tarfile.DIRTYPE), pkg_info(), tar_member(f"{ROOT}/d/", kind=tarfile.DIRTYPE)
    ),
    "directory of old": tar_gz(pkg_info(), tar_member(f"{ROOT}/d/", kind=tarfile.AREGTYPE)),
    "long name, gnu": tar_gz(pkg_info(), tar_member(LONG, b"x", form=tarfile.GNU_FORMAT)),
    "long name, ustar": tar_gz(pkg_info(), tar_member(LONG, b"x", form=tarfile.USTAR_FORMAT)),
    "long name, pax": tar_gz(pkg_info(), tar_member(LONG, b"x", pax={"mtime": "1.5"})),
    "name that is not ascii": tar_gz(pkg_info(), tar_member(f"{ROOT}/gr\u00fc\u00df", pax={"comment": "x"})),
    "comment for all": tar_gz(tarfile.TarInfo.create_pax_global_header({"comment": "abcdef"}), pkg_info()),
    "link inside": tar_gz(pkg_info(), tar_member(f"{ROOT}/d/l", kind=tarfile.SYMTYPE, target="../PKG-INFO")),
    "hard link inside": tar_gz(pkg_info(), tar_member(f"{ROOT}/l", kind=tarfile.LNKTYPE, target=f"{ROOT}/PKG-INFO")),
    "no blocks at the end": tar_gz(pkg_info(), end=b""),
    "much padding": tar_gz(pkg_info(), end=bytes(20 * 512)),
}

REFUSED = {
    "not gzipped": (pkg_info() + bytes(1024), "File is not a tarfile"),
    "nothing": (b"", "File is not a tarfile"),
    "empty": (packed(b""), "File is not a tarfile"),
    "no tar": (packed(b"hello" * 1000), "A number that is none"),
    "a zip as well": (tar_gz(pkg_info()) + raw_zip([Member("a")]), "File is both a zip and a tar file"),
    "a zip64 as well": (tar_gz(pkg_info()) + raw_zip([Member("a")], zip64={}), "File is both a zip and a tar file"),
    "two streams": (tar_gz(pkg_info()) + packed(b"x"), "data behind the end of the gzip stream"),
    "something behind": (tar_gz(pkg_info()) + b"x", "data behind the end of the gzip stream"),
    "wrong checksum of the stream": (tar_gz(pkg_info())[:-8] + bytes(8), "File is damaged"),
    "an archive behind": (tar_gz(pkg_info(), bytes(1024), A_HEADER), "Trailing data"),
    "a member behind one empty block": (tar_gz(pkg_info(), bytes(512), A_HEADER), "Trailing data"),
    "header of another checksum": (tar_gz(pkg_info(), b"x" + A_HEADER[1:]), "A damaged header"),
    "header that is cut off": (tar_gz(pkg_info(), A_HEADER[:100], end=b""), "Trailing data"),
    "content that is cut off": (tar_gz(pkg_info(), tar_member(f"{ROOT}/a", size=9999)), "File is cut off"),
    "sparse": (tar_gz(pkg_info(), tar_member(f"{ROOT}/a", kind=b"S")), "Sparse members are not allowed"),
    "sparse by pax": (tar_gz(pkg_info(), tar_member(f"{ROOT}/a", pax=SPARSE)), "Sparse members are not allowed"),
    "unknown type": (tar_gz(pkg_info(), tar_member(f"{ROOT}/a", kind=b"V")), "unknown type b'V'"),
    "negative size": (tar_gz(pkg_info(), changed_header(A_HEADER, 124, b"\xff" * 12)), "A number that is none"),
    "size in letters": (tar_gz(pkg_info(), changed_header(A_HEADER, 124, b"abc\0")), "A number that is none"),
    "time in letters": (tar_gz(pkg_info(), changed_header(A_HEADER, 136, b"noon\0")), "A number that is none"),
    "device in letters": (tar_gz(pkg_info(), changed_header(A_HEADER, 329, b"tty\0")), "A number that is none"),
    "endless size": (tar_gz(pkg_info(), changed_header(A_HEADER, 124, b"\x80" + b"\xff" * 11)), "File is cut off"),
    "negative size by pax": (tar_gz(pkg_info(), tar_member(f"{ROOT}/a", pax={"size": "-1"})), "A number that is none"),
    "file with a slash": (tar_gz(pkg_info(), tar_member(f"{ROOT}/a/")), "understand differently"),
    "directory with content": (
        tar_gz(pkg_info(), tar_member(f"{ROOT}/d", PKG_INFO, kind=tarfile.DIRTYPE)),
        "Content where there can be none",
    ),
    "two names": (
        tar_gz(pkg_info(), tar_member(LONG)[:1024], tar_member(LONG + "x", pax={"path": LONG + "y"})),
        "Headers that readers understand differently",
    ),
    "prefix of old tar": (tar_gz(pkg_info(), changed_header(A_HEADER, 345, b"evil")), "understand differently"),
    "one name for all": (
        tar_gz(tarfile.TarInfo.create_pax_global_header({"path": f"{ROOT}/a"}), pkg_info()),
        "names or measures all members at once",
    ),
    "other encoding": (tar_gz(pkg_info(), tar_member(f"{ROOT}/a", pax={"hdrcharset": "BINARY"})), "differently"),
    "header without a member": (tar_gz(pkg_info(), tar_member(LONG)[:1024]), "Its last header has no member"),
    "a device": (tar_gz(pkg_info(), tar_member(f"{ROOT}/a", kind=tarfile.CHRTYPE)), "is a device or a pipe"),
    "a pipe": (tar_gz(pkg_info(), tar_member(f"{ROOT}/a", kind=tarfile.FIFOTYPE)), "is a device or a pipe"),
    "two metadata": (tar_gz(pkg_info(), pkg_info()), "is there more than once"),
    "metadata that is a link": (
        tar_gz(tar_member(f"{ROOT}/PKG-INFO", kind=tarfile.SYMTYPE, target="a"), A_HEADER),
        "is there more than once, or is no file",
    ),
    "two directories": (tar_gz(pkg_info(), pkg_info("other-1.0")), "Incorrect number of top-level directories"),
    "no directory": (tar_gz(tar_member("PKG-INFO", PKG_INFO)), "Incorrect number of top-level directories"),
}  # fmt: skip

OUTSIDE = ("/abs", "../up", f"{ROOT}/../../up", "~/home", "C:/windows", f"{ROOT}/..\\..\\up")

LINKS = {
    "absolute": [("l", tarfile.SYMTYPE, "/etc/passwd")],
    "up": [("l", tarfile.SYMTYPE, "../x")],
    "up and down again": [("l", tarfile.SYMTYPE, f"../{ROOT}x/PKG-INFO")],
    "hard, absolute": [("l", tarfile.LNKTYPE, "/etc/passwd")],
    "hard, to another directory": [("l", tarfile.LNKTYPE, "other/PKG-INFO")],
    "empty": [("l", tarfile.SYMTYPE, "")],
    "through another": [("d/here", tarfile.SYMTYPE, "."), ("d/l", tarfile.SYMTYPE, "here/../../PKG-INFO")],
    "in a linked directory": [("d/e/here", tarfile.SYMTYPE, ".."), ("d/e/here/l", tarfile.SYMTYPE, "../x")],
}


@pytest.mark.parametrize("content", ACCEPTED.values(), ids=ACCEPTED)
def test_one_reading(content: bytes) -> None:
    said = verdict(content, SDIST)
    assert said.problems == ()
    assert said.metadata == PKG_INFO


@pytest.mark.parametrize(("content", "why"), REFUSED.values(), ids=REFUSED)
def test_refused_at_every_level(content: bytes, why: str) -> None:
    assert effects(content, SDIST, why) == "rrr"


@pytest.mark.parametrize("path", OUTSIDE)
def test_path_that_leads_out(path: str) -> None:
    assert effects(tar_gz(pkg_info(), tar_member(path)), SDIST, "leads out of the archive") == "rrr"


@pytest.mark.parametrize("links", LINKS.values(), ids=LINKS)
def test_link_that_leads_out(links: list[tuple[str, bytes, str]]) -> None:
    members = [tar_member(f"{ROOT}/{path}", kind=kind, target=target) for path, kind, target in links]
    assert effects(tar_gz(pkg_info(), *members), SDIST, " link") == "rrr"


def test_bomb_is_unpacked_no_further_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gzip_stream, "FREE_SIZE", 2**20)
    content = tar_gz(pkg_info(), tar_member(f"{ROOT}/zeros", bytes(4 * 2**20)))
    assert effects(content, SDIST, "File exceeds compression ratio of 50") == "rrr"
    # Four bytes short of the end, so that who unpacks it all would say something else.
    assert effects(content[:-4], SDIST, "File exceeds compression ratio of 50") == "rrr"


def test_extended_header_of_any_length() -> None:
    """It is refused by its size, before it is read."""
    for kind in (b"x", b"g", b"L", b"K"):
        header = changed_header(tar_member("x", kind=kind), 124, b"%011o\0" % (tar_members.MAX_HEADER + 1))
        assert effects(tar_gz(header), SDIST, "An extended header of more than") == "rrr"


def test_many_members(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tar_members, "MAX_MEMBERS", 3)
    three = [pkg_info(), A_HEADER, tar_member(f"{ROOT}/b")]
    assert verdict(tar_gz(*three), SDIST).problems == ()
    assert effects(tar_gz(*three, tar_member(f"{ROOT}/c")), SDIST, "More than 3 members") == "rrr"
    headers = [tarfile.TarInfo.create_pax_global_header({"comment": "x"})] * 4
    assert effects(tar_gz(*headers, pkg_info()), SDIST, "More than 3 members") == "rrr"


def test_cut_off_anywhere() -> None:
    content = sdist("demo").content
    for length in range(len(content)):
        assert verdict(content[:length], SDIST).problems, length


def test_gzip_options_are_no_matter() -> None:
    """A name and a comment in the header of the stream, the fastest compression, or none."""
    tar = gzip.decompress(sdist("demo").content)
    for level in (0, 1, 9):
        assert verdict(gzip.compress(tar, level), SDIST).problems == ()
