"""Files, whole and in parts: what pip resumes, what caches keep, what never changes."""

from tests.kit.dists import sdist, wheel
from tests.web.world import Answer, WebTestCase

IMMUTABLE = "max-age=365000000, immutable, public"


class FilesTestCase(WebTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.demo = self.publish(wheel("demo", size=2**19))
        self.content = self.demo.content
        self.size = len(self.content)
        self.file = f"/files/demo/{self.demo.sha256[:16]}/{self.demo.filename}"
        self.etag = f'"sha256:{self.demo.sha256}"'

    def part(self, wanted: str, **headers: str) -> Answer:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.get(self.file, {"Range": wanted, **given})


class WholeTests(FilesTestCase):
    def test_file_comes_with_all_that_caches_and_clients_ask_for(self) -> None:
        answer = self.get(self.file)
        self.assertEqual((answer.status, answer.body), (200, self.content))
        expected = {
            "Content-Length": str(self.size),
            "Content-Type": "application/octet-stream",
            "ETag": self.etag,
            "Accept-Ranges": "bytes",
            "Cache-Control": IMMUTABLE,
            "X-Content-Type-Options": "nosniff",
        }
        self.assertEqual({name: answer.headers[name] for name in expected}, expected)
        self.assertNotIn("Content-Encoding", answer.headers)

    def test_file_is_never_compressed(self) -> None:
        """pdm offers gzip even for wheels, and would compare the digest of what it has not asked for."""
        source = self.publish(sdist("source"))
        other = self.index.add(wheel("other"))
        files: dict[str, bytes | None] = {self.file: self.content}
        for dist in (source, other):
            files[f"/files/{dist.project}/{dist.sha256[:16]}/{dist.filename}"] = dist.content
        files[f"{self.file}.metadata"] = self.demo.metadata
        for coding in ("gzip, deflate", "zstd,gzip,deflate", "gzip, deflate, br, zstd", "*", "gzip, identity;q=0"):
            for target, content in files.items():
                answer = self.get(target, {"Accept": "*/*", "Accept-Encoding": coding})
                self.assertEqual((answer.status, answer.body), (200, content), (coding, target))
                self.assertNotIn("Content-Encoding", answer.headers)
                self.assertNotIn("Vary", answer.headers)

    def test_metadata_is_served_beside_the_file(self) -> None:
        answer = self.get(f"{self.file}.metadata")
        self.assertEqual((answer.status, answer.body), (200, self.demo.metadata))
        self.assertEqual(answer.headers["Content-Length"], str(len(answer.body)))
        self.assertEqual(answer.headers["ETag"], f'"sha256:{self.demo.metadata_sha256}"')
        self.assertEqual(self.get(f"{self.file}.metadata", {"Range": "bytes=0-7"}).body, answer.body[:8])

    def test_client_that_has_it_gets_304(self) -> None:
        for tag in (self.etag, f"W/{self.etag}", f'"x", {self.etag}', "*"):
            answer = self.get(self.file, {"If-None-Match": tag, "Range": "bytes=0-0"})
            self.assertEqual((answer.status, answer.body), (304, b""), tag)
            self.assertEqual((answer.headers["ETag"], answer.headers["Cache-Control"]), (self.etag, IMMUTABLE))
        self.assertEqual(self.get(self.file, {"If-Modified-Since": "Fri, 31 Dec 9999 23:59:59 GMT"}).status, 200)
        for tag in ('"x"', self.demo.sha256, f'"{self.demo.sha256}"'):
            self.assertEqual(self.get(self.file, {"If-None-Match": tag}).status, 200, tag)

    def test_mirrored_file_is_the_same_cold_and_kept(self) -> None:
        other = self.index.add(wheel("other", size=2**19))
        for _ in range(2):
            answer = self.get(f"/files/other/{other.sha256[:16]}/{other.filename}")
            self.assertEqual((answer.status, answer.body), (200, other.content))
            self.assertEqual(answer.headers["ETag"], f'"sha256:{other.sha256}"')
            self.assertEqual(answer.headers["Content-Length"], str(len(other.content)))
        self.assertEqual(self.index.count("GET", self.index.file_path(other)), 1)


class RangeTests(FilesTestCase):
    """B23 to B25."""

    def test_parts(self) -> None:
        end = self.size - 1
        for wanted, first, last in (
            ("bytes=0-0", 0, 0),
            ("bytes=1-3", 1, 3),
            ("bytes=0-", 0, end),
            ("bytes=300000-", 300_000, end),
            (f"bytes={end}-", end, end),
            ("bytes=-1", end, end),
            ("bytes=-999999999", 0, end),
            (f"bytes=5-{10**30}", 5, end),
            ("BYTES = 7-9", 7, 9),
        ):
            answer = self.part(wanted)
            self.assertEqual((answer.status, answer.body), (206, self.content[first : last + 1]), wanted)
            self.assertEqual(answer.headers["Content-Range"], f"bytes {first}-{last}/{self.size}")
            self.assertEqual(answer.headers["Content-Length"], str(last - first + 1))
            self.assertEqual((answer.headers["ETag"], answer.headers["Cache-Control"]), (self.etag, IMMUTABLE))

    def test_parts_that_there_are_not(self) -> None:
        for wanted in (f"bytes={self.size}-", f"bytes={10**30}-", "bytes=-0", f"bytes={self.size}-{self.size + 5}"):
            answer = self.part(wanted)
            self.assertEqual(answer.status, 416, wanted)
            self.assertEqual(answer.headers["Content-Range"], f"bytes */{self.size}")
            self.assertEqual(answer.headers["Cache-Control"], "no-store")

    def test_what_is_no_single_range_is_the_whole_file_once(self) -> None:
        many = "bytes=" + ",".join(f"{n}-{n}" for n in range(1000))
        for wanted in ("bytes=5-2", "items=0-1", "bytes=", "bytes=-", "bytes=a-b", "bytes=0-1,3-4", many, "0-1"):
            answer = self.part(wanted)
            self.assertEqual((answer.status, answer.body), (200, self.content), wanted[:30])
            self.assertNotIn("Content-Range", answer.headers)

    def test_part_is_sent_only_of_the_file_that_the_client_began(self) -> None:
        self.assertEqual(self.part("bytes=5-", If_Range=self.etag).status, 206)
        for other in ('"sha256:0"', f"W/{self.etag}", "Wed, 21 Oct 2015 07:28:00 GMT", "*", ""):
            answer = self.part("bytes=5-", If_Range=other)
            self.assertEqual((answer.status, answer.body), (200, self.content), other)

    def test_head_has_the_length_of_the_whole(self) -> None:
        answer = self.ask("HEAD", self.file, {"Range": "bytes=0-0"})
        self.assertEqual((answer.status, answer.headers["Content-Length"]), (200, str(self.size)))

    def test_parts_of_a_cold_file(self) -> None:
        """uv reads the end of a wheel first."""
        other = self.index.add(wheel("other", size=2**19))
        target = f"/root/pypi/files/other/{other.sha256[:16]}/{other.filename}"
        answer = self.get(target, {"Range": "bytes=-1000"})
        self.assertEqual((answer.status, answer.body), (206, other.content[-1000:]))
        self.assertEqual(self.get(target, {"Range": "bytes=9-99"}).body, other.content[9:100])
