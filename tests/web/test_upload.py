"""Uploading: what twine, uv, poetry and hand-written scripts send, and what each is told."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from unittest.mock import patch

from pypid.domain.upload_rules import UploadRules
from pypid.web.snapshot import Snapshot
from tests.kit.dists import Dist, sdist, wheel
from tests.web.forms import chunked, fields_of, form, multipart, part
from tests.web.world import ALICE, MAX_UPLOAD, OWN, Answer, WebTestCase


class UploadTestCase(WebTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.demo = wheel("demo", requires_python=">=3.8")

    def send(self, typed: tuple[str, bytes], target: str = "/") -> Answer:
        content_type, body = typed
        return self.ask("POST", target, {**ALICE, "Content-Type": content_type}, body)

    def served(self, dist: Dist) -> bytes:
        return self.get(f"/files/{dist.project}/{dist.sha256[:16]}/{dist.filename}").body

    def nothing_kept(self) -> None:
        self.assertEqual((self.kept_blobs(), self.kept_sidecars(), self.staged()), (set(), [], []))


class AcceptedTests(UploadTestCase):
    def test_what_was_uploaded_is_served_at_once(self) -> None:
        for dist in (self.demo, sdist("demo"), wheel("demo", "2.0", size=2**19)):
            self.publish(dist)
            self.assertEqual(self.served(dist), dist.content)
        self.assertEqual(self.staged(), [])

    def test_fields_may_come_in_any_order(self) -> None:
        """The file first, as some do; last, as twine does; in the middle."""
        fields = fields_of(self.demo)
        for number, (ordered, first) in enumerate(((fields, True), (fields, False), (fields[::-1], True))):
            dist = wheel("demo", f"{number}")
            again = [(name, dict(fields_of(dist))[name]) for name, _ in ordered]
            self.assertEqual(self.send(multipart(again, dist, content_first=first)).status, 200)
            self.assertEqual(self.served(dist), dist.content)

    def test_part_needs_no_content_type(self) -> None:
        self.assertEqual(self.send(multipart(fields_of(self.demo), self.demo, content_type=None)).status, 200)

    def test_fields_that_are_empty_unknown_or_many_are_no_trouble(self) -> None:
        more = [(name, "") for name in ("requires_python", "md5_digest", "home_page", "summary")]
        more += [("classifiers", "A :: B"), ("classifiers", "A :: C"), ("author", "UNKNOWN"), ("sha9", "x" * 100)]
        self.assertEqual(self.send(multipart([*fields_of(self.demo), *more], self.demo)).status, 200)

    def test_every_digest_that_is_given_is_checked_and_none_is_needed(self) -> None:
        self.assertEqual(self.upload(self.demo, sha256_digest=None).status, 200)
        answer = self.upload(wheel("demo", "2.0"), md5_digest="0" * 32, blake2_256_digest="1" * 64)
        self.assertEqual(answer.status, 400)
        self.assertIn("md5", answer.text)
        self.assertIn("blake2_256", answer.text)

    def test_upload_in_chunks_needs_no_length(self) -> None:
        content_type, body = multipart(fields_of(self.demo), self.demo)
        framing = {"Content-Type": content_type, "Transfer-Encoding": "chunked"}
        pieces = [body[at : at + 100] for at in range(0, len(body), 100)]
        self.assertEqual(self.ask("POST", "/", {**ALICE, **framing}, chunked(*pieces)).status, 200)

    def test_upload_byte_by_byte_is_the_same(self) -> None:
        content_type, body = multipart(fields_of(self.demo), self.demo)
        peer = self.connect()
        peer.ask("POST", "/", {**ALICE, "Content-Type": content_type, "Content-Length": str(len(body))})
        for byte in body:
            peer.send(bytes([byte]))
        self.assertEqual(peer.answer().status, 200)
        self.assertEqual(self.served(self.demo), self.demo.content)

    def test_uploading_the_same_again_is_no_error(self) -> None:
        """A CI job that is run again must not fail."""
        self.publish(self.demo)
        answer = self.upload(self.demo)
        self.assertEqual((answer.status, answer.text), (200, "this very file was already there\n"))

    def test_warnings_are_told_one_a_line(self) -> None:
        """twine shows them with --verbose."""
        made = sdist("demo-pkg", extra_files={"setup.py": b""})
        old = replace(made, filename=made.filename.replace("_", "-"))
        answer = self.upload(old)
        self.assertEqual(answer.status, 200)
        (warning,) = answer.text.splitlines()
        self.assertIn("demo-pkg-1.0.tar.gz", warning)

    def test_other_bytes_under_the_name_are_refused_in_the_words_that_twine_knows(self) -> None:
        self.publish(self.demo)
        other = wheel("demo", summary="Another")
        answer = self.upload(other)
        self.assertEqual(answer.status, 400)
        self.assertTrue(answer.reason.startswith("File already exists"), answer.reason)
        self.assertTrue(answer.text.startswith("File already exists"), answer.text)
        self.assertEqual(self.served(self.demo), self.demo.content)


class VolatileTests(UploadTestCase):
    """B49"""

    def snapshot(self) -> Snapshot:
        snapshot = super().snapshot()
        return replace(snapshot, hosted={**snapshot.hosted, OWN: UploadRules(volatile=True)})

    def test_other_bytes_take_the_place_of_those_that_are_there(self) -> None:
        """On this index alone; the same bytes in two indexes are none the worse for it."""
        other = wheel("demo", summary="Another")
        for target in ("/main/", "/own/"):
            self.publish(self.demo, target)
        self.publish(other, "/own/")
        self.assertEqual(self.upload(other, "/main/").status, 400)
        for target, there, gone in (("/own", other, self.demo), ("/main", self.demo, other)):
            self.assertIn(there.sha256, self.get(f"{target}/simple/demo/").text)
            self.assertEqual(self.get(self.url_of(there, target)).body, there.content)
            self.assertEqual(self.get(self.url_of(gone, target)).status, 404)

    @staticmethod
    def url_of(dist: Dist, target: str) -> str:
        return f"{target}/files/demo/{dist.sha256[:16]}/{dist.filename}"


class RefusedTests(UploadTestCase):
    def test_all_that_is_missing_is_said_at_once(self) -> None:
        answer = self.send(multipart([("comment", "hello")], None))
        self.assertEqual(answer.status, 400)
        for word in (":action", "name: missing", "version: missing", "filetype", "does not have a file"):
            self.assertIn(word, answer.text)
            self.assertIn(word, answer.reason)

    def test_bytes_that_are_not_those_that_were_meant(self) -> None:
        answer = self.upload(self.demo, sha256_digest="0" * 64)
        self.assertEqual(answer.status, 400)
        self.assertIn("does not match a digest calculated", answer.reason)
        self.nothing_kept()

    def test_names_that_do_not_agree(self) -> None:
        """B51"""
        for field, value in (("name", "other"), ("version", "2.0"), ("filetype", "sdist")):
            answer = self.upload(self.demo, **{field: value})
            self.assertEqual(answer.status, 400, field)
            self.assertIn(value, answer.text)
        inside = wheel("inside")
        answer = self.send(multipart(fields_of(self.demo), inside, filename=self.demo.filename))
        self.assertEqual(answer.status, 400, "the METADATA is another project's")
        self.nothing_kept()

    def test_names_that_are_spelled_otherwise_agree(self) -> None:
        self.assertEqual(self.upload(wheel("my-pkg"), name="My.Pkg", version="1.0.0").status, 200)

    def test_filenames_that_are_none(self) -> None:
        """B50"""
        good = self.demo.filename
        for bad in (
            "", ".", "..", ".whl", "demo.whl", "-demo-1.0-py3-none-any.whl", f"../{good}", f"a/{good}", f"%2f{good}",
            f"{good}.exe", f"{good}/", f"{good}\x00", f" {good}", f"{good} ", f"\u202e{good}", "CON", "demo-1.0.zip",
            f"demo-1.0-{'9' * 300}-py3-none-any.whl", "demo-1.0.tar.gz\\", f"a\\\\{good}",
            f'{good}\\"', "demo-x.tar.gz", "-demo-1.0.tar.gz", "demo-1.0-py3-none-%2fany.whl",
            "demo-1.0-py3-none-any?x.whl", "demo-1.0-1<b>-py3-none-any.whl", "demo-1.0-py3-none-a;ny.whl",
        ):  # fmt: skip
            answer = self.send(multipart(fields_of(self.demo), self.demo, filename=bad))
            self.assertEqual(answer.status, 400, bad)
            self.nothing_kept()

    def test_filename_cannot_put_a_header_into_the_answer(self) -> None:
        for bad in ("x\r\nX-Evil: 1\r\n\r\n", "x%0d%0aX-Evil: 1", "x\\r\\nX-Evil: 1"):
            answer = self.send(multipart(fields_of(self.demo), self.demo, filename=bad))
            self.assertEqual(answer.status, 400)
            self.assertNotIn("X-Evil", answer.headers)

    def test_two_files(self) -> None:
        content = part(f'name="content"; filename="{self.demo.filename}"', self.demo.content)
        texts = [part(f'name="{name}"', value.encode()) for name, value in fields_of(self.demo)]
        for parts in ((content, content), (part('name="content"', b"text"),)):
            answer = self.send(form(*texts, *parts))
            self.assertEqual(answer.status, 400)
            self.assertIn("content", answer.reason)
            self.nothing_kept()

    def test_file_that_says_it_is_something_else(self) -> None:
        """B52"""
        for content_type in ("image/png", "Image/SVG+xml", "text/html; charset=utf-8"):
            answer = self.send(multipart(fields_of(self.demo), self.demo, content_type=content_type))
            self.assertEqual((answer.status, "Invalid distribution file" in answer.reason), (400, True))
            self.nothing_kept()

    def test_body_that_is_no_form(self) -> None:
        for content_type in ("", "application/octet-stream", "multipart/form-data", "multipart/mixed; boundary=x"):
            answer = self.send((content_type, b"hello"))
            self.assertEqual(answer.status, 400)
            self.assertIn("multipart/form-data", answer.reason)

    def test_request_without_a_body(self) -> None:
        answer = self.send((multipart([], None)[0], b""))
        self.assertEqual((answer.status, answer.text), (400, "The request has no body.\n"))


class ElsewhereTests(UploadTestCase):
    def test_nothing_can_be_uploaded_to_a_mirror(self) -> None:
        answer = self.upload(self.demo, "/root/pypi/")
        self.assertEqual(answer.status, 403)
        self.assertIn("root/pypi mirrors another index", answer.reason)

    def test_index_that_is_not_there(self) -> None:
        answer = self.upload(self.demo, "/nowhere/")
        self.assertEqual(answer.status, 404)
        self.assertIn("there is no index nowhere", answer.text)

    def test_full_disk_is_said(self) -> None:
        for step in ("_create", "_write", "_link"):
            self.disk.full = {step}
            answer = self.upload(self.demo)
            self.assertEqual(answer.status, 507, step)
            self.assertIn("No space left on device", answer.reason)
            self.nothing_kept()
        self.disk.full = set()
        self.publish(self.demo)

    def test_longest_body_that_is_accepted(self) -> None:
        content_type, body = multipart(fields_of(self.demo), self.demo)
        padded = body + b"\r\n" * ((MAX_UPLOAD - len(body)) // 2) + b"\n" * (len(body) % 2)
        self.assertEqual(len(padded), MAX_UPLOAD)
        self.assertNotEqual(self.send((content_type, padded)).status, 413)
        self.assertEqual(self.send((content_type, padded + b"\n")).status, 413)


class LockedTests(UploadTestCase):
    """C25: a shell or a backup has hosted.db locked for longer than anybody waits."""

    def setUp(self) -> None:
        with patch("pypid.storage.database.BUSY_TIMEOUT_MS", 1):
            super().setUp()

    def test_c25_is_a_503_that_says_when_to_come_back(self) -> None:
        with closing(sqlite3.connect(self.data / "hosted.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            answer = self.upload(self.demo)
            self.assertEqual((answer.status, answer.headers["Retry-After"]), (503, "5"))
            self.assertEqual(answer.reason, "hosted.db is in use by another program; ask again")
        self.assertEqual(self.kept_sidecars(), [])
        self.publish(self.demo)
