"""What the rules of an index drop, and what they never do."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from pypid.domain.releases import latest
from pypid.domain.retention import DAY, KEEP_ALL, SETTLED, Release, Retention, plan_project

NOW = 1_800_000_000.0
LONG_AGO = NOW - 1000 * DAY


def release(version: str, age: float = 0.0, *, yanked: bool = False, downloaded: float | None = None) -> Release:
    """``age`` and ``downloaded``: days ago."""
    return Release(
        version=Version(version),
        uploaded_at=NOW - age * DAY,
        yanked=yanked,
        downloaded_at=None if downloaded is None else NOW - downloaded * DAY,
    )


def dropped(
    rules: Retention, *releases: Release, now: float = NOW, counted_since: float | None = LONG_AGO
) -> dict[str, str]:
    plan = plan_project(rules, releases, now=now, counted_since=counted_since)
    return {str(each.version): each.reason for each in plan}


def finals(*versions: str) -> list[Release]:
    return [release(version, 100) for version in versions]


def test_by_default_everything_stays() -> None:
    old = [release("1.0.dev1", 900), release("1.0rc1", 900), release("1.0", 900), release("0.1", 900, yanked=True)]
    assert dropped(KEEP_ALL, *old) == {}
    assert dropped(Retention(keep_releases=1)) == {}


class TestLastReleases:
    def test_by_version_not_by_age(self) -> None:
        releases = [release("2.0", 50), release("1.9", 1), release("1.10", 20), release("1.2", 0)]
        rules = Retention(keep_releases=3)
        assert dropped(rules, *releases) == {"1.2": "older than the last 3"}
        assert dropped(Retention(keep_releases=1), *finals("1.0", "2.0")) == {"1.0": "not the last one"}
        assert dropped(rules, *finals("1.0", "1.1", "1.2")) == {}

    def test_the_oldest_is_named_first(self) -> None:
        assert list(dropped(Retention(keep_releases=1), *finals("1.10", "3.0", "1.9", "1.2"))) == ["1.2", "1.9", "1.10"]

    def test_yanked_ones_do_not_count_and_go_with_their_age(self) -> None:
        releases = [*finals("1.0", "1.1", "1.3"), release("1.2", yanked=True), release("0.9", yanked=True)]
        assert set(dropped(Retention(keep_releases=2), *releases)) == {"0.9", "1.0"}
        assert dropped(Retention(keep_releases=1), release("1.0", yanked=True), release("1.1", yanked=True)) == {}

    def test_pre_releases_do_not_push_out_final_ones(self) -> None:
        nightly = [release(f"2.0.dev{number}") for number in range(9)]
        releases = [*finals("1.0", "1.1", "1.2"), release("1.1rc1"), release("1.2b1"), *nightly]
        assert set(dropped(Retention(keep_releases=2), *releases)) == {"1.0", "1.1rc1"}

    def test_they_count_where_there_is_nothing_else(self) -> None:
        nightly = [release(f"2.0.dev{number}") for number in range(5)]
        assert set(dropped(Retention(keep_releases=3), *nightly)) == {"2.0.dev0", "2.0.dev1"}

    def test_the_clock_does_not_matter(self) -> None:
        rules = Retention(keep_releases=1)
        assert "1.0" in dropped(rules, *finals("1.0", "1.1"), now=0.0, counted_since=None)


class TestAges:
    DEV = Retention(drop_dev_after=30 * DAY)
    PRE = Retention(drop_prereleases_after=30 * DAY)
    RELEASES = (
        release("1.0", 400),
        release("1.1.dev1", 31),
        release("1.1.dev2", 30),
        release("1.1a1.dev1", 31),
        release("1.1rc1", 31),
        release("1.1rc2", 30),
        release("1.0.post1", 400),
    )

    def test_development_releases(self) -> None:
        why = "a development release, uploaded 31 days ago"
        assert dropped(self.DEV, *self.RELEASES) == {"1.1.dev1": why, "1.1a1.dev1": why}

    def test_development_releases_are_pre_releases(self) -> None:
        why = "a pre-release, uploaded 31 days ago"
        assert dropped(self.PRE, *self.RELEASES) == {"1.1.dev1": why, "1.1a1.dev1": why, "1.1rc1": why}

    def test_the_only_release_stays_however_old_it_is(self) -> None:
        assert dropped(self.DEV, release("1.0.dev1", 900)) == {}
        assert set(dropped(self.DEV, release("1.0.dev1", 900), release("1.0.dev2", 900))) == {"1.0.dev1"}

    def test_one_day(self) -> None:
        rules = Retention(drop_dev_after=DAY)
        assert dropped(rules, release("1.0"), release("1.1.dev1", 1.5)) == {
            "1.1.dev1": "a development release, uploaded 1 day ago"
        }


class TestUse:
    RULES = Retention(drop_unused_after=90 * DAY)

    def test_neither_uploaded_nor_downloaded_for_so_long(self) -> None:
        releases = [
            release("1.0", 200),
            release("1.1", 200, downloaded=100),
            release("1.2", 200, downloaded=80),
            release("1.3", 80),
            release("2.0", 200),
        ]
        assert dropped(self.RULES, *releases) == {
            "1.0": "not downloaded for 200 days",
            "1.1": "not downloaded for 100 days",
        }

    def test_nothing_was_unused_before_anybody_counted(self) -> None:
        releases = finals("1.0", "2.0")
        assert dropped(self.RULES, *releases, counted_since=NOW - 90 * DAY) == {}
        assert dropped(self.RULES, *releases, counted_since=NOW - 91 * DAY) == {"1.0": "not downloaded for 91 days"}
        assert dropped(self.RULES, *releases, counted_since=None) == {}


class TestClock:
    """C29, C30: a clock that jumps, or starts in 1970."""

    RULES = Retention(drop_prereleases_after=DAY, drop_dev_after=DAY, drop_unused_after=DAY)
    RELEASES = (release("1.0", 3), release("1.1.dev1", 3), release("0.9", 3), release("2.0rc1", 3))

    @pytest.mark.parametrize("jump", [365 * DAY, 10_000 * DAY])
    def test_forward(self, jump: float) -> None:
        """The watch begins anew with a jump, and no age is believed until it has lasted."""
        for watched in (0.0, SETTLED - 1):
            now = NOW + jump + watched
            assert dropped(self.RULES, *self.RELEASES, now=now, counted_since=NOW + jump) == {}
        assert dropped(self.RULES, *self.RELEASES, now=now + 1, counted_since=NOW + jump)

    @pytest.mark.parametrize("now", [0.0, NOW - 365 * DAY])
    def test_back(self, now: float) -> None:
        """Everything is younger then; also what is believed to have been watched since a day to come."""
        for counted_since in (None, 0.0, LONG_AGO, NOW):
            assert dropped(self.RULES, *self.RELEASES, now=now, counted_since=counted_since) == {}


days = st.floats(min_value=-400, max_value=4000, allow_nan=False)
versions = st.sampled_from(
    [f"{major}.{minor}{suffix}" for major in range(3) for minor in range(3) for suffix in ("", "a1", ".dev1", ".post1")]
)
projects = st.lists(
    st.builds(
        lambda version, age, yanked, downloaded: release(version, age, yanked=yanked, downloaded=downloaded),
        versions,
        days,
        st.booleans(),
        st.none() | days,
    ),
    unique_by=lambda each: each.version,
    min_size=1,
)
durations = st.just(inf) | days.map(lambda number: abs(number) * DAY)
retentions = st.builds(
    Retention,
    keep_releases=st.none() | st.integers(1, 9),
    drop_prereleases_after=durations,
    drop_dev_after=durations,
    drop_unused_after=durations,
)


@given(retentions, projects, days)
def test_what_always_stays(rules: Retention, project: list[Release], offset: float) -> None:
    """The release that installers take, and the newest final one; nothing is invented, and nothing said twice."""
    plan = plan_project(rules, project, now=NOW + offset * DAY, counted_since=LONG_AGO)
    going = [each.version for each in plan]
    assert len(set(going)) == len(going)
    assert set(going) <= {each.version for each in project}
    assert latest({each.version: each.yanked for each in project}) not in going
    of_finals = [each.version for each in project if not each.version.is_prerelease]
    assert not of_finals or max(of_finals) not in going


@given(st.integers(1, 9), projects)
def test_as_many_stay_as_are_to_be_kept(count: int, project: list[Release]) -> None:
    plan = plan_project(Retention(keep_releases=count), project, now=0, counted_since=None)
    going = {each.version for each in plan}
    for kind in (True, False):
        usable = {each.version for each in project if not each.yanked and each.version.is_prerelease is kind}
        if kind is False or not any(not each.version.is_prerelease and not each.yanked for each in project):
            assert len(usable - going) >= min(count, len(usable))


@given(retentions, projects)
def test_what_is_done_is_done(rules: Retention, project: list[Release]) -> None:
    """A second look drops nothing more; so a plan may be carried out in parts."""
    going = {each.version for each in plan_project(rules, project, now=NOW, counted_since=LONG_AGO)}
    left = [each for each in project if each.version not in going]
    assert plan_project(rules, left, now=NOW, counted_since=LONG_AGO) == []
