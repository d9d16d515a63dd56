"""B53, B63: what a source distribution must be, at each level."""

from __future__ import annotations

import tarfile

import pytest

from pypid.domain.validation.findings import Level
from tests.domain.validation.verdicts import SDIST, effects, verdict
from tests.kit.dists import sdist
from tests.kit.tars import PKG_INFO, ROOT, pkg_info, tar_gz, tar_member
from tests.kit.zips import Member, raw_zip


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("name", ["demo", "Demo.Pkg", "a-b-c"])
def test_the_kit_makes_good_ones(level: Level, name: str) -> None:
    made = sdist(name, requires=["other>=2"], requires_python=">=3.9", extra_files={"docs/index.rst": b"hello"})
    said = verdict(made.content, made.filename, level)
    assert (said.problems, said.warnings) == ((), ())
    assert said.headline.requires_python == ">=3.9"


@pytest.mark.parametrize(
    ("filename", "right"),
    [("Demo-1.0.tar.gz", "demo-1.0.tar.gz"), ("demo-01.0.tar.gz", "demo-1.0.tar.gz")],
)
def test_filename_that_is_not_normalized(filename: str, right: str) -> None:
    """B51"""
    assert effects(tar_gz(pkg_info()), filename, f"Filename '{filename}' is invalid, should be '{right}'.") == "rwi"


def test_name_and_version_are_those_of_the_filename() -> None:
    for filename in ("other-1.0.tar.gz", "demo-2.0.tar.gz"):
        assert effects(tar_gz(pkg_info()), filename, "Its metadata says it is 'demo' '1.0'") == "rrr"


def test_zip() -> None:
    """PyPI takes none since PEP 625; a team may have old ones."""
    content = raw_zip([Member(f"{ROOT}/"), Member(f"{ROOT}/PKG-INFO", PKG_INFO), Member(f"{ROOT}/setup.py")])
    assert effects(content, "demo-1.0.zip", "is invalid, should be 'demo-1.0.tar.gz'.") == "rrw"
    assert verdict(content, "demo-1.0.zip", Level.LENIENT).metadata == PKG_INFO
    assert effects(raw_zip([Member("PKG-INFO", PKG_INFO)]), "demo-1.0.zip", "Incorrect number of top-level") == "rrr"
    assert effects(tar_gz(pkg_info()), "demo-1.0.zip", "File is not a zipfile") == "rrr"
    packed = [Member(f"{ROOT}/PKG-INFO", PKG_INFO), Member(f"{ROOT}/setup.py", b"BZh9", method=12)]
    assert effects(raw_zip(packed), "demo-1.0.zip", "does not use a supported compression type") == "rrw"
    packed = [Member(f"{ROOT}/PKG-INFO", PKG_INFO, method=12)]
    assert effects(raw_zip(packed), "demo-1.0.zip", "PKG-INFO' does not use a supported compression") == "rrr"


def test_no_metadata() -> None:
    assert effects(tar_gz(tar_member(f"{ROOT}/a")), SDIST, f"PKG-INFO not found at {ROOT}/PKG-INFO.") == "rrw"
    inside = tar_gz(tar_member(f"{ROOT}/demo.egg-info/PKG-INFO", PKG_INFO))
    assert effects(inside, SDIST, f"PKG-INFO not found at {ROOT}/PKG-INFO.") == "rrw"


@pytest.mark.parametrize(
    ("member", "text", "expected"),
    [
        (tar_member(f"{ROOT}/a\\b"), "has a backslash", "rrw"),
        (tar_member(f"{ROOT}//a"), "is not the shortest path", "rrw"),
        (tar_member(f"{ROOT}/a\nb"), "has control characters", "rrw"),
        (tar_member(f"{ROOT}/pkg-info"), "are one file where case does not count", "wwi"),
        (tar_member(f"{ROOT}/a") * 2, "'demo-1.0/a' is there more than once.", "wwi"),
        (tar_member(f"{ROOT}/d", kind=tarfile.DIRTYPE) * 2, "is there more than once", "iii"),
    ],
)
def test_members(member: bytes, text: str, expected: str) -> None:
    assert effects(tar_gz(pkg_info(), member), SDIST, text) == expected


def test_top_level_directory_of_another_name() -> None:
    text = "The top-level directory 'demo' should be 'demo-1.0'."
    assert effects(tar_gz(pkg_info("demo")), SDIST, text) == "wwi"
    assert verdict(tar_gz(pkg_info("demo")), SDIST).metadata == PKG_INFO
