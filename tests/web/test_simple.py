"""Project pages and lists: which form, validated how, kept how long."""

import gzip
import json
from email.message import Message

from tests.indexes.stores import RULES
from tests.kit.dists import sdist, wheel
from tests.web.world import Answer, WebTestCase

JSON = "application/vnd.pypi.simple.v1+json"
HTML_V1 = "application/vnd.pypi.simple.v1+html"
PIP = f"{JSON}, {HTML_V1}; q=0.1, text/html; q=0.01"


def kind(answer: Answer) -> str:
    headers: Message = answer.headers
    return headers.get_content_type()


class SimpleTestCase(WebTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.demo = self.publish(wheel("demo"))

    def forms(self, target: str) -> list[Answer]:
        """Return the six representations that there are of ``target``."""
        return [
            self.get(target, {"Accept": accept, "Accept-Encoding": coding})
            for accept in (JSON, HTML_V1, "text/html")
            for coding in ("identity", "gzip")
        ]


class NegotiationTests(SimpleTestCase):
    def test_each_client_gets_what_it_reads(self) -> None:
        asked = {None: "text/html", PIP: JSON, "*/*": "text/html", HTML_V1: HTML_V1, "text/html": "text/html"}
        for target in ("/simple/", "/simple/demo/"):
            for accept, expected in asked.items():
                answer = self.get(target, {"Accept": accept} if accept else {})
                self.assertEqual((answer.status, kind(answer)), (200, expected), (target, accept))

    def test_accept_may_come_in_several_lines(self) -> None:
        peer = self.connect()
        peer.send(
            b"GET /simple/demo/ HTTP/1.1\r\nHost: x\r\nAccept: text/html;q=0.1\r\nAccept: %b\r\n\r\n" % JSON.encode()
        )
        self.assertEqual(kind(peer.answer()), JSON)

    def test_only_html_names_its_charset(self) -> None:
        """JSON is UTF-8 by definition; uv and poetry compare the type as a whole."""
        self.assertEqual(self.get("/simple/demo/").headers["Content-Type"], "text/html; charset=utf-8")
        self.assertEqual(self.get("/simple/demo/", {"Accept": JSON}).headers["Content-Type"], JSON)

    def test_none_of_the_accepted_is_a_406_that_names_what_there_is(self) -> None:
        for target in ("/simple/", "/simple/demo/"):
            answer = self.get(target, {"Accept": "image/png"})
            self.assertEqual(answer.status, 406)
            self.assertIn(JSON, answer.reason)
            self.assertIn("text/html", answer.text)

    def test_every_form_lists_the_file(self) -> None:
        for answer in self.forms("/simple/demo/"):
            gzipped = answer.headers["Content-Encoding"] == "gzip"
            body = gzip.decompress(answer.body) if gzipped else answer.body
            self.assertIn(self.demo.filename.encode(), body)

    def test_json_list_and_page_are_those_of_the_standard(self) -> None:
        page = json.loads(self.get("/simple/demo/", {"Accept": JSON}).body)
        self.assertEqual((page["name"], page["versions"]), ("demo", ["1.0"]))
        self.assertEqual(page["files"][0]["hashes"], {"sha256": self.demo.sha256})
        listed = json.loads(self.get("/simple/", {"Accept": JSON}).body)
        self.assertEqual(listed["projects"], [{"name": "demo"}])


class ValidationTests(SimpleTestCase):
    def test_each_representation_has_a_strong_etag_of_its_own(self) -> None:
        for target in ("/simple/", "/simple/demo/"):
            etags = [answer.headers["ETag"] for answer in self.forms(target)]
            self.assertEqual(len(set(etags)), 6)
            for etag in etags:
                self.assertRegex(etag, r'^"[^"]+"$')

    def test_length_is_that_of_what_is_sent_and_vary_says_why(self) -> None:
        for target in ("/simple/", "/simple/demo/"):
            for answer in self.forms(target):
                self.assertEqual(answer.headers["Content-Length"], str(len(answer.body)))
                self.assertEqual(answer.headers["Vary"], "Accept, Accept-Encoding")
                self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")

    def test_client_that_has_it_gets_304_with_what_a_cache_needs(self) -> None:
        for target in ("/simple/", "/simple/demo/"):
            whole = self.get(target, {"Accept": JSON})
            for tag in (whole.headers["ETag"], "W/" + whole.headers["ETag"], f'"x", {whole.headers["ETag"]}', "*"):
                answer = self.get(target, {"Accept": JSON, "If-None-Match": tag})
                self.assertEqual((answer.status, answer.body), (304, b""), tag)
                for name in ("ETag", "Cache-Control", "Vary"):
                    self.assertEqual(answer.headers[name], whole.headers[name])
                self.assertNotIn("Content-Type", answer.headers)

    def test_another_form_is_not_taken_for_the_one_the_client_has(self) -> None:
        etag = self.get("/simple/demo/", {"Accept": JSON}).headers["ETag"]
        self.assertEqual(self.get("/simple/demo/", {"Accept": HTML_V1, "If-None-Match": etag}).status, 200)
        gzipped = {"Accept": JSON, "Accept-Encoding": "gzip", "If-None-Match": etag}
        self.assertEqual(self.get("/simple/demo/", gzipped).status, 200)

    def test_upload_changes_the_etag_at_once(self) -> None:
        etag = self.get("/simple/demo/").headers["ETag"]
        self.publish(sdist("demo", "2.0"))
        answer = self.get("/simple/demo/", {"If-None-Match": etag})
        self.assertEqual(answer.status, 200)
        self.assertIn(b"demo-2.0.tar.gz", answer.body)

    def test_gzip_is_sent_to_who_asks_for_it_only(self) -> None:
        for target in ("/simple/", "/simple/demo/"):
            plain = self.get(target)
            self.assertNotIn("Content-Encoding", plain.headers)
            self.assertNotIn("Content-Encoding", self.get(target, {"Accept-Encoding": "gzip;q=0"}).headers)
            zipped = self.get(target, {"Accept-Encoding": "gzip, deflate, br"})
            self.assertEqual(zipped.headers["Content-Encoding"], "gzip")
            self.assertEqual(gzip.decompress(zipped.body), plain.body)


class CacheControlTests(SimpleTestCase):
    def test_what_can_be_uploaded_to_is_revalidated_each_time(self) -> None:
        self.index.add(wheel("other"))
        self.publish(wheel("demo"), "/own/")
        for target in ("/simple/demo/", "/simple/other/", "/own/simple/demo/", "/simple/", "/own/simple/"):
            answer = self.get(target)
            self.assertEqual((answer.status, answer.headers["Cache-Control"]), (200, "no-cache"), target)

    def test_mirrored_page_may_be_kept_for_what_is_left(self) -> None:
        self.index.add(wheel("other"))
        ages = {0: RULES.ttl, 250.5: RULES.ttl - 251, RULES.ttl - 0.5: None}
        for age, left in ages.items():
            self.clock.rightNow = age
            cache_control = self.get("/root/pypi/simple/other/").headers["Cache-Control"]
            self.assertEqual(cache_control, f"max-age={left}, public" if left else "no-cache", age)

    def test_errors_are_not_kept(self) -> None:
        for target in ("/simple/absent/", "/nowhere/simple/", "/root/pypi/simple/absent/"):
            answer = self.get(target)
            self.assertEqual((answer.status, answer.headers["Cache-Control"]), (404, "no-store"), target)
