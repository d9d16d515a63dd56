"""What is demanded of files that lie in a directory, and what is told of them."""

from __future__ import annotations

import io
import tarfile
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypid.domain.loose_files import LooseFile, examined
from pypid.domain.sightings import FileState
from tests.domain.strategies import patient
from tests.kit.dists import Dist, sdist, wheel


def old_sdist(suffix: str, mode: str) -> Dist:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as tar:  # type: ignore[call-overload]  # typeshed has no plain str
        for name, content in (("demo-1.0/PKG-INFO", b"Name: demo\n"), ("demo-1.0/setup.py", b"x" * 5000)):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return Dist(filename=f"demo-1.0{suffix}", project=sdist("demo").project, version="1.0", content=buffer.getvalue())


OLD = [old_sdist(".tar.bz2", "w:bz2"), old_sdist(".tar.xz", "w:xz"), old_sdist(".tar", "w"), old_sdist(".tbz", "w:bz2")]


def found(filename: str, content: bytes = b"", mtime_ns: int = 0) -> LooseFile:
    return LooseFile(path=f"/srv/{filename}", state=FileState(1, len(content), mtime_ns, 0), sha256="0" * 64)


def looked_into(filename: str, content: bytes) -> LooseFile:
    return examined(io.BytesIO(content), found(filename, content))


def test_wheel_says_what_its_page_needs() -> None:
    demo = wheel("demo", requires_python=">=3.9", summary="A demo")
    file = looked_into(demo.filename, demo.content)
    assert not file.problem
    assert (file.headline.summary, file.core_metadata) == ("A demo", demo.metadata_sha256)
    listed = file.described()
    assert (listed.requires_python, listed.core_metadata) == (">=3.9", demo.metadata_sha256)
    assert (listed.size, listed.yanked, listed.filename) == (len(demo.content), None, demo.filename)


def test_sdist_says_what_python_it_needs_and_has_nothing_beside_it() -> None:
    demo = sdist("demo", requires_python=">=3.9")
    for filename in (demo.filename, "Demo-1.0.tgz"):
        file = looked_into(filename, demo.content)
        assert (file.problem, file.headline.requires_python, file.core_metadata) == ("", ">=3.9", None)


@pytest.mark.parametrize("old", OLD, ids=lambda old: old.filename)
def test_source_distributions_of_long_ago_are_offered(old: Dist) -> None:
    assert looked_into(old.filename, old.content).problem == ""


@pytest.mark.parametrize("dist", [wheel("demo"), sdist("demo"), *OLD], ids=lambda dist: dist.filename)
def test_no_part_of_a_file_is_taken_for_it(dist: Dist) -> None:
    """B64: a copy that has stopped half-way; but for the zeros behind a bare tar, of which some tools write none."""
    for parts in range(5 if dist.filename.endswith(".tar") else 8):
        assert looked_into(dist.filename, dist.content[: len(dist.content) * parts // 8]).problem


def test_bare_tar_may_end_where_a_read_does() -> None:
    content = OLD[2].content.ljust(2 * 64 * 1024, b"\0")
    assert looked_into("demo-1.0.tar", content).problem == ""


def test_hole_in_a_wheel_is_found() -> None:
    """A copy that was begun at its full length has its directory at the end, and not yet what that speaks of."""
    demo = wheel("demo", size=100_000)
    hole = demo.content[:40_000] + bytes(20_000) + demo.content[60_000:]
    assert looked_into(demo.filename, hole).problem


def test_metadata_of_another_project_is_no_metadata() -> None:
    demo = wheel("other")
    assert looked_into("demo-1.0-py3-none-any.whl", demo.content).problem


@pytest.mark.parametrize("suffix", [".tar.bz2", ".tar.xz"])
def test_tar_that_unpacks_to_far_too_much_is_left_alone(suffix: str) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=f"w:{suffix[-3:].strip('.')}") as tar:  # type: ignore[call-overload]  # as above
        info = tarfile.TarInfo("demo-1.0/zeros")
        info.size = 80 * 2**20
        tar.addfile(info, io.BytesIO(bytes(info.size)))
    assert "compression ratio" in looked_into(f"demo-1.0{suffix}", buffer.getvalue()).problem


@patient
@given(st.sampled_from(OLD), st.integers(0, 300), st.binary(min_size=1, max_size=20))
def test_damage_is_a_problem_and_no_error(old: Dist, position: int, damage: bytes) -> None:
    content = bytearray(old.content)
    content[position : position + len(damage)] = damage
    looked_into(old.filename, bytes(content))


@given(st.integers(-(2**70), 2**70))
def test_any_time_of_a_file_can_be_told_or_left_out(mtime_ns: int) -> None:
    time = found("demo-1.0.tar.gz", mtime_ns=mtime_ns).described().upload_time
    assert time is None or time.tzinfo is UTC


def test_upload_time_is_when_the_file_has_changed() -> None:
    listed = found("demo-1.0.tar.gz", mtime_ns=1_700_000_000_999_999_999).described()
    assert listed.upload_time == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
