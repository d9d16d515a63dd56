"""The platforms whose wheels PyPI takes."""

from __future__ import annotations

import re

_FIXED = frozenset(
    {
        "any",
        "win32",
        "win_arm64",
        "win_amd64",
        "win_ia64",
        "manylinux1_x86_64",
        "manylinux1_i686",
        "manylinux2010_x86_64",
        "manylinux2010_i686",
        "manylinux2014_x86_64",
        "manylinux2014_i686",
        "manylinux2014_aarch64",
        "manylinux2014_armv7l",
        "manylinux2014_ppc64",
        "manylinux2014_ppc64le",
        "manylinux2014_s390x",
        "linux_armv6l",
        "linux_armv7l",
    }
)

_MAC_ARCHITECTURES = "ppc|ppc64|i386|x86_64|arm64|intel|fat|fat3|fat64|universal|universal2"
_LINUX_ARCHITECTURES = "x86_64|i686|aarch64|armv7l|ppc64le|s390x|riscv64"

_VERSIONED = re.compile(
    rf"""
    macosx_(?:10_[0-9]+|(?:11|12|13|14|15|26)_0)_(?:{_MAC_ARCHITECTURES})
    | manylinux_[0-9]+_[0-9]+_(?:{_LINUX_ARCHITECTURES}|ppc64)
    | musllinux_[0-9]+_[0-9]+_(?:{_LINUX_ARCHITECTURES})
    | ios_[0-9]+_[0-9]+_(?:arm64|x86_64)_(?:iphoneos|iphonesimulator)
    | android_[0-9]+_(?:armeabi_v7a|arm64_v8a|x86|x86_64)
    | pyemscripten_[0-9]+_[0-9]+_wasm32
    """,
    re.VERBOSE,
)


def is_public_platform(tag: str) -> bool:
    """Say whether wheels of this platform run on more machines than the one they were built on, by PyPI's list."""
    return tag in _FIXED or _VERSIONED.fullmatch(tag) is not None
