"""A directory as an index, as clients see it."""

import json
import xmlrpc.client
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from pypid.domain.names import IndexName
from pypid.indexes.directory import DirectoryIndex
from pypid.indexes.looks import Looks
from pypid.indexes.overlaid import OverlaidIndex
from pypid.storage.loose_memory import LooseMemory
from pypid.web.snapshot import Snapshot
from tests.kit.dists import wheel
from tests.web.world import ALICE, WebTestCase

LOCAL = IndexName("local")
JSON = {"Accept": "application/vnd.pypi.simple.v1+json"}


class DirectoryWebTests(WebTestCase):
    def snapshot(self) -> Snapshot:
        temporary = TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.root = Path(temporary.name)
        memory = LooseMemory(self.database("cache"))
        self.looks = Looks(
            LOCAL, [self.root], memory=memory, offload=self.disk, now=self.clock.seconds, clock=self.clock
        )
        before = super().snapshot()
        shown = OverlaidIndex(DirectoryIndex(self.looks, self.disk), self.overlays)
        indexes = {**before.indexes, LOCAL: shown}
        rights = {**before.rights, LOCAL: self.rights}
        return replace(before, indexes=indexes, rights=rights, directories={LOCAL: (self.looks, 10.0)})

    def setUp(self) -> None:
        super().setUp()
        self.demo = wheel("demo", size=600_000)
        (self.root / self.demo.filename).write_bytes(self.demo.content)
        for _ in range(2):
            self.clock.advance(10)
            self.successResultOf(self.looks.look())
        (self.listed,) = json.loads(self.get("/local/simple/demo/", JSON).body)["files"]
        self.url = f"/local/files/demo/{self.demo.sha256[:16]}/{self.demo.filename}"

    def test_pages_lists_files_and_metadata_are_as_of_any_index(self) -> None:
        self.assertEqual(self.listed["hashes"], {"sha256": self.demo.sha256})
        self.assertEqual(self.listed["core-metadata"], {"sha256": self.demo.metadata_sha256})
        self.assertIn("upload-time", self.listed)
        self.assertEqual(json.loads(self.get("/local/simple/", JSON).body)["projects"], [{"name": "demo"}])
        self.assertIn(self.demo.filename, self.get("/local/packages/").text)
        whole = self.get(self.url)
        self.assertEqual((whole.status, whole.body), (200, self.demo.content))
        self.assertIn("immutable", whole.headers["Cache-Control"])
        self.assertEqual(self.get(f"{self.url}.metadata").body, self.demo.metadata)
        self.assertEqual(self.get("/local/simple/other/").status, 404)

    def test_release_is_blocked_and_never_deleted(self) -> None:
        """The files are somebody else's to change."""
        of_project = "/-/api/v1/indexes/local/projects/demo"
        headers = {**ALICE, "Content-Type": "application/json"}
        answer = self.ask("DELETE", f"{of_project}/releases/{self.demo.version}", ALICE)
        self.assertEqual((answer.status, "delete it there, or block it" in answer.text), (409, True))
        for mark, files in (("yank", 1), ("block", 0)):
            target = f"{of_project}/releases/{self.demo.version}/{mark}"
            self.assertEqual(self.ask("PUT", target, headers, b'{"reason": "broken"}').status, 200)
            self.assertEqual(len(json.loads(self.get("/local/simple/demo/", JSON).body)["files"]), files)
        self.assertEqual((self.get(self.url).status, "broken" in self.get(self.url).text), (403, True))

    def test_list_of_files_and_search_say_what_the_page_says(self) -> None:
        """pip takes from `--find-links` what it finds there."""
        headers = {**ALICE, "Content-Type": "application/json"}
        for mark, said in (("yank", 'data-yanked="broken"'), ("block", "")):
            target = f"/-/api/v1/indexes/local/projects/demo/{mark}"
            self.assertIn(self.demo.filename, self.get("/local/packages/").text)
            self.assertEqual(self.ask("PUT", target, headers, b'{"reason": "broken"}').status, 200)
            listed = self.get("/local/packages/").text
            self.assertEqual((said in listed, self.demo.filename in listed), (True, mark == "yank"), mark)
            call = xmlrpc.client.dumps(({"name": "demo"},), "search").encode()
            hits = self.ask("POST", "/local/pypi/", {"Content-Type": "text/xml"}, call).text
            self.assertEqual("<string>demo</string>" in hits, mark == "yank")
        self.assertEqual(self.ask("DELETE", target, ALICE).status, 200)
        self.assertIn('data-yanked="broken"', self.get("/local/packages/").text)

    def test_ranges(self) -> None:
        for given, expected in (
            ("bytes=10-19", slice(10, 20)),
            ("bytes=-5", slice(-5, None)),
            ("bytes=5-", slice(5, None)),
        ):
            part = self.get(self.url, {"Range": given})
            self.assertEqual((part.status, part.body), (206, self.demo.content[expected]))

    def test_upload_is_told_to_copy_the_file(self) -> None:
        answer = self.upload(self.demo, "/local/")
        self.assertEqual(answer.status, 403)
        self.assertIn("copy the file into its directory", answer.text)

    def test_file_that_changes_while_it_is_sent_is_cut_off(self) -> None:
        """A42, A43: never ended as if it were whole."""
        peer = self.connect()
        peer.read_slowly()
        peer.ask("GET", self.url)
        with (self.root / self.demo.filename).open("r+b") as file:
            file.seek(-1000, 2)
            file.write(b"other")
        while not peer.closed:
            peer.read_on()
        self.assertTrue(peer.aborted)
        self.assertNotIn(self.demo.content[-1000:], peer.received)
        self.assertEqual(self.get(self.url).status, 503)

    def test_directory_that_is_gone_is_an_outage(self) -> None:
        self.root.rename(self.root.with_name(f"{self.root.name}-away"))
        self.addCleanup(self.root.with_name(f"{self.root.name}-away").rename, self.root)
        self.clock.advance(10)
        self.successResultOf(self.looks.look())
        for target in ("/local/simple/demo/", "/local/simple/other/", self.url, f"{self.url}.metadata"):
            answer = self.get(target)
            self.assertEqual(answer.status, 503, target)
            self.assertIn("Retry-After", answer.headers)
        self.assertEqual(self.get("/local/simple/").status, 200)
