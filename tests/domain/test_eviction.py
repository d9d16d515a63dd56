"""Which blobs go: never one in use, the least recently used first, and no more than it takes."""

from __future__ import annotations

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from pypid.domain.eviction import HIGH, LOW, ORPHAN_DELAY, ORPHAN_LIFE, BlobUse, Eviction, Limits, plan_eviction

NOW = 1_800_000_000.0

sizes = st.integers(0, 10**9)
ages = st.one_of(st.floats(-1e6, 1e9), st.sampled_from([0.0, ORPHAN_DELAY, ORPHAN_LIFE, ORPHAN_DELAY - 1]))


@st.composite
def stores(draw: st.DrawFn) -> tuple[list[BlobUse], set[str]]:
    """Blobs, and which of them are busy."""
    described = draw(st.lists(st.tuples(sizes, ages, st.booleans()), max_size=30))
    blobs = [
        BlobUse(sha256=f"{number:064x}", size=size, used_at=NOW - age, recorded=recorded)
        for number, (size, age, recorded) in enumerate(described)
    ]
    names = [blob.sha256 for blob in blobs]
    return blobs, draw(st.sets(st.sampled_from(names))) if names else set()


def planned(blobs: list[BlobUse], excess: int, busy: set[str]) -> Eviction:
    return plan_eviction(blobs, excess=excess, busy=busy, now=NOW)


@given(stores(), sizes)
def test_what_is_in_use_and_young_orphans_stay(store: tuple[list[BlobUse], set[str]], excess: int) -> None:
    blobs, busy = store
    going = planned(blobs, excess, busy).blobs
    assert not [blob for blob in going if blob.sha256 in busy]
    assert not [blob for blob in going if not blob.recorded and NOW - blob.used_at < ORPHAN_DELAY]
    assert len({blob.sha256 for blob in going}) == len(going)


@given(stores(), sizes)
def test_enough_goes_or_it_is_said_how_much_cannot(store: tuple[list[BlobUse], set[str]], excess: int) -> None:
    blobs, busy = store
    plan = planned(blobs, excess, busy)
    assert plan.size + plan.short >= excess
    if plan.short:
        gone = {blob.sha256 for blob in plan.blobs} | busy
        assert all(not blob.recorded and not blob.is_spent(NOW) for blob in blobs if blob.sha256 not in gone)


@given(stores(), sizes)
def test_no_more_goes_than_it_takes(store: tuple[list[BlobUse], set[str]], excess: int) -> None:
    """Without the last one of them it would not be enough, but for orphans whose time is over."""
    blobs, busy = store
    going = [blob for blob in planned(blobs, excess, busy).blobs if blob.recorded or NOW - blob.used_at < ORPHAN_LIFE]
    if going:
        old = sum(blob.size for blob in planned(blobs, 0, busy).blobs)
        assert old + sum(blob.size for blob in going[:-1]) < excess


@given(stores(), sizes)
def test_orphans_go_first_and_then_the_least_recently_used(store: tuple[list[BlobUse], set[str]], excess: int) -> None:
    blobs, busy = store
    going = planned(blobs, excess, busy).blobs
    assert list(going) == sorted(going, key=lambda blob: (blob.recorded, blob.used_at, blob.sha256))
    used = [blob.used_at for blob in going if blob.recorded]
    gone = {blob.sha256 for blob in going} | busy
    for blob in blobs:
        if blob.recorded and used and blob.sha256 not in gone:
            assert blob.used_at >= max(used)


@given(stores())
def test_with_room_only_old_orphans_go(store: tuple[list[BlobUse], set[str]]) -> None:
    blobs, busy = store
    for blob in planned(blobs, 0, busy).blobs:
        assert not blob.recorded
        assert NOW - blob.used_at >= ORPHAN_LIFE


@given(stores(), st.integers(1, 10**10), sizes)
def test_sweeping_ends_below_the_low_mark(store: tuple[list[BlobUse], set[str]], cache_size: int, free: int) -> None:
    """Whatever is mirrored, if nothing is in use; and a second sweep finds nothing to do."""
    blobs, limits = store[0], Limits(cache_size=cache_size, keep_free=0)
    total = sum(blob.size for blob in blobs)
    blobs = [dataclasses.replace(blob, recorded=True) for blob in blobs]
    plan = planned(blobs, limits.excess(total, free), set())
    left = total - plan.size
    if limits.is_full(total):
        assert left <= LOW * cache_size
    else:
        assert left == total
    assert limits.excess(left, free) == 0


@given(sizes, sizes, sizes)
def test_the_reserve_is_restored_and_then_left_alone(keep_free: int, free: int, mirrored: int) -> None:
    limits = Limits(cache_size=None, keep_free=keep_free)
    excess = limits.excess(mirrored, free)
    assert (excess > 0) == (free < keep_free)
    assert free + excess >= keep_free
    assert limits.excess(mirrored - excess, free + excess) == 0


def test_the_marks() -> None:
    limits = Limits(cache_size=1000, keep_free=50)
    assert [limits.excess(mirrored, 100) for mirrored in (0, 800, 900, 901, 2000)] == [0, 0, 0, 101, 1200]
    assert [limits.excess(0, free) for free in (50, 49, 0)] == [0, 6, 55]
    assert limits.excess(901, 0) == 101
    assert (HIGH, LOW) == (0.9, 0.8)


def test_one_file_larger_than_the_cache_is_never_kept() -> None:
    """F20: it would push out everything else, and then itself."""
    assert [Limits(cache_size=1000, keep_free=0).fits(size) for size in (0, 800, 801, 2000)] == [
        True,
        True,
        False,
        False,
    ]
    assert Limits(cache_size=None, keep_free=0).fits(2**62)
