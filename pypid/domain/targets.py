"""A Python on a platform: which wheels fit it, and which markers hold there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain

from packaging.markers import Marker
from packaging.specifiers import SpecifierSet
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms
from packaging.version import Version

from pypid.domain.names import shorten

_PYTHON = re.compile(r"3\.(\d{1,3})(?:\.\d{1,3})?(t?)", re.ASCII)
_MANYLINUX = re.compile(r"manylinux_2_(\d{1,3})_([a-z0-9_]+)", re.ASCII)
_MUSLLINUX = re.compile(r"musllinux_1_(\d{1,3})_([a-z0-9_]+)", re.ASCII)
_MACOS = re.compile(r"macosx_(\d{1,3})_(\d{1,3})_(arm64|x86_64)", re.ASCII)

_OLD_MANYLINUX = {"manylinux1": 5, "manylinux2010": 12, "manylinux2014": 17}
"""The names before PEP 600, and the minor version of the glibc 2 that each stands for."""

_OLDEST_GLIBC = 5
"""The minor version that the first manylinux wheels were built for."""

_WINDOWS = {"win32": "x86", "win_amd64": "AMD64", "win_arm64": "ARM64"}
"""Platform tags, and what ``platform_machine`` is there."""


class InvalidTarget(ValueError):
    """The text is no Python or no platform that wheels are made for; the message says what was expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """An operating system on a kind of machine."""

    name: str
    tags: tuple[str, ...]
    """The platform tags of the wheels that run there, best first."""
    markers: Mapping[str, str]
    """The marker variables that it decides."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Target:
    """A CPython on a platform."""

    name: str
    """For people: ``Python 3.12 on win_amd64``."""
    python: Version
    ranks: Mapping[Tag, int] = field(repr=False)
    """Every tag of a wheel that fits; the lowest is the best."""
    markers: Mapping[str, str]

    def rank(self, tags: Iterable[Tag]) -> int | None:
        """Return how well a wheel with these tags fits, less being better; None: not at all."""
        return min((self.ranks[tag] for tag in tags if tag in self.ranks), default=None)

    def allows(self, requires_python: str | None) -> bool:
        """Say whether this Python is in ``requires_python``; what is no specifier says nothing, as in pip."""
        try:
            return SpecifierSet(requires_python or "").contains(self.python, prereleases=True)
        except ValueError:
            return True

    def holds(
        self, marker: Marker | None, *, extras: frozenset[str] = frozenset(), groups: frozenset[str] = frozenset()
    ) -> bool:
        """Say whether ``marker`` holds here with no extra or any of ``extras``; in doubt it does."""
        if marker is None:
            return True
        lock = {"extras": extras, "dependency_groups": groups}
        try:
            return any(marker.evaluate({**self.markers, **lock, "extra": extra}) for extra in ("", *sorted(extras)))
        except ValueError:
            return True


def make_target(python: str, platform: Platform) -> Target:
    """
    Return the target for ``3.12``, ``3.12.4`` or, free-threaded, ``3.13t``.

    Without its third number it is the first of its kind, as for pip and uv. Raises `InvalidTarget`.
    """
    match = _PYTHON.fullmatch(python)
    if match is None:
        raise InvalidTarget(f"expected a version of Python such as 3.12 or 3.13t, got {shorten(python)}")
    version = Version(python.removesuffix("t"))
    release = (3, int(match[1]))
    interpreter = f"cp3{match[1]}"
    tags = chain(
        cpython_tags(release, [interpreter + match[2]], platform.tags),
        compatible_tags(release, interpreter, platform.tags),
    )
    full = f"{version.major}.{version.minor}.{version.micro}"
    markers = {
        "implementation_name": "cpython",
        "implementation_version": full,
        "platform_python_implementation": "CPython",
        "python_full_version": full,
        "python_version": f"3.{match[1]}",
    }
    return Target(
        name=f"Python {python} on {platform.name}",
        python=Version(full),
        ranks={tag: rank for rank, tag in enumerate(dict.fromkeys(tags))},
        markers={**platform.markers, **markers},
    )


def parse_platform(text: str) -> Platform:
    """
    Return the platform whose newest wheels have the tag ``text``: ``manylinux_2_28_x86_64``.

    Wheels for an older C library or macOS are among its own. Raises `InvalidTarget`.
    """
    name, _, machine = text.partition("_")
    if name in _OLD_MANYLINUX:
        return parse_platform(f"manylinux_2_{_OLD_MANYLINUX[name]}_{machine}")
    if match := _MANYLINUX.fullmatch(text):
        return _linux(text, match[2], _manylinux_tags(int(match[1]), match[2]))
    if match := _MUSLLINUX.fullmatch(text):
        return _linux(text, match[2], (f"musllinux_1_{n}_{match[2]}" for n in range(int(match[1]), -1, -1)))
    if match := _MACOS.fullmatch(text):
        tags = tuple(mac_platforms((int(match[1]), int(match[2])), match[3]))
        return Platform(name=text, tags=tags, markers=_markers("posix", "darwin", "Darwin", match[3]))
    if text in _WINDOWS:
        return Platform(name=text, tags=(text,), markers=_markers("nt", "win32", "Windows", _WINDOWS[text]))
    raise InvalidTarget(
        f"expected a platform such as manylinux_2_28_x86_64, musllinux_1_2_aarch64, macosx_14_0_arm64 or win_amd64, "
        f"got {shorten(text)}"
    )


def _manylinux_tags(glibc: int, machine: str) -> Iterable[str]:
    aliases = {minor: name for name, minor in _OLD_MANYLINUX.items()}
    for minor in range(glibc, _OLDEST_GLIBC - 1, -1):
        yield f"manylinux_2_{minor}_{machine}"
        if minor in aliases:
            yield f"{aliases[minor]}_{machine}"


def _linux(name: str, machine: str, tags: Iterable[str]) -> Platform:
    markers = _markers("posix", "linux", "Linux", machine)
    return Platform(name=name, tags=(f"linux_{machine}", *tags), markers=markers)


def _markers(os_name: str, sys_platform: str, system: str, machine: str) -> Mapping[str, str]:
    return {
        "os_name": os_name,
        "platform_machine": machine,
        "platform_release": "",
        "platform_system": system,
        "platform_version": "",
        "sys_platform": sys_platform,
    }
