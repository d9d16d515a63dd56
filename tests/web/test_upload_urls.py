"""Where uploads are taken, and what those are told that go elsewhere."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import urljoin

from tests.indexes.stores import MIRROR
from tests.kit.dists import wheel
from tests.web.test_upload import UploadTestCase
from tests.web.world import OWN

DEFAULT = (
    *("/", "/legacy/", "/legacy", "/simple/", "/simple", "/pypi/", "/pypi"),
    *("/main/", "/main", "/main/legacy/", "/main/legacy", "/main/pypi/", "/main/pypi"),
)
OTHERS = {
    "own": ("/own/", "/own", "/own/legacy/", "/own/legacy", "/own/pypi/", "/own/pypi"),
    "root/dev": ("/root/dev/", "/root/dev", "/root/dev/legacy/", "/root/dev/legacy", "/root/dev/pypi/"),
}
WRONG = (
    *("/simple/demo/", "/simple/demo", "/main/simple/", "/main/simple/demo/", "/+simple/", "/packages/"),
    *("/nosuch/", "/nosuch", "/no/such/at/all/", "/root/pypi/", "/root/pypi/legacy/", "/files/", "/demo/json"),
)


class UrlTests(UploadTestCase):
    def test_every_url_for_uploads(self) -> None:
        wanted = [("main", DEFAULT), *OTHERS.items()]
        for index, targets in wanted:
            for number, target in enumerate(targets):
                dist = wheel("demo", f"{number}.1")
                self.assertEqual(self.upload(dist, target).status, 200, target)
                self.assertIn(dist.filename, self.get(f"/{index}/simple/demo/").text, target)

    def test_what_goes_elsewhere_is_told_where_to(self) -> None:
        for target in WRONG:
            answer = self.upload(self.demo, target)
            self.assertIn(answer.status, (403, 404, 405), target)
            self.assertNotIn("Location", answer.headers)
            for said in (answer.reason, answer.text):
                self.assertIn("distributions are uploaded to http://pypid.test/", said, target)
        self.nothing_kept()

    def test_the_index_that_was_meant_is_named(self) -> None:
        """Else who follows what is said would publish in another index."""
        for target, named in {
            "/own/simple/": "own/",
            "/own/simple/demo/": "own/",
            "/own/legacy/demo": "own/",
            "/root/dev/simple/": "root/dev/",
            "/root/dev/packages/": "root/dev/",
            "/root/pypi/simple/": "",
            "/owner/simple/": "",
        }.items():
            told = self.upload(self.demo, target).text.strip()
            self.assertEqual(told.rpartition(" ")[2], f"http://pypid.test/{named}", target)

    def test_only_what_is_posted_as_an_upload_is_told(self) -> None:
        self.assertNotIn("uploaded to", self.get("/nosuch/at/all/").text)
        self.assertNotIn("uploaded to", self.ask("POST", "/-/nosuch", body=b"x").text)

    def test_default_index_that_takes_no_uploads(self) -> None:
        self.current.value = replace(self.current.value, default_index=MIRROR)
        told = self.upload(self.demo).reason
        self.assertIn("root/pypi mirrors another index", told)
        self.assertIn("distributions are uploaded to http://pypid.test/main/", told)
        self.current.value = replace(self.current.value, hosted={})
        self.assertIn("no index here takes uploads", self.upload(self.demo).reason)


class ProbeTests(UploadTestCase):
    """hatch looks below the URL that it uploads to, and follows no redirect."""

    def names(self, target: str) -> list[str]:
        answer = self.get(f"{target.rstrip('/')}/%2Bsimple/demo/", {"Accept": "*/*"})
        if answer.status == 404:
            return []
        self.assertEqual((answer.status, answer.headers.get_content_type()), (200, "text/html"), target)
        links = re.findall('<a href="([^"]+)"[^>]*>', answer.text)
        for link in links:
            at = urljoin(f"{target.rstrip('/')}/+simple/demo/", link)
            self.assertEqual(self.get(at.partition("#")[0]).status, 200, (target, at))
        return re.findall("<a [^>]+>([^<]+)</a>", answer.text)

    def test_every_url_for_uploads(self) -> None:
        for index, targets in [("main", DEFAULT), *OTHERS.items()]:
            for target in targets:
                self.assertEqual(self.names(target), [], target)
            self.publish(self.demo, f"/{index}/")
            for target in targets:
                self.assertEqual(self.names(target), [self.demo.filename], target)

    def test_what_the_mirror_has_is_not_published(self) -> None:
        """An upload must not be left out because a stranger has a file of that name, nor a name be told to upstream."""
        self.index.add(self.demo)
        for target in ("/legacy/", "/simple/", "/main/legacy/", "/pypi/"):
            self.assertEqual(self.names(target), [])
        self.assertEqual(self.index.requests, [])

    def test_where_nothing_can_be_uploaded(self) -> None:
        self.assertEqual(self.get("/root/pypi/legacy/+simple/demo/").status, 403)
        self.assertEqual(self.get("/nosuch/legacy/+simple/demo/").status, 404)
        self.publish(self.demo, f"/{OWN}/")
        self.assertEqual(self.get("/main/legacy/+simple/demo/").status, 404)
