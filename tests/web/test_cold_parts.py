"""HEAD, parts and the whole of one file that is not here yet (B30, F14)."""

from pypid.indexes.refusals import REFUSED
from tests.kit.dists import wheel
from tests.kit.pages import PageStyle
from tests.kit.upstream import SetHeaders, Status
from tests.web.test_files import IMMUTABLE
from tests.web.world import STALL_TIMEOUT, Peer, WebTestCase

MIB = 2**20
LARGE = 15 * MIB


class ColdTestCase(WebTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.demo = self.index.add(wheel("demo", size=LARGE))
        self.content = self.demo.content
        self.size = len(self.content)
        self.path = self.index.file_path(self.demo)
        self.file = f"/files/demo/{self.demo.sha256[:16]}/{self.demo.filename}"

    def asking(self, method: str = "GET", **headers: str) -> Peer:
        peer = self.connect()
        peer.ask(method, self.file, {name.replace("_", "-"): value for name, value in headers.items()})
        self.flush()
        return peer

    def asked_upstream(self) -> list[tuple[str, str | None]]:
        return [(seen.method, seen.headers.get("range")) for seen in self.index.requests if seen.path == self.path]


class MixedTests(ColdTestCase):
    def test_head_parts_and_the_whole_are_one_transfer(self) -> None:
        held = self.index.hold_body(self.path)
        whole = self.asking()
        held.send(self.content[:MIB])
        self.flush()
        head, here, near = self.asking("HEAD"), self.asking(Range="bytes=5-9"), self.asking(Range=f"bytes={MIB}-")
        self.assertEqual(head.answer("HEAD").headers["Content-Length"], str(self.size))
        self.assertEqual(here.answer().body, self.content[5:10])
        self.assertEqual(near.received, b"")
        held.send(self.content[MIB:])
        held.finish()
        self.flush()
        self.assertEqual(near.answer().body, self.content[MIB:])
        self.assertEqual(whole.answer().body, self.content)
        self.assertEqual(self.asked_upstream(), [("GET", None)])

    def test_part_that_is_far_comes_at_once(self) -> None:
        held = self.index.hold_body(self.path)
        whole = self.asking()
        held.send(self.content[:MIB])
        answer = self.get(self.file, {"Range": "bytes=-10000"})
        self.assertEqual((answer.status, answer.body), (206, self.content[-10_000:]))
        held.send(self.content[MIB:])
        held.finish()
        self.flush()
        self.assertEqual(whole.answer().body, self.content)
        self.assertEqual(len(self.asked_upstream()), 2)

    def test_uv_and_poetry_look_at_the_end_without_fetching_the_wheel(self) -> None:
        length = self.ask("HEAD", self.file).headers["Content-Length"]
        tail = self.get(self.file, {"Range": f"bytes={int(length) - 16384}-{int(length) - 1}"})
        self.assertEqual((tail.status, tail.body), (206, self.content[-16384:]))
        self.assertEqual(tail.headers["Content-Range"], f"bytes {self.size - 16384}-{self.size - 1}/{self.size}")
        self.assertEqual([ranged is None for _, ranged in self.asked_upstream()], [False])
        self.assertEqual(self.kept_blobs(), set())


class UnverifiedTests(ColdTestCase):
    """What no digest vouches for is kept by nobody, and completes no download."""

    def test_part_that_may_be_wrong_is_kept_by_no_cache(self) -> None:
        self.assertEqual(self.get(self.file, {"Range": "bytes=-10"}).headers["Cache-Control"], "no-store")
        self.assertEqual(self.get(self.file).headers["Cache-Control"], IMMUTABLE)
        self.assertEqual(self.get(self.file, {"Range": "bytes=-10"}).headers["Cache-Control"], IMMUTABLE)

    def test_rest_of_a_download_is_verified(self) -> None:
        """curl and wget ask for everything from a byte on, pip says which file it has the beginning of."""
        wrong = Status(200, {}, self.content[:-1] + b"?")
        etag = f'"sha256:{self.demo.sha256}"'
        for headers in ({"Range": f"bytes={self.size - 10}-"}, {"Range": "bytes=-10", "If-Range": etag}):
            self.index.script(self.path, wrong, wrong)
            self.assertEqual(self.get(self.file, headers).status, 502)
            self.clock.advance(REFUSED)
        self.assertEqual(self.asked_upstream(), [("GET", None)] * 4)


class SlowTests(ColdTestCase):
    def test_client_that_stops_reading_ends_its_upstream_connection(self) -> None:
        peer = self.connect()
        peer.read_slowly()
        peer.ask("GET", self.file, {"Range": f"bytes={8 * MIB}-{12 * MIB}"})
        self.flush()
        self.clock.advance(STALL_TIMEOUT)
        self.assertTrue(peer.aborted)
        self.assertEqual(self.connections, 0)

    def test_client_that_leaves_ends_its_upstream_connection(self) -> None:
        self.index.hold_body(self.path)
        peer = self.asking(Range="bytes=-10")
        self.assertEqual(self.connections, 1)
        peer.leave()
        self.assertEqual(self.connections, 0)


class HeadTests(ColdTestCase):
    """B30: the headers of a GET, nothing else, and no transfer."""

    style = PageStyle(json=False)
    """Without sizes."""

    def test_head_says_what_get_says(self) -> None:
        head = self.ask("HEAD", self.file)
        self.assertEqual((self.asked_upstream(), head.body), ([("HEAD", None)], b""))
        whole = self.get(self.file)
        for name in ("Content-Length", "Content-Type", "ETag", "Accept-Ranges", "Cache-Control"):
            self.assertEqual(head.headers[name], whole.headers[name])
            self.assertIsNotNone(head.headers[name])

    def test_length_that_nobody_knows_is_left_out(self) -> None:
        self.index.script(self.path, SetHeaders({"Content-Length": None}))
        head = self.ask("HEAD", self.file)
        self.assertEqual((head.status, head.headers["Accept-Ranges"]), (200, "bytes"))
        self.assertNotIn("Content-Length", head.headers)
        self.assertNotIn("Transfer-Encoding", head.headers)
        self.assertEqual(self.asked_upstream(), [("HEAD", None)])
