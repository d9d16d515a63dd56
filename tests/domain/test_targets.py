"""Which wheels fit a Python on a platform, and which markers hold there."""

from __future__ import annotations

import pytest
from packaging.markers import Marker
from packaging.tags import parse_tag

from pypid.domain.targets import InvalidTarget, Target, make_target, parse_platform

X = frozenset({"x", "y"})


def target(python: str = "3.12", platform: str = "manylinux_2_28_x86_64") -> Target:
    return make_target(python, parse_platform(platform))


WHEELS = {
    ("3.12", "manylinux_2_28_x86_64"): (
        """
        cp312-cp312-manylinux_2_28_x86_64 cp312-cp312-manylinux2014_x86_64 cp312-cp312-manylinux1_x86_64
        cp39-abi3-manylinux_2_17_x86_64 py3-none-manylinux_2_5_x86_64 cp312-none-any py3-none-any py2.py3-none-any
        """,
        """
        cp311-cp311-manylinux_2_28_x86_64 cp312-cp312-manylinux_2_29_x86_64 cp312-cp312-manylinux_2_28_aarch64
        cp312-cp312-musllinux_1_2_x86_64 cp313-abi3-manylinux_2_17_x86_64 cp312-cp312t-manylinux_2_28_x86_64
        cp312-cp312-win_amd64 py2-none-any pp310-pypy310_pp73-manylinux_2_28_x86_64
        """,
    ),
    ("3.12", "manylinux2014_aarch64"): (
        "cp312-cp312-manylinux_2_17_aarch64 cp312-cp312-linux_aarch64",
        "cp312-cp312-manylinux_2_18_aarch64",
    ),
    ("3.13t", "musllinux_1_2_aarch64"): (
        "cp313-cp313t-musllinux_1_1_aarch64 py3-none-any",
        "cp313-cp313-musllinux_1_1_aarch64 cp39-abi3-musllinux_1_1_aarch64 cp313-cp313t-manylinux_2_17_aarch64",
    ),
    ("3.10.4", "macosx_14_0_arm64"): (
        "cp310-cp310-macosx_11_0_arm64 cp310-cp310-macosx_10_9_universal2 cp310-abi3-macosx_14_0_arm64",
        "cp310-cp310-macosx_15_0_arm64 cp310-cp310-macosx_10_9_x86_64",
    ),
    ("3.11", "win_amd64"): ("cp311-cp311-win_amd64 cp37-abi3-win_amd64", "cp311-cp311-win32"),
}
"""For a Python and a platform: tags that fit, and tags that do not."""


@pytest.mark.parametrize(("python", "platform", "good", "bad"), [(*here, *tags) for here, tags in WHEELS.items()])
def test_wheels(python: str, platform: str, good: str, bad: str) -> None:
    here = target(python, platform)
    for tag in good.split():
        assert here.rank(parse_tag(tag)) is not None, tag
    for tag in bad.split():
        assert here.rank(parse_tag(tag)) is None, tag


def test_the_more_special_wheel_is_better() -> None:
    best_first = """
        cp312-cp312-manylinux_2_28_x86_64 cp312-cp312-manylinux_2_17_x86_64 cp312-cp312-manylinux2014_x86_64
        cp312-abi3-manylinux_2_28_x86_64 cp39-abi3-manylinux_2_28_x86_64 py3-none-manylinux_2_28_x86_64 py3-none-any
    """
    here = target()
    ranks = [here.rank(parse_tag(tag)) or 0 for tag in best_first.split()]
    assert ranks == sorted(set(ranks))


@pytest.mark.parametrize(
    ("python", "platform", "marker"),
    [
        ("3.12", "manylinux_2_28_x86_64", "sys_platform == 'linux' and platform_machine == 'x86_64'"),
        ("3.12", "musllinux_1_2_i686", "os_name == 'posix' and platform_system == 'Linux'"),
        ("3.12", "macosx_14_0_arm64", "sys_platform == 'darwin' and platform_system == 'Darwin'"),
        ("3.12", "win_amd64", "os_name == 'nt' and sys_platform == 'win32' and platform_machine == 'AMD64'"),
        ("3.12", "win32", "platform_system == 'Windows' and platform_machine == 'x86'"),
        ("3.9", "win32", "python_version < '3.10' and python_full_version == '3.9.0'"),
        ("3.13.2t", "win32", "python_full_version == '3.13.2' and implementation_name == 'cpython'"),
        ("3.12", "win32", "platform_python_implementation == 'CPython' and platform_release == ''"),
    ],
)
def test_markers(python: str, platform: str, marker: str) -> None:
    here = target(python, platform)
    assert here.holds(Marker(marker))
    assert not here.holds(Marker(f"({marker}) and sys_platform == 'plan9'"))


def test_extras_and_groups() -> None:
    here = target()
    assert here.holds(None)
    assert here.holds(Marker("extra == 'x'"), extras=X)
    assert not here.holds(Marker("extra == 'z'"), extras=X)
    assert here.holds(Marker("'x' in extras and 'dev' in dependency_groups"), extras=X, groups=frozenset({"dev"}))
    assert not here.holds(Marker("'dev' in dependency_groups"))


def test_requires_python() -> None:
    here = target("3.12")
    assert here.allows(None)
    assert here.allows(">=3.12,<4")
    assert not here.allows(">=3.12.1")
    assert not here.allows("<3.12")
    assert here.allows("three")
    assert here.allows(f"<{'9' * 5000}")


@pytest.mark.parametrize("python", ["", "3", "2.7", "3.12rc1", "3.x", "cp312", "3.1234", "3.12\n", "\u0663.12"])
def test_what_is_no_python(python: str) -> None:
    with pytest.raises(InvalidTarget, match=r"such as 3\.12"):
        make_target(python, parse_platform("win32"))


@pytest.mark.parametrize("platform", ["", "any", "linux_x86_64", "manylinux_x86_64", "win64", "macosx_14_0_sparc"])
def test_what_is_no_platform(platform: str) -> None:
    with pytest.raises(InvalidTarget, match="such as manylinux_2_28_x86_64"):
        parse_platform(platform)
