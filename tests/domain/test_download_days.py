"""Numbers of downloads: what they add up to."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from pypid.domain.download_days import DownloadDays, by_release, united

days = st.dates(date(2026, 1, 1), date(2027, 12, 31))
counts = st.integers(1, 10**9)
downloads = st.builds(
    DownloadDays,
    last_day=days,
    earlier=st.integers(0, 10**9),
    days=st.dictionaries(days, counts).map(lambda found: dict(sorted(found.items()))),
)


@given(st.lists(downloads, min_size=1))
def test_nothing_is_lost_or_counted_twice(several: list[DownloadDays]) -> None:
    together = united(several)
    assert together.total == sum(each.total for each in several)
    assert together.last_day == max(each.last_day for each in several)
    assert list(together.days) == sorted({day for each in several for day in each.days})
    for day, count in together.days.items():
        assert count == sum(each.days.get(day, 0) for each in several)


@given(downloads, days, days)
def test_days_in_between(all_: DownloadDays, first: date, last: date) -> None:
    some = all_.between(first, last).days
    assert some == {day: count for day, count in all_.days.items() if first <= day <= last}
    assert all_.between(first, None).total + all_.between(None, first).total - all_.days.get(first, 0) == sum(
        all_.days.values()
    )


def test_by_release() -> None:
    day = date(2026, 3, 4)
    files = {
        name: DownloadDays(last_day=day, days={day: count})
        for name, count in (
            ("demo-1.10.tar.gz", 1),
            ("demo-1.9.tar.gz", 2),
            ("demo-1.9-py3-none-any.whl", 3),
            ("demo-1.9-setup.exe", 9),
        )
    }
    found = by_release(files)
    assert {str(version): each.total for version, each in found.items()} == {"1.9": 5, "1.10": 1}
    assert list(found) == [Version("1.9"), Version("1.10")]
