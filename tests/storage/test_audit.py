"""The audit log on the disk."""

from __future__ import annotations

import errno
import os
from typing import Any
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from pypid.domain.audit import Action, Event, read_line, to_lines
from pypid.storage.audit import BLOCK, AuditLog
from tests.domain.strategies import patient
from tests.storage.case import StorageCase
from tests.storage.rows import DEMO, MAIN

EVERYTHING = 10**9


def an_event(serial: int, **values: Any) -> Event:
    usual: dict[str, Any] = {
        "serial": serial,
        "time": "2026-01-02T03:04:05.000006+00:00",
        "user": "alice",
        "action": Action.PUBLISH,
        "index": MAIN,
        "project": DEMO,
        "group": serial,
    }
    return Event(**usual | values)


class AuditCase(StorageCase):
    def setUp(self) -> None:
        super().setUp()
        self.log = AuditLog(self.directory / "audit.jsonl")

    def serials(self, after: int = 0, limit: int = EVERYTHING) -> list[int]:
        return [event.serial for event in self.log.after(after, limit)]


class AuditLogTests(AuditCase):
    def test_what_is_appended_is_read(self) -> None:
        events = [an_event(1, reason="a\nb\u2028\x85", address="::1"), an_event(1, action=Action.DELETE), an_event(2)]
        self.log.append(events[:2])
        self.log.append(events[2:])
        self.assertEqual(self.log.after(0, EVERYTHING), events)
        self.assertEqual(self.log.path.read_bytes().count(b"\n"), 3)

    def test_after_a_serial(self) -> None:
        self.log.append([an_event(1), an_event(2), an_event(2), an_event(5)])
        self.assertEqual(self.serials(after=1), [2, 2, 5])
        self.assertEqual(self.serials(after=1, limit=2), [2, 2])
        self.assertEqual(self.serials(after=4), [5])
        self.assertEqual(self.serials(after=5), [])

    def test_nothing_yet(self) -> None:
        self.assertEqual(self.serials(), [])
        self.log.prepare()
        self.log.prepare()
        self.assertEqual((self.serials(), self.files()), ([], ["audit.jsonl"]))

    def test_cut(self) -> None:
        self.log.append([an_event(1)])
        before = self.log.path.read_bytes()
        self.log.cut(self.log.append([an_event(2), an_event(3)]))
        self.assertEqual(self.log.path.read_bytes(), before)
        self.log.append([an_event(2)])
        self.assertEqual(self.serials(), [1, 2])

    def test_torn_last_line(self) -> None:
        """The next event has a line of its own all the same, also if it is taken back."""
        self.log.append([an_event(1)])
        with self.log.path.open("ab") as file:
            file.write(to_lines([an_event(2)])[:30])
        torn = self.log.path.read_bytes()
        self.log.cut(self.log.append([an_event(3)]))
        self.assertEqual(self.log.path.read_bytes(), torn)
        self.log.append([an_event(3)])
        self.assertEqual(self.serials(), [1, 3])

    def test_a_last_line_that_lacks_nothing_but_its_end_counts(self) -> None:
        self.log.append([an_event(1), an_event(2)])
        os.truncate(self.log.path, self.log.path.stat().st_size - 1)
        self.assertEqual(self.serials(), [1, 2])
        self.log.append([an_event(3)])
        self.assertEqual(self.serials(), [1, 2, 3])

    def test_a_disk_that_refuses_leaves_nothing_of_it(self) -> None:
        self.log.append([an_event(1)])
        before = self.log.path.read_bytes()
        write = os.write

        def half(descriptor: int, data: memoryview) -> int:
            if len(data) < 50:
                raise OSError(errno.ENOSPC, "full")
            return write(descriptor, data[: len(data) // 2])

        for refused in (patch("os.write", half), patch("os.fsync", side_effect=OSError(errno.EIO, "no disk"))):
            with refused, self.assertRaises(OSError):
                self.log.append([an_event(2), an_event(3)])
            self.assertEqual(self.log.path.read_bytes(), before)

    def test_lines_that_are_no_events_are_passed_over(self) -> None:
        with self.log.path.open("wb") as file:
            for line in (b"\0" * 100, b'{"serial": 1}', b"\xff\xfe", b"[]", b""):
                file.write(line + b"\n" + to_lines([an_event(1)]))
        self.assertEqual(self.serials(), [1] * 5)


class BisectionTests(AuditCase):
    @patient
    @given(
        steps=st.lists(st.tuples(st.integers(0, 3), st.sampled_from([0, 10, 300, 3000]), st.booleans()), max_size=40)
    )
    def test_nothing_later_is_missed(self, steps: list[tuple[int, int, bool]]) -> None:
        """However long the lines are, how many share a serial, and what lies between them."""
        serial, events, lines = 0, [], []
        for growth, length, is_event in steps:
            serial += growth
            event = an_event(serial, reason="x" * length)
            if is_event:
                events.append(event)
            lines.append(to_lines([event]) if is_event else b"x" * length + b"\n")
        self.log.path.write_bytes(b"".join(lines))
        with patch("pypid.storage.audit.BLOCK", 1000):
            for after in range(serial + 1):
                later = [event for event in events if event.serial > after]
                self.assertEqual(self.log.after(after, EVERYTHING), later)

    def test_little_of_a_long_log_is_read(self) -> None:
        self.log.append(an_event(serial) for serial in range(100_000))
        self.assertGreater(self.log.path.stat().st_size, 100 * BLOCK)
        with patch("pypid.storage.audit.read_line", wraps=read_line) as read:
            self.assertEqual(self.serials(after=99_990), list(range(99_991, 100_000)))
        self.assertLess(read.call_count, 2000)
