"""What upstream should not change about what it has published."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pypid.domain.drift import RELEASE_IS_CLOSED, Drift, DriftKind, drifts
from pypid.domain.files import DistributionFile, ProjectPage, TimeSource
from pypid.domain.names import NormalizedName

THEN = datetime(2026, 1, 1, tzinfo=UTC)
SDIST, WHEEL = "demo-1.0.tar.gz", "demo-1.0-py3-none-any.whl"


def file(filename: str = SDIST, **changed: Any) -> DistributionFile:
    return replace(DistributionFile(filename=filename, sha256="a" * 64, upload_time=THEN), **changed)


def page(*files: DistributionFile) -> ProjectPage:
    return ProjectPage(name=NormalizedName("demo"), files=files, revision="1")


def found(before: DistributionFile, *after: DistributionFile) -> list[DriftKind]:
    return [drift.kind for drift in drifts(page(before), page(*after))]


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"sha256": "b" * 64}, DriftKind.OTHER_BYTES),
        ({"upload_time": THEN - timedelta(days=1)}, DriftKind.UPLOAD_TIME),
    ],
)
def test_file_that_is_not_what_it_was(change: dict[str, Any], kind: DriftKind) -> None:
    assert found(file(), file(**change)) == [kind]


def test_yanking_is_every_authors_right_and_taking_it_back_is_told() -> None:
    assert found(file(), file(yanked="broken")) == []
    assert found(file(yanked=""), file()) == [DriftKind.UNYANKED]


def test_file_that_comes_late_to_a_release() -> None:
    late = THEN + RELEASE_IS_CLOSED + timedelta(seconds=1)
    assert found(file(), file(), file(WHEEL, upload_time=late)) == [DriftKind.LATE_FILE]
    assert found(file(), file(), file(WHEEL, upload_time=THEN + RELEASE_IS_CLOSED)) == []
    assert found(file(), file(), file("demo-2.0.tar.gz", upload_time=late)) == [], "of another release"


def test_nothing_is_said_of_times_that_upstream_does_not_say() -> None:
    ours = file(upload_time_source=TimeSource.FIRST_SEEN)
    assert found(ours, file(upload_time=THEN - timedelta(days=1))) == []
    assert found(ours, ours, file(WHEEL, upload_time=THEN + timedelta(days=100))) == []
    assert found(file(), file(upload_time=None), file(WHEEL, upload_time=None)) == []


def test_file_that_is_listed_no_more_is_nothing() -> None:
    assert found(file()) == []


def test_alarm_says_what_upstream_says_now() -> None:
    moved = file(upload_time=THEN + timedelta(days=1))
    (drift,) = drifts(page(file()), page(moved))
    assert drift == Drift(DriftKind.UPLOAD_TIME, SDIST, "2026-01-02 00:00:00+00:00")
