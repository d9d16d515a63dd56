"""
Real wheels and source distributions, made in memory from the standard library alone.

    demo = wheel("Demo.Pkg", "1.0", requires=["other>=2"], requires_python=">=3.9")
    path.joinpath(demo.filename).write_bytes(demo.content)  # pip installs it, `import demo_pkg` works
    big = wheel("big", "1", size=64 * 2**20)  # at least that many bytes, none of which compress

Equal arguments give equal bytes, so a digest may be written into a test.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import random
import re
import tarfile
import zipfile
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from packaging.utils import canonicalize_name
from packaging.version import Version

from pypid.domain.names import NormalizedName, normalize_name

_BLOCK = 2**20
_NO_FILES: Mapping[str, bytes] = {}

_WHEEL = b"""\
Wheel-Version: 1.0
Generator: pypid-tests
Root-Is-Purelib: true
Tag: py3-none-any
"""

_PYPROJECT = b"""\
[build-system]
requires = []
build-backend = "in_tree_backend"
backend-path = ["."]
"""

# What `wheel` below does, in the few lines that an installer needs to build the sdist off-line.
_BACKEND = """\
import os, zipfile

MODULE, VERSION = {module!r}, {version!r}
INFO = f"{{MODULE}}-{{VERSION}}.dist-info"


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    with open("PKG-INFO") as f:
        members = {{f"{{INFO}}/METADATA": f.read(), f"{{INFO}}/WHEEL": {wheel!r}}}
    with open(f"{{MODULE}}/__init__.py") as f:
        members[f"{{MODULE}}/__init__.py"] = f.read()
    members[f"{{INFO}}/RECORD"] = "".join(f"{{name}},,\\n" for name in [*members, f"{{INFO}}/RECORD"])
    filename = f"{{MODULE}}-{{VERSION}}-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(wheel_directory, filename), "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return filename
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dist:
    """One distribution file, and what an index says about it."""

    filename: str
    project: NormalizedName
    version: str
    content: bytes = field(repr=False)
    requires_python: str | None = None
    metadata: bytes | None = field(default=None, repr=False)
    """The wheel's METADATA; None for an sdist, as at PyPI."""
    sha256: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sha256", hashlib.sha256(self.content).hexdigest())

    @property
    def metadata_sha256(self) -> str | None:
        return None if self.metadata is None else hashlib.sha256(self.metadata).hexdigest()

    @property
    def module(self) -> str:
        """The name to import once the distribution is installed."""
        return _module_of(self.project)


def wheel(
    name: str,
    version: str = "1.0",
    *,
    requires: Sequence[str] = (),
    requires_python: str | None = None,
    summary: str = "A test distribution",
    extra_files: Mapping[str, bytes] = _NO_FILES,
    size: int | None = None,
) -> Dist:
    """
    Make a pure Python wheel with one module.

    ``extra_files`` are stored under the paths given, from the root of the
    archive; ``size`` pads it to at least so many bytes.
    """
    version = str(Version(version))
    module = _module_of(name)
    info = f"{module}-{version}.dist-info"
    metadata = _metadata(name, version, requires=requires, requires_python=requires_python, summary=summary)
    members = {f"{module}/__init__.py": _source(version), **extra_files}
    members |= {f"{info}/METADATA": metadata, f"{info}/WHEEL": _WHEEL}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        record = [_store(archive, path, [content]) for path, content in members.items()]
        if size is not None:
            record.append(_store(archive, f"{module}/padding.bin", _incompressible(size, f"{module} {version}")))
        lines = "".join([*record, f"{info}/RECORD,,\n"])
        _store(archive, f"{info}/RECORD", [lines.encode()])
    return Dist(
        filename=f"{module}-{version}-py3-none-any.whl",
        project=normalize_name(name),
        version=version,
        content=buffer.getvalue(),
        requires_python=requires_python,
        metadata=metadata,
    )


def sdist(
    name: str,
    version: str = "1.0",
    *,
    requires: Sequence[str] = (),
    requires_python: str | None = None,
    summary: str = "A test distribution",
    extra_files: Mapping[str, bytes] = _NO_FILES,
) -> Dist:
    """Make a ``.tar.gz`` with its build backend inside: it builds with no network and nothing else installed."""
    version = str(Version(version))
    module = _module_of(name)
    backend = _BACKEND.format(module=module, version=version, wheel=_WHEEL.decode())
    members = {
        "PKG-INFO": _metadata(name, version, requires=requires, requires_python=requires_python, summary=summary),
        "pyproject.toml": _PYPROJECT,
        "in_tree_backend.py": backend.encode(),
        f"{module}/__init__.py": _source(version),
        **extra_files,
    }
    return Dist(
        filename=f"{module}-{version}.tar.gz",
        project=normalize_name(name),
        version=version,
        content=_tar_gz(f"{module}-{version}", members),
        requires_python=requires_python,
    )


def _module_of(name: str) -> str:
    return re.sub("-", "_", canonicalize_name(name))


def _source(version: str) -> bytes:
    return f'__version__ = "{version}"\n'.encode()


def _metadata(name: str, version: str, *, requires: Sequence[str], requires_python: str | None, summary: str) -> bytes:
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", f"Summary: {summary}"]
    if requires_python is not None:
        lines.append(f"Requires-Python: {requires_python}")
    lines += [f"Requires-Dist: {requirement}" for requirement in requires]
    return "".join(f"{line}\n" for line in lines).encode()


def _store(archive: zipfile.ZipFile, path: str, blocks: Iterator[bytes] | Sequence[bytes]) -> str:
    """Write one member, without compression; return its line of RECORD."""
    # ZipInfo's default date is the format's first day, so the bytes do not depend on today.
    info = zipfile.ZipInfo(path)
    info.external_attr = 0o644 << 16
    digest, length = hashlib.sha256(), 0
    with archive.open(info, "w") as member:
        for block in blocks:
            member.write(block)
            digest.update(block)
            length += len(block)
    encoded = urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()
    return f"{path},sha256={encoded},{length}\n"


def _incompressible(size: int, seed: str) -> Iterator[bytes]:
    """Yield ``size`` bytes: slices of random bytes, far longer than a compressor of archives looks back."""
    source = random.Random(seed)
    pool = source.randbytes(2 * _BLOCK)
    for start in range(0, size, _BLOCK):
        offset = source.randrange(_BLOCK)
        yield pool[offset : offset + min(_BLOCK, size - start)]


def _tar_gz(root: str, members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with (
        gzip.GzipFile("", "wb", fileobj=buffer, mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w") as tar,
    ):
        for path, content in members.items():
            info = tarfile.TarInfo(f"{root}/{path}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()
