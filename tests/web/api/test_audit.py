"""The audit log through the management API."""

from __future__ import annotations

from typing import Any

from tests.web.api.world import DEMO, ApiTestCase


class AuditTests(ApiTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.told("PUT", f"{DEMO}/releases/1.0/yank", {"reason": "bad"})
        self.told("DELETE", DEMO)

    def events(self, query: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.told("GET", f"audit?{query}")["events"]
        return found

    def test_who_did_what_when_and_from_where(self) -> None:
        events = self.events("")
        actions = ["publish"] * 3 + ["yank"] * 2 + ["delete"] * 3
        self.assertEqual([event["action"] for event in events], actions)
        yank = events[3]
        self.assertEqual((yank["user"], yank["address"], yank["reason"]), ("alice", "127.0.0.1", "bad"))
        self.assertEqual((yank["serial"], yank["time"][:11]), (4, "1970-01-01T"))

    def test_pages_together_are_the_whole(self) -> None:
        """Also where a page would end in the midst of a change."""
        for limit in (1, 2, 4, 100):
            seen: list[dict[str, Any]] = []
            after: int | None = 0
            while after is not None:
                page = self.told("GET", f"audit?after={after}&limit={limit}")
                seen += page["events"]
                after = page["last_serial"]
            self.assertEqual(seen, self.events(""), limit)

    def test_newest(self) -> None:
        self.assertEqual(self.events("newest=2"), self.events("")[-2:])
        self.assertEqual(self.events("newest=1000"), self.events(""))

    def test_nothing_came_later(self) -> None:
        self.assertEqual(self.told("GET", "audit?after=99"), {"events": [], "last_serial": None})

    def test_numbers_that_are_none(self) -> None:
        for query in (
            "after=-1",
            "limit=0",
            "limit=1001",
            "newest=x",
            "limit=",
            "after=1&after=2",
        ):
            self.refused(400, "GET", f"audit?{query}")
