"""Lock files of three tools."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypid.domain.lock_files import InvalidLock, parse_lock, read_lock
from pypid.domain.selection import choose_locked
from pypid.domain.targets import make_target, parse_platform
from tests.domain.locks import DEVTOOL, LEFT, LEFT_SOURCE, POETRY, PYLOCK, ROOT, UV
from tests.domain.strategies import patient

LOCKS = {"poetry.lock": POETRY, "uv.lock": UV, "pylock.toml": PYLOCK}
each_lock = pytest.mark.parametrize("name", LOCKS)

LINUX = make_target("3.12", parse_platform("manylinux_2_28_x86_64"))
WINDOWS = make_target("3.12", parse_platform("win_amd64"))


@each_lock
def test_what_is_locked(name: str) -> None:
    """The same by every tool; without the project itself, and saying what is not from an index."""
    found = parse_lock(LOCKS[name], name)
    assert {(one.project, one.version): dict(one.files) for one in found.locked} == {
        ("devtool", "1.0"): {"devtool-1.0-py3-none-any.whl": DEVTOOL},
        ("left", "1.5"): {"left-1.5-py3-none-any.whl": LEFT, "left-1.5.tar.gz": LEFT_SOURCE},
        ("root-thing", "2.0"): {"root_thing-2.0-py3-none-any.whl": ROOT},
    }
    assert {one.asked_by for one in found.locked} == {name}
    assert found.skipped == (f"{name}: from-git is not from an index",)


@each_lock
def test_where_it_is_locked_for(name: str) -> None:
    """With every extra and every group."""
    locked = parse_lock(LOCKS[name], name).locked
    assert {one.project for one in locked if one.holds(LINUX)} == {"left", "root-thing"}
    assert {one.project for one in locked if one.holds(WINDOWS)} == {"devtool", "left", "root-thing"}


def test_a_marker_of_one_group_alone() -> None:
    """poetry: another group has the package everywhere."""
    text = POETRY.replace('main = "extra == \\"y\\""\n', "")
    (left,) = (one for one in parse_lock(text, "poetry.lock").locked if one.project == "left")
    assert left.holds(LINUX)


def test_extras_that_conflict() -> None:
    """uv names them in its own way, which nobody else can evaluate."""
    text = UV.replace("sys_platform == 'win32'", "extra == 'extra-8-demo-app-cpu'")
    assert all(one.holds(LINUX) for one in parse_lock(text, "uv.lock").locked)


def test_other_digests() -> None:
    text = UV.replace(f"sha256:{DEVTOOL}", "sha512:00")
    assert parse_lock(text, "uv.lock").locked[0].files == {"devtool-1.0-py3-none-any.whl": None}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[", "not TOML"),
        ("", "neither a pylock.toml nor"),
        ("[project]\nname = 'demo'\nversion = '1'", "neither a pylock.toml nor"),
        ("[metadata]\nlock_version = '4.5.0'", "other tools can write the first"),
        ("version = 2", "version 2 of uv's format; pypid reads version 1"),
        ("version = 1\n[[package]]\nname = 'demo'", "missing required field `source` - at `$.package[0]`"),
        ("version = 1\n[[package]]\nname = '/'\nsource = {registry = 'x'}", "not a project name: '/'"),
        ("[metadata]\nlock-version = '1.1'", "version 1.1 of poetry's format; pypid reads 2: run `poetry lock`"),
        ("lock-version = '1.0'", "created-by"),
        ("lock-version = '2.0'\ncreated-by='x'\npackages=[]", "2.0"),
        (POETRY.replace('"sys_platform == \\"win32\\""', '"?"', 1), "Expected"),
    ],
)
def test_what_cannot_be_read(text: str, problem: str) -> None:
    with pytest.raises(InvalidLock) as raised:
        parse_lock(text, "x.lock")
    assert str(raised.value).startswith("x.lock: ")
    assert problem in str(raised.value)
    assert "\n" not in str(raised.value)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place inside a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] * bool(path) + [place for key, each in items for place in _places(each, (*path, key))]


_values: st.SearchStrategy[Any] = (
    st.none()
    | st.integers()
    | st.text(max_size=9)
    | st.just("http://[/a-1.whl")
    | st.just([])
    | st.just({})
    | st.just([{}])
    | st.just({"x": 1})
)


@each_lock
@patient
@given(data=st.data())
def test_a_damaged_lock_file_is_read_or_refused(name: str, data: st.DataObject) -> None:
    """Never anything else."""
    document: Any = tomllib.loads(LOCKS[name])
    *path, last = data.draw(st.sampled_from(_places(document)))
    place = document
    for key in path:
        place = place[key]
    value = data.draw(_values)
    if value is None:
        del place[last]
    else:
        place[last] = value
    try:
        found = read_lock(document, name)
    except InvalidLock:
        return
    for one in found.locked:
        one.holds(LINUX)
        choose_locked(one, LINUX)
