"""The Python and the platform that pypid runs on, against what packaging itself says of them."""

from __future__ import annotations

import platform

import pytest
from packaging.markers import Marker, default_environment
from packaging.tags import platform_tags, sys_tags

from pypid.cli.this_machine import this_platform, this_python
from pypid.domain.targets import make_target, parse_platform


def test_the_tags_and_their_order() -> None:
    assert list(make_target(this_python(), this_platform()).ranks) == list(dict.fromkeys(sys_tags()))


def test_the_markers() -> None:
    here = make_target(this_python(), this_platform())
    for name, value in default_environment().items():
        if name != "implementation_version":  # which knows of release candidates
            assert here.holds(Marker(f"{name} == {str(value)!r}")), name


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="manylinux tags are for glibc")
def test_the_platform_by_its_name() -> None:
    glibc = platform.libc_ver()[1].replace(".", "_")
    assert parse_platform(f"manylinux_{glibc}_{platform.machine()}").tags == tuple(platform_tags())
