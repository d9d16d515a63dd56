"""Project pages and lists: which form, validated how, kept how long."""

import gzip
import json
import sys
from email.message import Message
from urllib.parse import quote

from tests.indexes.stores import RULES
from tests.kit.dists import sdist, wheel
from tests.web.world import Answer, WebTestCase

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

JSON = "application/vnd.pypi.simple.v1+json"
HTML_V1 = "application/vnd.pypi.simple.v1+html"
LATEST = "application/vnd.pypi.simple.latest"
PIP = f"{JSON}, {HTML_V1}; q=0.1, text/html; q=0.01"


def kind(answer: Answer) -> str:
    headers: Message = answer.headers
    return headers.get_content_type()


def decoded(answer: Answer) -> bytes:
    match answer.headers["Content-Encoding"]:
        case "gzip":
            return gzip.decompress(answer.body)
        case "zstd":
            return zstd.decompress(answer.body)
    return answer.body


class SimpleTestCase(WebTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.demo = self.publish(wheel("demo"))

    def forms(self, target: str) -> list[Answer]:
        """Return the nine representations that there are of ``target``."""
        return [
            self.get(target, {"Accept": accept, "Accept-Encoding": coding})
            for accept in (JSON, HTML_V1, "text/html")
            for coding in ("identity", "gzip", "zstd")
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

    def test_format_of_the_url_wins_over_the_accept_header(self) -> None:
        """For people with a browser, and scripts that cannot set a header (PEP 691)."""
        for target in ("/simple/", "/simple/demo/"):
            for written in (JSON, f"{LATEST}+json", quote(f"{LATEST}+json")):
                for accept in ("text/html", "image/png", "*/*"):
                    answer = self.get(f"{target}?format={written}", {"Accept": accept})
                    self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, JSON), written)
                    json.loads(answer.body)
            self.assertEqual(kind(self.get(f"{target}?format={HTML_V1}", {"Accept": PIP})), HTML_V1)
            self.assertEqual(kind(self.get(f"{target}?format=text/html", {"Accept": PIP})), "text/html")
            for unknown in ("", "json", "application/json", "%ff", "application/vnd.pypi.simple.v2%2Bjson"):
                answer = self.get(f"{target}?format={unknown}", {"Accept": PIP})
                self.assertEqual((answer.status, answer.headers["Vary"]), (406, "Accept, Accept-Encoding"), unknown)
                self.assertIn("there is no format", answer.reason)
                self.assertIn(JSON, answer.reason)

    def test_alias_is_answered_with_the_type_that_it_stands_for(self) -> None:
        for alias, concrete in ((f"{LATEST}+json", JSON), (f"{LATEST}+html", HTML_V1)):
            answer = self.get("/simple/demo/", {"Accept": alias})
            self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, concrete))

    def test_every_form_lists_the_file(self) -> None:
        for answer in self.forms("/simple/demo/"):
            self.assertIn(self.demo.filename.encode(), decoded(answer))

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
            self.assertEqual(len(set(etags)), 9)
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

    def test_whatever_is_answered_says_what_it_depends_on(self) -> None:
        """A cache in between must not give one client's 406, 304 or 404 to the next."""
        for target, headers, status in (
            ("/simple/demo/", {"If-None-Match": "*"}, 304),
            ("/simple/", {"If-None-Match": "*"}, 304),
            ("/simple/demo/", {"Accept": "image/png"}, 406),
            ("/simple/", {"Accept": "image/png"}, 406),
            ("/simple/demo/?format=json", {}, 406),
            ("/simple/absent/", {}, 404),
        ):
            answer = self.get(target, headers)
            self.assertEqual((answer.status, answer.headers.get_all("Vary")), (status, ["Accept, Accept-Encoding"]))

    def test_each_coding_is_validated_by_its_own_etag(self) -> None:
        """uv drops what it has when a 304 names no tag, or another one."""
        tags = {}
        for coding in ("identity", "gzip", "zstd"):
            headers = {"Accept": JSON, "Accept-Encoding": coding}
            tags[coding] = self.get("/simple/demo/", headers).headers["ETag"]
            again = self.get("/simple/demo/", {**headers, "If-None-Match": tags[coding]})
            self.assertEqual((again.status, again.headers["ETag"]), (304, tags[coding]))
            self.assertNotIn("Content-Encoding", again.headers)
        zipped = {"Accept": JSON, "Accept-Encoding": "gzip", "If-None-Match": tags["zstd"]}
        self.assertEqual(self.get("/simple/demo/", zipped).status, 200)

    def test_zstd_is_sent_to_who_names_it(self) -> None:
        """uv and poetry do."""
        for target in ("/simple/", "/simple/demo/"):
            plain = self.get(target)
            for coding in ("gzip, deflate, zstd", "zstd,gzip,deflate"):
                answer = self.get(target, {"Accept-Encoding": coding})
                self.assertEqual(answer.headers["Content-Encoding"], "zstd")
                self.assertEqual(answer.headers["Content-Length"], str(len(answer.body)))
                self.assertEqual(zstd.decompress(answer.body), plain.body)
            self.assertEqual(self.get(target, {"Accept-Encoding": "*"}).headers["Content-Encoding"], "gzip")

    def test_compressing_again_makes_the_same_bytes(self) -> None:
        """Else every client would fetch every page again after a restart."""
        for coding in ("gzip", "zstd"):
            headers = {"Accept-Encoding": coding}
            etag = self.get("/simple/demo/", headers).headers["ETag"]
            self.site = self.new_site()
            self.assertEqual(self.get("/simple/demo/", headers).headers["ETag"], etag)

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
        ages = {0: RULES.lifetime.ttl, 250.5: RULES.lifetime.ttl - 251, RULES.lifetime.ttl - 0.5: None}
        for age, left in ages.items():
            self.clock.rightNow = age
            cache_control = self.get("/root/pypi/simple/other/").headers["Cache-Control"]
            self.assertEqual(cache_control, f"max-age={left}, public" if left else "no-cache", age)

    def test_errors_are_not_kept(self) -> None:
        for target in ("/simple/absent/", "/nowhere/simple/", "/root/pypi/simple/absent/"):
            answer = self.get(target)
            self.assertEqual((answer.status, answer.headers["Cache-Control"]), (404, "no-store"), target)
