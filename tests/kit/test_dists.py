import base64
import csv
import hashlib
import io
import tarfile
import zipfile
import zlib

import pytest
from packaging.metadata import Metadata
from packaging.utils import parse_sdist_filename, parse_wheel_filename
from packaging.version import Version

from tests.kit.dists import sdist, wheel


def test_record_lists_every_member_with_its_digest() -> None:
    dist = wheel("Demo.Pkg", "1.0", extra_files={"demo_pkg/data.txt": b"data"}, size=5000)
    with zipfile.ZipFile(io.BytesIO(dist.content)) as archive:
        rows = list(csv.reader(archive.read("demo_pkg-1.0.dist-info/RECORD").decode().splitlines()))
        assert [path for path, _, _ in rows] == archive.namelist()
        for path, digest, size in rows[:-1]:
            content = archive.read(path)
            raw = hashlib.sha256(content).digest()
            assert digest == f"sha256={base64.urlsafe_b64encode(raw).rstrip(b'=').decode()}"
            assert int(size) == len(content)


def test_metadata_is_what_was_asked_for() -> None:
    dist = wheel("Demo.Pkg", "1.0", requires=["other>=2"], requires_python=">=3.9", summary="Says it")
    assert dist.metadata is not None
    metadata = Metadata.from_email(dist.metadata)
    assert (metadata.name, metadata.version, metadata.summary) == ("Demo.Pkg", Version("1.0"), "Says it")
    assert [str(one) for one in metadata.requires_dist or []] == ["other>=2"]
    assert str(metadata.requires_python) == dist.requires_python == ">=3.9"
    with zipfile.ZipFile(io.BytesIO(dist.content)) as archive:
        assert archive.read("demo_pkg-1.0.dist-info/METADATA") == dist.metadata
    assert dist.metadata_sha256 == hashlib.sha256(dist.metadata).hexdigest()


def test_filenames_are_canonical() -> None:
    name, version, _, _ = parse_wheel_filename(wheel("Demo.Pkg", "1.0-RC1").filename)
    assert (name, version) == ("demo-pkg", Version("1.0rc1"))
    assert parse_sdist_filename(sdist("Demo.Pkg", "2").filename) == ("demo-pkg", Version("2"))


@pytest.mark.parametrize("make", [wheel, sdist])
def test_equal_arguments_give_equal_bytes(make: type) -> None:
    assert make("demo", "1.0").sha256 == make("demo", "1.0").sha256
    assert make("demo", "1.0").sha256 != make("demo", "1.1").sha256


def test_padding_does_not_compress() -> None:
    dist = wheel("big", size=3 * 2**20 + 1)
    assert len(dist.content) > 3 * 2**20
    assert len(zlib.compress(dist.content)) > 3 * 2**20


def test_sdist_has_one_root_and_no_core_metadata() -> None:
    dist = sdist("demo", extra_files={"docs/index.txt": b"hello"})
    with tarfile.open(fileobj=io.BytesIO(dist.content)) as archive:
        names = archive.getnames()
    assert {name.partition("/")[0] for name in names} == {"demo-1.0"}
    assert {"demo-1.0/PKG-INFO", "demo-1.0/docs/index.txt"} <= set(names)
    assert dist.metadata is None
    assert dist.metadata_sha256 is None
