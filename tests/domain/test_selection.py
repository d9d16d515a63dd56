"""Which files an installer would take."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.tags import parse_tag

from pypid.domain.files import DistributionFile
from pypid.domain.names import normalize_name
from pypid.domain.selection import NotOffered, candidates, choose, choose_locked, find_locked
from pypid.domain.targets import make_target, parse_platform
from pypid.domain.wanted import Locked, want
from tests.domain.strategies import patient

LINUX = make_target("3.12", parse_platform("manylinux_2_28_x86_64"))
WINDOWS = make_target("3.10", parse_platform("win_amd64"))
PURE = "demo-{}-py3-none-any.whl"


def file(filename: str, **about: str | None) -> DistributionFile:
    return replace(DistributionFile(filename=filename, sha256="a" * 64), **about)  # type: ignore[arg-type]


def chosen(requirement: str, *files: str | DistributionFile, **options: bool) -> list[str]:
    offered = candidates(file(one) if isinstance(one, str) else one for one in files)
    found = choose(want(Requirement(requirement), "test"), offered, LINUX, **options)
    return [candidate.file.filename for candidate in found]


def test_the_newest_version_that_fits() -> None:
    files = [PURE.format(v) for v in ("1.0", "2.0", "10.0")]
    assert chosen("demo", *files) == [PURE.format("10.0")]
    assert chosen("demo<10", *files) == [PURE.format("2.0")]
    assert chosen("demo>10", *files) == []
    newer = file(PURE.format("11.0"), requires_python=">=3.13")
    assert chosen("demo", *files, newer, "demo-12.0-cp312-cp312-win_amd64.whl") == [PURE.format("10.0")]


def test_pre_releases() -> None:
    """As everywhere: only if they are asked for, or if there is nothing else."""
    files = [PURE.format(v) for v in ("1.0", "2.0rc1")]
    assert chosen("demo", *files) == [PURE.format("1.0")]
    assert chosen("demo>=2.0a1", *files) == [PURE.format("2.0rc1")]
    assert chosen("demo", PURE.format("2.0rc1")) == [PURE.format("2.0rc1")]
    allowed = replace(want(Requirement("demo"), "test"), prereleases=True)
    assert choose(allowed, candidates(map(file, files)), LINUX)[0].file.filename == PURE.format("2.0rc1")


def test_yanked() -> None:
    """PEP 592: only where it is the one that is named."""
    files = [file(PURE.format("1.0")), file(PURE.format("2.0"), yanked="")]
    assert chosen("demo", *files) == [PURE.format("1.0")]
    assert chosen("demo==2.*", *files) == []
    assert chosen("demo==2.0", *files) == [PURE.format("2.0")]
    assert chosen("demo===2.0", *files) == [PURE.format("2.0")]


def test_the_best_file_of_a_version() -> None:
    special = "demo-1.0-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
    rebuilt = "demo-1.0-1-cp312-cp312-manylinux_2_17_x86_64.whl"
    source = "demo-1.0.tar.gz"
    assert chosen("demo", source, PURE.format("1.0"), special) == [special]
    assert chosen("demo", special, rebuilt) == [rebuilt]
    assert chosen("demo", source, PURE.format("1.0"), sdists=True) == [PURE.format("1.0"), source]
    assert chosen("demo", "demo-1.0.zip", source, "demo-1.0-cp39-cp39-win32.whl") == [source]
    assert chosen("demo", "demo-1.0.exe", "demo-1.0-py3.egg") == []


def test_hashes() -> None:
    """A requirement with hashes is met by those files alone."""
    other = file(PURE.format("1.0"), sha256="b" * 64)
    wanted = replace(want(Requirement("demo==1.0"), "test"), sha256s=frozenset({"a" * 64}))
    assert choose(wanted, candidates([other]), LINUX) == ()
    both = choose(wanted, candidates([other, file("demo-1.0.tar.gz")]), LINUX)
    assert [candidate.file.filename for candidate in both] == ["demo-1.0.tar.gz"]


def test_every_file() -> None:
    files = [PURE.format("1.0"), PURE.format("2.0"), "demo-2.0-cp39-cp39-win32.whl", "demo-2.0.tar.gz"]
    found = choose(want(Requirement("demo"), "test"), candidates(map(file, files)), None)
    assert [candidate.file.filename for candidate in found] == files[1:]


_platforms = st.sampled_from(
    ["any", "manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "win_amd64", "macosx_11_0_arm64"]
)
_wheels = st.builds(
    "demo-{}-{}-{}.whl".format,
    st.sampled_from(["1.0", "1.1", "2.0", "2.0rc1", "3.0.dev1"]),
    st.sampled_from(["py3-none", "cp312-cp312", "cp310-cp310", "cp38-abi3"]),
    _platforms,
)
_files = st.builds(
    file,
    _wheels | st.sampled_from(["demo-1.0.tar.gz", "demo-2.0.tar.gz"]),
    yanked=st.none() | st.just(""),
    requires_python=st.sampled_from([None, ">=3.11", "<3"]),
)


@patient
@given(
    st.lists(_files, max_size=12, unique_by=lambda one: one.filename),
    st.sampled_from(["demo", "demo<2", "demo==2.0", "demo>=2.0rc1"]),
    st.sampled_from(["linux", "windows"]),
)
def test_what_is_chosen_could_be_installed(files: list[DistributionFile], text: str, system: str) -> None:
    """It fits and matches; nothing newer does; and with all versions there is no less."""
    here = LINUX if system == "linux" else WINDOWS
    wanted = want(Requirement(text), "test")
    offered = candidates(files)
    found = choose(wanted, offered, here)
    every = choose(wanted, offered, here, all_versions=True)
    assert len(found) <= 1
    assert set(found) <= set(every)
    assert set(every) <= set(offered)
    for one in found:
        assert here.allows(one.file.requires_python)
        assert wanted.specifier.contains(one.version, prereleases=True)
        assert one.tags is None or here.rank(one.tags) is not None
        assert one.version == max(each.version for each in every)
    assert bool(found) == bool(every)


LOCKED = Locked(
    project=normalize_name("demo"),
    asked_by="uv.lock",
    version="1.0",
    files={
        "demo-1.0-cp312-cp312-manylinux_2_17_x86_64.whl": "a" * 64,
        "demo-1.0-cp310-cp310-win_amd64.whl": None,
        "demo-1.0.tar.gz": "c" * 64,
    },
)


def test_a_locked_package() -> None:
    linux, windows, source = LOCKED.files
    assert choose_locked(LOCKED, LINUX) == (linux,)
    assert choose_locked(LOCKED, LINUX, sdists=True) == (linux, source)
    assert choose_locked(LOCKED, WINDOWS) == (windows,)
    assert choose_locked(LOCKED, make_target("3.9", parse_platform("win32"))) == (source,)
    assert choose_locked(LOCKED, None) == (linux, windows, source)
    assert choose_locked(replace(LOCKED, files={windows: None}), LINUX) == ()


def test_a_locked_file_is_that_file() -> None:
    """Not one of the same name with other bytes."""
    linux, windows, _ = LOCKED.files
    same, other = file(linux), file(linux, sha256="b" * 64)
    assert find_locked(LOCKED, linux, {linux: same}) is same
    assert find_locked(LOCKED, windows, {windows: other}) is other
    with pytest.raises(NotOffered, match=f"with sha256 {'b' * 64}, uv.lock with {'a' * 64}"):
        find_locked(LOCKED, linux, {linux: other})
    with pytest.raises(NotOffered, match="no such file"):
        find_locked(LOCKED, linux, {})


def test_what_a_name_says() -> None:
    (one,) = candidates([file("demo-1.0-2b-cp312-abi3-win_amd64.whl")])
    assert (one.tags, one.build) == (parse_tag("cp312-abi3-win_amd64"), (2, "b"))
