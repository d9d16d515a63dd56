"""When a file counts as whole: not while somebody writes it, whatever the clocks say."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pypid.domain.sightings import OLD, TICK, FileState, Sighting, seen

NOW = 1_800_000_000.0

states = st.builds(FileState, *[st.integers(0, 2**64)] * 4)
ages = st.floats(-1e6, 1e6)


def changed_at(time: float, mtime: float = 0.0) -> FileState:
    return FileState(1, 10, int(mtime * 1e9), int(time * 1e9))


def test_old_file_is_whole_at_first_sight() -> None:
    assert seen(changed_at(NOW - OLD), None, NOW).is_settled(NOW)
    assert not seen(changed_at(NOW - OLD + 1), None, NOW).is_settled(NOW)


def test_scp_and_rsync_do_not_make_a_new_file_old() -> None:
    """With -p and -t they give it the time of the original."""
    assert not seen(changed_at(NOW, mtime=NOW - 1e6), None, NOW).is_settled(NOW)


@given(states, st.sampled_from([0, 1, 2, 3]))
def test_change_of_anything_begins_anew(state: FileState, which: int) -> None:
    """A copy under way grows; one that replaces another file has another inode or other times."""
    first = seen(state, None, NOW - 10)
    other = state._replace(**{state._fields[which]: state[which] + 1})
    again = seen(other, first, NOW)
    assert again == Sighting(other, NOW)
    assert seen(state, first, NOW) is first


@given(ages, ages)
def test_two_equal_looks_do_whatever_the_clocks_say(age: float, step: float) -> None:
    """Of a file system whose clock is wrong, or when ours is set: it comes in the end, and not within a tick."""
    state = changed_at(NOW + age)
    sighting = seen(state, None, NOW)
    assert sighting.is_settled(NOW + step) == (NOW + step - state.ctime_ns / 1e9 >= OLD or abs(step) >= TICK)


@given(states, states)
def test_content_is_the_same_where_only_rights_or_links_have_changed(one: FileState, other: FileState) -> None:
    assert one.same_content(one._replace(ctime_ns=other.ctime_ns))
    assert one.same_content(other) == (one[:3] == other[:3])
