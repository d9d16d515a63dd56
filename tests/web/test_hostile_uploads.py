"""B41, B50-B56, B58, B67, B68: whatever is uploaded is answered, and leaves nothing behind that is not published."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings

from tests.kit.dists import wheel
from tests.web.hostile_forms import Sent, uploads
from tests.web.world import ALICE, WebTestCase

JSON = {"Accept": "application/vnd.pypi.simple.v1+json"}


class HostileUploadTests(WebTestCase):
    def listed(self) -> dict[str, dict[str, Any]]:
        page = self.get("/own/simple/demo/", JSON)
        return {file["filename"]: file for file in json.loads(page.body)["files"]} if page.status == 200 else {}

    @settings(max_examples=200, deadline=None)
    @given(uploads)
    def test_any_upload(self, sent: Sent) -> None:
        before = self.listed()
        answer = self.ask("POST", "/own/", {**ALICE, "Content-Type": sent.content_type}, sent.body)
        self.assertIn(answer.status, {200, 400, 410, 413}, answer.text)
        self.assertNotIn("X-Evil", answer.headers)
        self.assertEqual(self.flushLoggedErrors(), [])
        self.assertEqual(self.staged(), [])
        after = self.listed()
        self.assertEqual({name: after.get(name) for name in before}, before)
        self.assertLessEqual(len(after) - len(before), int(answer.status == 200))
        digests = {file["hashes"]["sha256"] for file in after.values()}
        digests |= {file["core-metadata"]["sha256"] for file in after.values() if "core-metadata" in file}
        self.assertEqual(self.kept_blobs(), digests)

    def test_what_came_through_is_what_was_sent(self) -> None:
        """The checks above see an upload that is right."""
        dist = self.publish(wheel("demo"), "/own/")
        (file,) = self.listed().values()
        self.assertEqual(file["hashes"]["sha256"], dist.sha256)
        self.assertEqual(self.kept_blobs(), {dist.sha256, dist.metadata_sha256})
