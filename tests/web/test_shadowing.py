"""B57: uploads to a name that people here have from a mirror."""

from __future__ import annotations

from dataclasses import replace

from pypid.domain.upload_rules import Shadowing, UploadRules
from tests.indexes.stores import MIRROR
from tests.kit.dists import wheel
from tests.web.world import MAIN, WebTestCase


class ShadowingTests(WebTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.theirs = self.index.add(wheel("demo"))
        self.ours = wheel("demo", "2.0")

    def rule(self, shadowing: Shadowing) -> None:
        rules = UploadRules(shadowing=shadowing, mirrors=(MIRROR,))
        hosted = {**self.current.value.hosted, MAIN: rules}
        self.current.value = replace(self.current.value, hosted=hosted)

    def test_refused_where_it_is_in_use(self) -> None:
        """An index that is not above the mirror may have it: nobody's installations change."""
        self.rule(Shadowing.REFUSE)
        self.assertEqual(self.get("/main/simple/demo/").status, 200)
        answer = self.upload(self.ours, "/main/")
        self.assertEqual(answer.status, 400)
        for said in ("demo is in use here as a project of root/pypi", "shadowing"):
            self.assertIn(said, answer.reason)
        self.assertEqual((self.kept_blobs(), self.kept_sidecars(), self.staged()), (set(), [], []))
        self.assertIn(self.theirs.filename, self.get("/main/simple/demo/").text)
        self.assertEqual(self.upload(self.ours, "/own/").status, 200)

    def test_upstream_is_never_told_a_name(self) -> None:
        """It may be a private one. Who comes first to a name that nobody here uses takes it, and keeps it."""
        self.rule(Shadowing.REFUSE)
        self.publish(self.ours, "/main/")
        self.assertEqual(self.index.requests, [])
        self.assertEqual(self.get("/root/pypi/simple/demo/").status, 200)
        self.publish(wheel("demo", "3.0"), "/main/")

    def test_warned_of(self) -> None:
        self.rule(Shadowing.WARN)
        self.get("/main/simple/demo/")
        answer = self.upload(self.ours, "/main/")
        self.assertEqual(answer.status, 200)
        self.assertIn("demo is in use here as a project of root/pypi", answer.text)
        self.publish(wheel("demo", "3.0"), "/main/")

    def test_allowed(self) -> None:
        self.rule(Shadowing.ALLOW)
        self.get("/main/simple/demo/")
        self.publish(self.ours, "/main/")
        self.assertNotIn(self.theirs.filename, self.get("/main/simple/demo/").text)
