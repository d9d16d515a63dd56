"""The same bytes uploaded here and mirrored from upstream (F11)."""

from __future__ import annotations

from tests.kit.dists import Dist, wheel
from tests.kit.upstream import Barrier, Hold
from tests.web.world import Answer, WebTestCase


class SharedBlobTests(WebTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.demo: Dist = wheel("demo", size=300_000)
        self.index.add(self.demo)

    def file_of(self, index: str) -> str:
        return f"/{index}/files/demo/{self.demo.sha256[:16]}/{self.demo.filename}"

    def file(self, index: str) -> Answer:
        return self.get(self.file_of(index))

    def check(self, *, fetched: int) -> None:
        for index in ("own", "root/pypi"):
            self.assertEqual(self.file(index).body, self.demo.content, index)
        self.assertEqual(self.index.count("GET", self.index.file_path(self.demo)), fetched)
        self.assertIn(self.demo.sha256, self.kept_blobs())

    def test_f11_uploaded_first(self) -> None:
        self.publish(self.demo, "/own/")
        self.check(fetched=0)

    def test_f11_mirrored_first(self) -> None:
        self.assertEqual(self.file("root/pypi").body, self.demo.content)
        self.publish(self.demo, "/own/")
        self.check(fetched=1)

    def test_f11_uploaded_in_the_middle_of_its_transfer(self) -> None:
        self.index.script(self.index.file_path(self.demo), Hold(barrier := Barrier(), at=100_000))
        peer = self.connect()
        peer.ask("GET", self.file_of("root/pypi"))
        self.flush()
        self.publish(self.demo, "/own/")
        barrier.release()
        self.flush()
        self.assertEqual(peer.answer().body, self.demo.content)
        self.check(fetched=1)
