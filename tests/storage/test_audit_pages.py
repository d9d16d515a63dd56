"""Pages of the audit log."""

from __future__ import annotations

from pathlib import Path

import pytest

from pypid.domain.audit import Action, Event
from pypid.domain.names import IndexName, NormalizedName
from pypid.storage.audit import AuditLog
from pypid.storage.audit_pages import BLOCK, events_after, newest_events


def event(serial: int, filename: str = "demo-1.0.tar.gz") -> Event:
    return Event(
        serial=serial,
        time="2026-01-02T03:04:05.678901+00:00",
        user="alice",
        action=Action.DELETE,
        index=IndexName("main"),
        project=NormalizedName("demo"),
        filename=filename,
    )


@pytest.fixture
def audit(tmp_path: Path) -> AuditLog:
    return AuditLog(tmp_path / "audit.jsonl")


def test_change_is_never_cut_in_two(audit: AuditLog) -> None:
    """Who asks for what came after the last event that they have misses nothing."""
    events = [event(1), *(event(2, str(number)) for number in range(5)), event(3)]
    audit.append(events)
    assert events_after(audit, 0, 1) == events[:1]
    assert events_after(audit, 0, 2) == events[:6]
    assert events_after(audit, 1, 1) == events[1:6]
    assert events_after(audit, 2, 9) == events[6:]
    assert events_after(audit, 3, 9) == []


def test_newest_events_are_those_at_the_end(audit: AuditLog) -> None:
    """However many blocks of the file they take."""
    events = [event(serial) for serial in range(1, 4 * BLOCK // 100)]
    audit.append(events)
    assert audit.path.stat().st_size > 4 * BLOCK
    for number in (1, 2, 1000, len(events) - 1, len(events), len(events) + 1):
        assert newest_events(audit, number) == events[-number:]


def test_line_that_is_being_written_is_none_yet(audit: AuditLog) -> None:
    audit.append([event(1), event(2)])
    with audit.path.open("ab") as file:
        file.write(b'{"serial": 3, "ti')
    assert newest_events(audit, 2) == [event(1), event(2)][-2:]
    assert events_after(audit, 0, 9) == [event(1), event(2)]


def test_log_that_is_not_there(audit: AuditLog) -> None:
    assert newest_events(audit, 1) == []
