"""URLs that mean to leave the index (B26): no spelling of one reaches a file, or a name that is none."""

from tests.kit.dists import wheel
from tests.web.world import WebTestCase

SEGMENTS = (
    "..", ".", "%2e%2e", "%2E.", "..%2f", "%2f", "%2F%2F..%2F..", "..%5c..%5c", "%5c", "%00", "demo%00", "a%0d%0ab",
    "%252e%252e", "%252f", "%c0%ae%c0%ae", "%c0%af", "%ff", "..;x", ";x", "demo;x=1", "C:%5cx", "c:", "~root", "",
    "%E2%84%AA", "%C4%B0", "-demo", "demo-", "a" * 300, "a" * 8_000, "%2fetc%2fpasswd", "*", "demo%20", "%20",
)  # fmt: skip


class TraversalTests(WebTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.demo = self.publish(wheel("demo"))
        self.digest = self.demo.sha256[:16]
        self.addCleanup(lambda: self.assertEqual(self.index.requests, [], "upstream is asked for no such name"))

    def refused(self, target: str) -> None:
        answer = self.get(target)
        self.assertIn(answer.status, (400, 404), target)
        self.assertLess(len(answer.body), 1000)
        # Klein logs what is no UTF-8.
        self.flushLoggedErrors(UnicodeDecodeError)

    def test_in_place_of_a_project(self) -> None:
        for segment in SEGMENTS:
            if segment:  # else it is the list
                self.refused(f"/simple/{segment}/")
            self.refused(f"/main/simple/{segment}/x")
            self.refused(f"/files/{segment}/{self.digest}/{self.demo.filename}")

    def test_in_place_of_an_index(self) -> None:
        for segment in SEGMENTS:
            if segment.strip("%2fF"):  # else it is a leading slash more, which Werkzeug drops
                self.refused(f"/{segment}/simple/demo/")
            self.refused(f"/main/{segment}/simple/demo/")

    def test_in_place_of_a_digest_or_a_file(self) -> None:
        for segment in SEGMENTS:
            self.refused(f"/files/demo/{segment}/{self.demo.filename}")
            self.refused(f"/files/demo/{self.digest}/{segment}")
            self.refused(f"/files/demo/{self.digest}/{segment}.metadata")
            self.refused(f"/files/demo/{self.digest}/{segment}.provenance")
            self.refused(f"/files/demo/{self.digest}/{segment}/{self.demo.filename}")
            self.refused(f"/files/demo/{self.digest}/{segment}%2f{self.demo.filename}")

    def test_paths_that_other_servers_fell_for(self) -> None:
        for target in (
            "/%2F%2F..%2F..%2Fetc%2Fpasswd",
            "//etc/passwd",
            "/files/../../hosted.db",
            f"/blobs/{self.demo.sha256[:2]}/{self.demo.sha256}",
            "/static/%2e%2e/%2e%2e/etc/passwd",
            "/simple/demo/../../../etc/passwd",
            "/simple/demo/#/../../etc/passwd",
        ):
            self.refused(target)

    def test_leading_slash_more_leads_nowhere_else(self) -> None:
        file = f"/files/demo/{self.digest}/{self.demo.filename}"
        for target in ("/simple/demo/", file):
            for slashes in ("/", "//", "/%2f"):
                self.assertEqual(self.get(slashes + target).body, self.get(target).body)

    def test_digest_must_be_that_of_the_file(self) -> None:
        for digest in ("0" * 16, self.digest.upper(), self.digest[:15], self.demo.sha256):
            self.refused(f"/files/demo/{digest}/{self.demo.filename}")
        self.assertEqual(self.get(f"/files/demo/{self.digest}/{self.demo.filename}").status, 200)
