import json
from typing import Any

import treq
from treq.testing import StubTreq
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import ResponseFailed

from tests.kit.dists import wheel
from tests.kit.pages import JSON
from tests.kit.upstream import (
    Barrier,
    Fin,
    Hold,
    Rst,
    ScriptedIndex,
    Status,
    upstream_resource,
)

DEMO = wheel("demo", "1.0", requires_python=">=3.9", size=10_000)
PAGE = "/simple/demo/"


class InMemoryTests(SynchronousTestCase):
    """The same description without a socket."""

    def setUp(self) -> None:
        self.index = ScriptedIndex()
        self.index.add(DEMO)
        self.treq: Any = StubTreq(upstream_resource(self.index))
        self.url = "http://upstream.test" + self.index.file_path(DEMO)

    def test_page_and_file(self) -> None:
        response = self.successResultOf(self.treq.get(f"http://upstream.test{PAGE}", headers={"Accept": JSON}))
        page = json.loads(self.successResultOf(treq.content(response)))
        self.assertEqual(page["files"][0]["url"], self.url)
        response = self.successResultOf(self.treq.get(self.url))
        self.assertEqual(self.successResultOf(treq.content(response)), DEMO.content)
        self.assertEqual(self.index.paths(), [PAGE, self.url.removeprefix("http://upstream.test")])

    def test_status_and_not_modified(self) -> None:
        self.index.script(PAGE, Status(429, {"Retry-After": "3"}))
        response = self.successResultOf(self.treq.get(f"http://upstream.test{PAGE}"))
        self.assertEqual((response.code, response.headers.getRawHeaders("retry-after")), (429, ["3"]))
        response = self.successResultOf(self.treq.get(f"http://upstream.test{PAGE}"))
        (etag,) = response.headers.getRawHeaders("etag")
        headers = {"If-None-Match": etag}
        response = self.successResultOf(self.treq.get(f"http://upstream.test{PAGE}", headers=headers))
        self.assertEqual(response.code, 304)

    def test_head(self) -> None:
        response = self.successResultOf(self.treq.head(self.url))
        self.assertEqual(response.headers.getRawHeaders("content-length"), [str(len(DEMO.content))])

    def test_body_by_hand(self) -> None:
        held = self.index.hold_body("/packages/*")
        response = self.successResultOf(self.treq.get(self.url, unbuffered=True))
        got: list[bytes] = []
        done = treq.collect(response, got.append)
        for part in (DEMO.content[:100], DEMO.content[100:]):
            self.assertNoResult(done)
            held.send(part)
            self.treq.flush()
            self.assertEqual(got[-1], part)
        held.finish()
        self.treq.flush()
        self.successResultOf(done)
        self.assertEqual(b"".join(got), DEMO.content)

    def test_broken_body(self) -> None:
        """A client in memory, too, must not take a cut body for whole."""
        self.index.script("/packages/*", Rst(at=100), Hold(barrier := Barrier(), at=100) | Fin(at=200))
        response = self.successResultOf(self.treq.get(self.url))
        self.failureResultOf(treq.content(response), ResponseFailed)
        response = self.successResultOf(self.treq.get(self.url))
        content = treq.content(response)
        self.assertNoResult(content)
        barrier.release()
        self.treq.flush()
        self.failureResultOf(content, ResponseFailed)
