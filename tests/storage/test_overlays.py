"""Rules over other people's projects, as they are kept."""

from __future__ import annotations

import json

from packaging.version import Version

from pypid.domain.audit import Action
from pypid.domain.files import Status
from pypid.domain.overlay import Kind, Rule
from pypid.domain.subject import Subject
from pypid.storage.hosted_changes import Deed
from pypid.storage.overlays import Overlays
from tests.storage.rows import ALICE, DEMO, MAIN, OTHER, TWO, RecordsCase

DEED = Deed(index=MAIN, actor=ALICE, at="2026-01-02T03:04:05.000006+00:00")
YANK = Rule(subject=Subject(project=DEMO, version=Version("1.0")), kind=Kind.YANK, reason="broken")


class OverlaysTests(RecordsCase):
    def setUp(self) -> None:
        super().setUp()
        self.overlays = self.opened()

    def opened(self) -> Overlays:
        records = self.hosted_records()
        return Overlays(records._database, records._journal)

    def rules(self, project: str = DEMO) -> list[tuple[str, str, str]]:
        found = self.result(self.overlays.of(MAIN, project))  # type: ignore[arg-type]
        return [(str(rule.subject), rule.kind.value, rule.reason) for rule in found]

    def test_made_kept_and_taken_away(self) -> None:
        self.assertEqual(self.rules(), [])
        self.assertTrue(self.result(self.overlays.make(DEED, YANK)))
        self.assertEqual(self.rules(), [("demo 1.0", "yank", "broken")])
        self.assertEqual(self.rules(OTHER), [])
        self.assertEqual(self.result(self.overlays.of(TWO, DEMO)), ())
        self.overlays = self.opened()
        self.assertEqual(self.rules(), [("demo 1.0", "yank", "broken")])
        self.assertTrue(self.result(self.overlays.unmake(DEED, YANK.subject, Kind.YANK)))
        self.assertEqual(self.rules(), [])

    def test_nothing_changes_twice(self) -> None:
        self.assertFalse(self.result(self.overlays.unmake(DEED, YANK.subject, Kind.YANK)))
        self.assertTrue(self.result(self.overlays.make(DEED, YANK)))
        self.assertFalse(self.result(self.overlays.make(DEED, YANK)))
        self.assertEqual(len(self.audit.after(0, 10)), 1)

    def test_version_may_be_spelled_otherwise_than_when_the_rule_was_made(self) -> None:
        """1 and 1.0 are one release: who takes back what blocks the one has the other free again."""
        one, other = YANK.subject, Subject(project=DEMO, version=Version("1"))
        self.assertTrue(self.result(self.overlays.make(DEED, YANK)))
        self.assertFalse(self.result(self.overlays.make(DEED, Rule(subject=other, kind=Kind.YANK, reason="broken"))))
        self.assertTrue(self.result(self.overlays.make(DEED, Rule(subject=other, kind=Kind.YANK, reason="worse"))))
        self.assertEqual(self.rules(), [("demo 1.0", "yank", "worse")])
        self.assertTrue(self.result(self.overlays.unmake(DEED, other, Kind.YANK)))
        self.assertEqual(self.rules(), [])
        self.assertFalse(self.result(self.overlays.unmake(DEED, one, Kind.YANK)))

    def test_other_reason_replaces_and_other_kind_adds(self) -> None:
        self.result(self.overlays.make(DEED, YANK))
        self.result(self.overlays.make(DEED, Rule(subject=YANK.subject, kind=Kind.YANK, reason="worse")))
        self.result(self.overlays.make(DEED, Rule(subject=YANK.subject, kind=Kind.BLOCK, reason="malware")))
        self.assertEqual(self.rules(), [("demo 1.0", "yank", "worse"), ("demo 1.0", "block", "malware")])

    def test_audit_and_sidecar(self) -> None:
        """Both say what was done, and the sidecar what is in force: hosted.db can be rebuilt from it."""
        status = Rule(subject=Subject(project=DEMO), kind=Kind.STATUS, status=Status.ARCHIVED, reason="old")
        self.result(self.overlays.make(DEED, YANK))
        self.result(self.overlays.make(DEED, status))
        self.result(self.overlays.unmake(DEED, YANK.subject, Kind.YANK))
        events = self.audit.after(0, 10)
        self.assertEqual([event.action for event in events], [Action.YANK, Action.SET_STATUS, Action.UNYANK])
        self.assertEqual([event.serial for event in events], [1, 2, 3])
        self.assertEqual((events[0].version, events[0].user, events[0].address), ("1.0", "alice", "192.0.2.1"))
        self.assertEqual((events[1].status, events[1].reason), ("archived", "old"))
        record = json.loads(self.sidecars.path(MAIN, DEMO, ".overlay").read_bytes())
        self.assertEqual(
            record["rules"],
            [
                {
                    "version": "",
                    "filename": "",
                    "kind": "status",
                    "status": "archived",
                    "reason": "old",
                    "serial": 2,
                    "made_at": DEED.at,
                    "made_by": "alice",
                }
            ],
        )
