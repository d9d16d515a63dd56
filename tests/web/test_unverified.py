"""What clients are told of files whose upstream does not say their sha256."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urljoin

from tests.kit.dists import wheel
from tests.kit.pages import JSON, PageStyle
from tests.web.world import WebTestCase

HTML = "text/html"


class UnverifiedTests(WebTestCase):
    style = PageStyle(json=False, hashes=False)

    def setUp(self) -> None:
        super().setUp()
        self.demo = self.index.add(wheel("demo"))

    def target(self) -> str:
        return urljoin("/simple/demo/", str(self.entry()["url"]))

    def entry(self) -> dict[str, Any]:
        (entry,) = json.loads(self.get("/simple/demo/", {"Accept": JSON}).body)["files"]
        return dict(entry)

    def test_page_marks_it_and_says_its_sha256_when_that_is_known(self) -> None:
        entry = self.entry()
        self.assertEqual((entry["hashes"], entry["_pypid-unverified"]), ({}, True))
        self.assertNotIn("#sha256=", self.get("/simple/demo/", {"Accept": HTML}).text)
        self.assertEqual(self.get(self.target()).body, self.demo.content)
        entry = self.entry()
        self.assertEqual((entry["hashes"], entry["_pypid-unverified"]), ({"sha256": self.demo.sha256}, True))
        self.assertIn(f"#sha256={self.demo.sha256}", self.get("/simple/demo/", {"Accept": HTML}).text)

    def test_file_that_upstream_vouches_for_has_no_mark(self) -> None:
        self.index.style = PageStyle()
        self.assertNotIn("_pypid-unverified", self.entry())

    def test_caches_ask_again_and_are_told_that_it_is_the_same(self) -> None:
        """Its URL does not hold its digest: another file may be there one day."""
        target = self.target()
        head = self.ask("HEAD", target)
        self.assertEqual((head.status, head.headers["ETag"], head.headers["Cache-Control"]), (200, None, "no-cache"))
        for _ in range(2):
            answer = self.get(target)
            self.assertEqual(answer.headers["ETag"], f'"sha256:{self.demo.sha256}"')
            self.assertEqual(answer.headers["Cache-Control"], "no-cache")
        again = self.get(target, {"If-None-Match": answer.headers["ETag"]})
        self.assertEqual((again.status, again.headers["Cache-Control"]), (304, "no-cache"))

    def test_part_of_it_is_served_before_it_is_here(self) -> None:
        target = self.target()
        part = self.get(target, {"Range": "bytes=0-9"})
        self.assertEqual((part.status, part.body), (206, self.demo.content[:10]))
        stale = self.get(target, {"Range": "bytes=0-9", "If-Range": '"something"'})
        self.assertEqual((stale.status, stale.body), (200, self.demo.content))
