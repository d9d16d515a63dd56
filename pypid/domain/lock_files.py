"""Lock files: pylock.toml (PEP 751), uv.lock and poetry.lock."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec
from msgspec import Struct, field
from packaging.markers import Marker
from packaging.pylock import PackageSdist, PackageWheel, Pylock, PylockValidationError

from pypid.domain.names import normalize_name
from pypid.domain.wanted import Locked


class InvalidLock(ValueError):
    """The text is no lock file that pypid reads; the message says why."""


@dataclass(frozen=True, slots=True)
class LockFile:
    """What one lock file says."""

    locked: tuple[Locked, ...]
    skipped: tuple[str, ...]
    """A line for each package that no index has."""


class _UvSource(Struct):
    registry: str | None = None
    editable: str | None = None
    virtual: str | None = None


class _UvFile(Struct):
    url: str | None = None
    path: str | None = None
    filename: str | None = None
    hash: str | None = None


class _UvPackage(Struct, rename="kebab"):
    name: str
    source: _UvSource
    version: str = ""
    sdist: _UvFile | None = None
    wheels: list[_UvFile] = []
    resolution_markers: list[str] = []


class _UvLock(Struct):
    version: int
    package: list[_UvPackage] = []


class _PoetryFile(Struct):
    file: str
    hash: str | None = None


class _PoetrySource(Struct):
    type: str = ""


class _PoetryPackage(Struct):
    name: str
    version: str
    files: list[_PoetryFile] = []
    groups: list[str] = []
    markers: str | dict[str, str] = ""
    source: _PoetrySource = field(default_factory=_PoetrySource)


class _PoetryMetadata(Struct, rename="kebab"):
    lock_version: str


class _PoetryLock(Struct):
    metadata: _PoetryMetadata
    package: list[_PoetryPackage] = []
    extras: dict[str, list[str]] = {}


def parse_lock(text: str, name: str) -> LockFile:
    """Return what the lock file ``name``, of whichever kind, says. Raises `InvalidLock`."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as e:
        raise InvalidLock(f"{name}: not TOML: {e}") from e
    return read_lock(document, name)


def read_lock(document: Mapping[str, Any], name: str) -> LockFile:
    """Return what a lock file says whose TOML is read already. Raises `InvalidLock`."""
    try:
        return _reader_of(document)(document, name)
    except (msgspec.ValidationError, PylockValidationError, ValueError) as e:
        raise InvalidLock(f"{name}: {str(e).partition(chr(10))[0]}") from e


def _reader_of(document: Mapping[str, Any]) -> Callable[[Mapping[str, Any], str], LockFile]:
    metadata = document.get("metadata")
    if "lock-version" in document:
        return _read_pylock
    if isinstance(metadata, dict) and "lock-version" in metadata:
        return _read_poetry
    if "version" in document:
        return _read_uv
    raise InvalidLock("neither a pylock.toml nor a uv.lock nor a poetry.lock; other tools can write the first")


def _read_pylock(document: Mapping[str, Any], name: str) -> LockFile:
    lock = Pylock.from_dict(document)
    locked, skipped = [], []
    for package in lock.packages:
        if package.is_direct:
            skipped.append(_not_from_an_index(name, package.name))
            continue
        files: list[PackageWheel | PackageSdist] = [*(package.wheels or ()), *filter(None, [package.sdist])]
        locked.append(
            Locked(
                project=normalize_name(package.name),
                asked_by=name,
                version=str(package.version or ""),
                files={_filename(one.name, one.url, one.path): one.hashes.get("sha256") for one in files},
                markers=(package.marker,) if package.marker else (),
                extras=frozenset(lock.extras or ()),
                groups=frozenset([*(lock.dependency_groups or ()), *(lock.default_groups or ())]),
            )
        )
    return LockFile(tuple(locked), tuple(skipped))


def _read_uv(document: Mapping[str, Any], name: str) -> LockFile:
    lock = msgspec.convert(document, _UvLock)
    if lock.version != 1:
        raise InvalidLock(f"it is version {lock.version} of uv's format; pypid reads version 1")
    locked, skipped = [], []
    for package in lock.package:
        if package.source.registry is not None:
            files = [*package.wheels, *filter(None, [package.sdist])]
            locked.append(
                Locked(
                    project=normalize_name(package.name),
                    asked_by=name,
                    version=package.version,
                    files={_filename(one.filename, one.url, one.path): _sha256(one.hash) for one in files},
                    markers=_uv_markers(package.resolution_markers),
                )
            )
        elif package.source.editable is None and package.source.virtual is None:
            # Those two are the project that was locked, and its workspace.
            skipped.append(_not_from_an_index(name, package.name))
    return LockFile(tuple(locked), tuple(skipped))


def _read_poetry(document: Mapping[str, Any], name: str) -> LockFile:
    lock = msgspec.convert(document, _PoetryLock)
    if not lock.metadata.lock_version.startswith("2."):
        version = lock.metadata.lock_version
        raise InvalidLock(f"it is version {version} of poetry's format; pypid reads 2: run `poetry lock`")
    locked, skipped = [], []
    for package in lock.package:
        if package.source.type not in {"", "legacy"}:  # "legacy": an index other than the default one
            skipped.append(_not_from_an_index(name, package.name))
            continue
        markers = [package.markers] if isinstance(package.markers, str) else [*package.markers.values()]
        if isinstance(package.markers, dict) and set(package.groups) - package.markers.keys():
            markers = []  # a group without a marker has it everywhere
        locked.append(
            Locked(
                project=normalize_name(package.name),
                asked_by=name,
                version=package.version,
                files={one.file: _sha256(one.hash) for one in package.files},
                markers=tuple(Marker(text) for text in markers if text),
                extras=frozenset(lock.extras),
            )
        )
    return LockFile(tuple(locked), tuple(skipped))


def _uv_markers(texts: Sequence[str]) -> tuple[Marker, ...]:
    # Some name extras in uv's own way: not to know them is to take the package everywhere.
    return () if any("extra" in text for text in texts) else tuple(Marker(text) for text in texts)


def _filename(*places: str | None) -> str:
    """Return the last part of the first of these, names and then URLs or paths, that there is."""
    place = next(filter(None, places), "")
    path = unquote(urlsplit(place).path) if "://" in place else place
    return path.replace("\\", "/").rpartition("/")[2]


def _sha256(text: str | None) -> str | None:
    kind, _, digest = (text or "").partition(":")
    return digest.lower() if kind == "sha256" else None


def _not_from_an_index(name: str, project: str) -> str:
    return f"{name}: {project} is not from an index"
