"""E07: guesses are slowed down, and nobody else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypid.domain.throttle import GUESSES, PLACES, REFILL, Throttle, place_of

HERE, THERE = "192.0.2.1", "192.0.2.2"


def guessed(times: int, user: str = "alice", place: str = HERE) -> Throttle:
    throttle = Throttle()
    for _ in range(times):
        assert throttle.wait(place, user, 0.0) == 0
        throttle.wrong(place, user, 0.0)
    return throttle


def test_some_are_free_and_then_one_waits() -> None:
    throttle = guessed(GUESSES)
    assert throttle.wait(HERE, "alice", 0.0) == pytest.approx(REFILL)
    assert throttle.wait(HERE, "alice", REFILL - 1) == pytest.approx(1)
    assert throttle.wait(HERE, "alice", REFILL) == 0


def test_stranger_elsewhere_locks_nobody_out() -> None:
    throttle = guessed(GUESSES)
    assert throttle.wait(THERE, "alice", 0.0) == 0
    assert throttle.wait(HERE, "bob", 0.0) == 0


def test_whole_network_of_an_ipv6_host_is_one_place() -> None:
    assert place_of("2001:db8::1") == place_of("2001:db8::ffff:1") == "2001:db8::/64"
    assert place_of("2001:db8:0:1::1") != place_of("2001:db8::1")
    assert place_of("::ffff:192.0.2.1") == place_of("192.0.2.1") == "192.0.2.1"
    assert place_of("local") == "local"


def test_clock_that_goes_back_gives_nothing_away_and_takes_nothing() -> None:
    throttle = guessed(GUESSES)
    assert throttle.wait(HERE, "alice", -1e9) == pytest.approx(REFILL)


def test_guess_that_was_right_is_taken_back() -> None:
    throttle = guessed(GUESSES)
    throttle.take_back(HERE, "alice", 0.0)
    assert throttle.wait(HERE, "alice", 0.0) == 0
    fresh = Throttle()
    fresh.take_back(HERE, "alice", 0.0)
    assert fresh.wait(HERE, "alice", 0.0) == 0


def test_memory_is_bounded() -> None:
    throttle = Throttle()
    for number in range(PLACES + 10):
        throttle.wrong(HERE, f"user{number}", 0.0)
    assert len(throttle._buckets) == PLACES


@given(st.lists(st.floats(min_value=0, max_value=10_000), min_size=1, max_size=200))
def test_never_more_than_the_bucket_and_what_has_dripped_in(times: list[float]) -> None:
    throttle, allowed = Throttle(), 0
    for now in sorted(times):
        if throttle.wait(HERE, "alice", now) == 0:
            throttle.wrong(HERE, "alice", now)
            allowed += 1
    assert allowed <= GUESSES + (max(times) - min(times)) / REFILL + 1
