"""What caches and clients are told of the core metadata beside a mirrored wheel."""

from __future__ import annotations

import random

from tests.kit.dists import wheel
from tests.web.test_files import IMMUTABLE
from tests.web.world import Answer, WebTestCase

LIBRARY = {"demo/lib.so": random.Random(0).randbytes(2**20)}


class CoreMetadataTestCase(WebTestCase):
    claimed = True

    def setUp(self) -> None:
        super().setUp()
        self.demo = self.index.add(wheel("demo", extra_files=LIBRARY), core_metadata=self.claimed)
        self.file = f"/files/demo/{self.demo.sha256[:16]}/{self.demo.filename}"

    def metadata(self, method: str = "GET", **headers: str) -> Answer:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.ask(method, f"{self.file}.metadata", given)


class ClaimedTests(CoreMetadataTestCase):
    def test_what_has_the_digest_that_was_claimed_is_for_good(self) -> None:
        for _ in ("fetched now", "kept"):
            self.assertEqual(self.metadata().headers["Cache-Control"], IMMUTABLE)
        self.assertEqual(self.index.count(glob="*.metadata"), 1)


class ReadFromPartsTests(CoreMetadataTestCase):
    """Upstream has none beside the wheel, so it is read from the wheel's last part: nothing vouches for that."""

    claimed = False

    def test_no_cache_keeps_what_may_be_wrong(self) -> None:
        answer = self.metadata()
        self.assertEqual((answer.body, answer.headers["Cache-Control"]), (self.demo.metadata, "no-store"))
        for again in (
            self.metadata("HEAD"),
            self.metadata(Range="bytes=0-7"),
            self.metadata(If_None_Match=answer.headers["ETag"]),
        ):
            self.assertEqual(again.headers["Cache-Control"], "no-store", again.status)

    def test_it_is_for_good_once_the_wheel_is_here(self) -> None:
        self.metadata()
        self.get(self.file)
        answer = self.metadata()
        self.assertEqual((answer.body, answer.headers["Cache-Control"]), (self.demo.metadata, IMMUTABLE))

    def test_head_says_what_get_does(self) -> None:
        """Also of what nobody has read yet, which is then read: its length and digest cannot be told otherwise."""
        head, answer = self.metadata("HEAD"), self.metadata()
        self.assertEqual((head.status, head.body), (200, b""))
        self.assertEqual(head.headers["Content-Length"], str(len(answer.body)))
        self.assertEqual(head.headers.items(), answer.headers.items())
