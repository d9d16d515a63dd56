"""Releases that make way: what is planned, what is deleted, and what happens in between."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs

from pypid.domain.names import NormalizedName
from pypid.domain.retention import Retention
from pypid.domain.subject import Subject
from pypid.indexes.retention import Retainer
from tests.indexes.releases import ALICE, DAY, MAIN, OWN, Shelf, result
from tests.indexes.stores import Disk

DEMO = NormalizedName("demo")
LAST_TWO = Retention(keep_releases=2)
DEV = Retention(drop_dev_after=30 * DAY)
UNUSED = Retention(drop_unused_after=30 * DAY)


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    with Shelf(tmp_path, now=1_800_000_000.0) as made:
        yield made


def planned(shelf: Shelf) -> dict[str, str]:
    """What would go from `MAIN`, by project and version, and why."""
    return {f"{going.project} {going.version}": going.reason for going in result(shelf.retainer.plan(MAIN))}


def events(shelf: Shelf) -> list[tuple[str, str, str | None, str | None]]:
    """Who has done what to which file, and why."""
    lines = [json.loads(line) for line in (shelf.data / "audit.jsonl").read_text().splitlines()]
    return [(line["user"], line["action"], line.get("filename"), line.get("reason")) for line in lines]


def test_what_is_planned_is_deleted_with_all_its_files(shelf: Shelf) -> None:
    shelf.publish(
        "demo-1.0.tar.gz", "demo-1.0-py3-none-any.whl", "demo-1.1.tar.gz", "demo-2.0.tar.gz", "other-1.tar.gz"
    )
    shelf.publish("demo-1.0.tar.gz", "demo-1.1.tar.gz", "demo-2.0.tar.gz", index=OWN)
    shelf.rule({MAIN: LAST_TWO, OWN: Retention()})
    why = "older than the last 2"
    assert planned(shelf) == {"demo 1.0": why}
    gone = result(shelf.retainer.run())
    assert [(str(each.version), each.files) for each in gone[MAIN]] == [
        ("1.0", ("demo-1.0-py3-none-any.whl", "demo-1.0.tar.gz"))
    ]
    assert shelf.files() == ["demo-1.1.tar.gz", "demo-2.0.tar.gz"]
    assert (shelf.files("other"), len(shelf.files(index=OWN))) == (["other-1.tar.gz"], 3)
    assert events(shelf)[-2:] == [
        ("retention", "delete", "demo-1.0-py3-none-any.whl", why),
        ("retention", "delete", "demo-1.0.tar.gz", why),
    ]
    assert planned(shelf) == {}


def test_versions_that_are_spelled_differently_are_one_release(shelf: Shelf) -> None:
    shelf.publish("demo-1.0.tar.gz", "demo-1.0.0-py3-none-any.whl", "demo-1.1.tar.gz")
    shelf.rule({MAIN: LAST_TWO})
    assert planned(shelf) == {}
    shelf.rule({MAIN: Retention(keep_releases=1)})
    result(shelf.retainer.run())
    assert shelf.files() == ["demo-1.1.tar.gz"]


def test_a_release_is_as_young_as_the_last_file_that_was_added_to_it(shelf: Shelf) -> None:
    shelf.count_for(10)
    shelf.publish("demo-1.1.dev1.tar.gz", "demo-1.1.dev2.tar.gz", "demo-1.0.tar.gz", age=40)
    shelf.publish("demo-1.1.dev1-py3-none-any.whl", age=20)
    shelf.rule({MAIN: DEV})
    assert planned(shelf) == {"demo 1.1.dev2": "a development release, uploaded 40 days ago"}


def test_it_is_used_if_any_file_of_it_was_downloaded(shelf: Shelf) -> None:
    shelf.publish("demo-1.0.tar.gz", "demo-1.0-py3-none-any.whl", "demo-1.1.tar.gz", "demo-2.0.tar.gz")
    shelf.rule({MAIN: UNUSED})
    shelf.counts.note(MAIN, DEMO, "demo-1.0-py3-none-any.whl")
    shelf.count_for(25)
    shelf.counts.note(MAIN, DEMO, "demo-1.0.tar.gz")
    shelf.counts.note(OWN, DEMO, "demo-1.1.tar.gz")
    shelf.count_for(10)
    assert planned(shelf) == {"demo 1.1": "not downloaded for 34 days"}
    shelf.count_for(22)
    assert set(planned(shelf)) == {"demo 1.0", "demo 1.1"}


def test_ages_wait_until_the_clock_has_settled(shelf: Shelf) -> None:
    """C29: also when the clock jumps a year ahead while downloads are counted."""
    shelf.publish("demo-1.1.dev1.tar.gz", "demo-1.0.tar.gz", age=40)
    shelf.rule({MAIN: DEV})
    with capturedLogs() as logged:
        assert result(shelf.retainer.run()) == {MAIN: []}
    assert "no release is dropped for its age yet" in logged[-1]["log_format"]
    shelf.count_for(7)
    assert planned(shelf) == {}
    shelf.count_for(1)
    assert set(planned(shelf)) == {"demo 1.1.dev1"}
    shelf.publish("demo-1.1.dev2.tar.gz")
    shelf.now += 365 * DAY
    assert result(shelf.retainer.run()) == {MAIN: []}
    assert len(shelf.files()) == 3


def test_what_changes_meanwhile_is_heeded(shelf: Shelf) -> None:
    """An upload to a release that was about to go makes it young again; what is gone already is no error."""
    for project in ("alpha", "beta", "gamma"):
        shelf.publish(f"{project}-1.0.tar.gz", f"{project}-1.1.dev1.tar.gz", age=40)
    shelf.count_for(8)
    disk = Disk()
    shelf.retainer = Retainer(shelf.database, shelf.counts, shelf.curator, offload=disk, now=lambda: shelf.now)
    shelf.rule({MAIN: DEV})
    disk.held = "plan_retention"
    running = Deferred.fromCoroutine(shelf.retainer.run())
    disk.step()
    shelf.publish("beta-1.1.dev1-py3-none-any.whl")
    result(shelf.curator.delete(MAIN, Subject(project=NormalizedName("gamma")), ALICE))
    disk.release()
    gone: list[str] = []
    running.addCallback(lambda of_indexes: gone.extend(each.project for each in of_indexes[MAIN]))
    assert shelf.files("alpha") == ["alpha-1.0.tar.gz"]
    assert len(shelf.files("beta")) == 3
    assert gone == ["alpha"]


def test_a_stop_lets_the_rest_for_the_next_day(shelf: Shelf) -> None:
    for number in range(5):
        shelf.publish(f"demo-1.{number}.tar.gz")
    disk = Disk()
    shelf.retainer = Retainer(shelf.database, shelf.counts, shelf.curator, offload=disk, now=lambda: shelf.now)
    shelf.rule({MAIN: LAST_TWO})
    disk.held = "plan_retention"
    running = Deferred.fromCoroutine(shelf.retainer.run())
    stopping = Deferred.fromCoroutine(shelf.retainer.stop())
    assert not stopping.called
    disk.release()
    assert running.called
    assert stopping.called
    assert len(shelf.files()) == 5


def test_file_that_comes_between_plan_and_deletion_saves_its_release(shelf: Shelf) -> None:
    """The whole of it: half a release installs on half of the machines."""
    shelf.publish("demo-1.0.tar.gz", "demo-1.1.tar.gz", "demo-1.2.tar.gz")
    shelf.rule({MAIN: LAST_TWO})
    (going,) = result(shelf.retainer.plan(MAIN))
    shelf.publish("demo-1.0-py3-none-any.whl")
    assert result(shelf.retainer._delete(MAIN, going)) is False
    assert len(shelf.files()) == 4


def test_one_index_alone(shelf: Shelf) -> None:
    for index in (MAIN, OWN):
        shelf.publish("demo-1.0.tar.gz", "demo-1.1.tar.gz", "demo-1.2.tar.gz", index=index)
    shelf.rule({MAIN: LAST_TWO, OWN: LAST_TWO})
    assert set(result(shelf.retainer.run(OWN))) == {OWN}
    assert (len(shelf.files()), len(shelf.files(index=OWN))) == (3, 2)
