"""A mirror whose upstream asks it in turn (A58)."""

from __future__ import annotations

from dataclasses import replace

from pypid.domain.circle import HEADER, read_marks
from tests.indexes.stores import MARK
from tests.kit.dists import wheel
from tests.kit.upstream import Status
from tests.upstream.network import ASKING, client_over
from tests.web.test_cache_status import said
from tests.web.world import WebTestCase

OTHER = "pypid-00000000000000aa"
PAGE = "/simple/demo/"


class CircleTests(WebTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.demo = self.index.add(wheel("demo"))
        self.client = client_over(self.agent, self.clock, rules=replace(ASKING, mark=MARK))
        self.current.value = self.snapshot()

    def marks_sent(self) -> list[tuple[str, ...]]:
        return [read_marks(request.headers.get(HEADER.lower())) for request in self.index.requests]

    def test_a58_upstream_is_told_by_whom_it_is_asked(self) -> None:
        """Also behind the answer, and each time of that request's own."""
        self.get(PAGE)
        self.get("/simple/other/", {HEADER: f"cdn.example, {OTHER}"})
        self.get("/simple/third/")
        self.assertEqual(self.marks_sent(), [(MARK,), (OTHER, MARK), (MARK,)])

    def test_a58_its_own_question_is_refused_and_asked_of_nobody(self) -> None:
        for target in (PAGE, "/root/pypi/simple/demo/", f"/files/demo/{self.demo.sha256[:16]}/{self.demo.filename}"):
            answer = self.get(target, {HEADER: f"{MARK}, {OTHER}"})
            self.assertEqual(answer.status, 508)
            self.assertIn("circle", answer.reason)
            self.assertIn("detail=loop", said(answer))
        self.assertEqual(self.index.requests, [])

    def test_a58_nobody_waits_for_what_waits_for_him(self) -> None:
        first, second = self.connect(), self.connect()
        first.ask("GET", PAGE)
        second.ask("GET", PAGE, {HEADER: f"{MARK}, {OTHER}"})
        self.assertEqual(second.answer().status, 508)
        self.flush()
        self.assertEqual(first.answer().status, 200)

    def test_a58_what_is_hosted_here_is_answered_however_it_is_asked(self) -> None:
        """Two that mirror each other each have projects of their own."""
        self.publish(wheel("own"))
        self.assertEqual(self.get("/simple/own/", {HEADER: f"{MARK}, {OTHER}"}).status, 200)

    def test_a58_the_mirror_before_says_the_same_and_takes_nobody_for_down(self) -> None:
        self.index.script("/simple/*", Status(508), times=None)
        for number in range(5):
            answer = self.get(f"/simple/project-{number}/")
            self.assertEqual(answer.status, 508)
            self.assertIn("detail=loop", said(answer))
        self.index.heal()
        self.assertEqual(self.get(PAGE).status, 200)
