"""The URLs that people type in place of the index's own: each leads an installer to pages whose links are right."""

import re
from urllib.parse import urljoin

from tests.kit.dists import Dist, sdist, wheel
from tests.web.forms import fields_of, multipart
from tests.web.world import ALICE, Answer, WebTestCase

JSON = "application/vnd.pypi.simple.v1+json"
HTML_V1 = "application/vnd.pypi.simple.v1+html"
PIP = f"{JSON}, {HTML_V1}; q=0.1, text/html; q=0.01"
UV = f"{JSON}, {HTML_V1};q=0.2, text/html;q=0.01"
POETRY = f"{JSON}, */*;q=0.1"
CURL = "*/*"
FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

INSTALLERS = (PIP, UV, POETRY)
PEOPLE = (CURL, FIREFOX, None)

TOPS = {
    "/": "/simple/",
    "/main/": "/main/simple/",
    "/root/dev/": "/root/dev/simple/",
    "/root/pypi/": "/root/pypi/simple/",
}
"""The URL of an index, and where its project list is."""

PAGES = {
    "/demo-pkg/": "/simple/demo-pkg/",
    "/demo-pkg": "/simple/demo-pkg/",
    "/Demo_Pkg/": "/simple/demo-pkg/",
    "/DEMO.pkg": "/simple/demo-pkg/",
    "/demo%5Fpkg/": "/simple/demo-pkg/",
    "/main/demo-pkg/": "/main/simple/demo-pkg/",
    "/main/demo-pkg": "/main/simple/demo-pkg/",
    "/main/Demo_Pkg/": "/main/simple/demo-pkg/",
    "/root/dev/demo-pkg/": "/root/dev/simple/demo-pkg/",
    "/root/dev/Demo.Pkg": "/root/dev/simple/demo-pkg/",
    "/root/pypi/demo-pkg/": "/root/pypi/simple/demo-pkg/",
    "/root/pypi/demo-pkg": "/root/pypi/simple/demo-pkg/",
}
"""What leads to the page of a project, and where that is."""

DEVPI = ("", "/main", "/own", "/root/dev", "/root/pypi")


def headers(accept: str | None) -> dict[str, str]:
    return {} if accept is None else {"Accept": accept}


class UrlTestCase(WebTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.demo = self.index.add(wheel("demo-pkg"))
        for target in ("/", "/own/", "/root/dev/"):
            self.publish(self.demo, target)

    def followed(self, target: str, accept: str | None) -> tuple[str, Answer]:
        """Follow redirects, each to be relative and kept by nobody; return where they end."""
        for _ in range(4):
            answer = self.get(target, headers(accept))
            if answer.status != 302:
                return target, answer
            location = answer.headers["Location"]
            self.assertNotRegex(location, "^(/|[a-z]+:)", "the location is relative")
            self.assertEqual(answer.headers["Cache-Control"], "no-store")
            target = urljoin(target, location)
        raise AssertionError(f"no end of redirects at {target}")

    def check_page(self, target: str, answer: Answer, dist: Dist) -> None:
        """Check that the page links the file, and that the link leads to it."""
        self.assertEqual(answer.status, 200, target)
        (link,) = re.findall(r'(?:href=|"url": ?)"([^"#]+)', answer.text)
        file = urljoin(target, link)
        self.assertEqual(self.get(file).body, dist.content, target)
        self.assertEqual(self.get(f"{file}.metadata").body, dist.metadata, target)


class TopTests(UrlTestCase):
    def test_installers_get_the_project_list(self) -> None:
        self.get("/root/pypi/simple/demo-pkg/")
        for top, expected in TOPS.items():
            for accept in INSTALLERS:
                end, answer = self.followed(top, accept)
                self.assertEqual((end, answer.status, answer.headers.get_content_type()), (expected, 200, JSON))
                self.assertIn("demo-pkg", answer.text)

    def test_people_are_told_how_to_use_it(self) -> None:
        for top in TOPS:
            for accept in PEOPLE:
                answer = self.get(top, {"Host": "packages.test:8080", **headers(accept)})
                self.assertEqual((answer.status, answer.headers.get_content_type()), (200, "text/plain"), (top, accept))
                self.assertIn(f"pip install -i http://packages.test:8080{top}simple/ NAME", answer.text)

    def test_only_what_takes_uploads_says_how_to_upload(self) -> None:
        for top in TOPS:
            how = f"twine upload --repository-url http://pypid.test{top} "
            self.assertEqual(how in self.get(top).text, top != "/root/pypi/", top)

    def test_both_answers_say_what_they_depend_on(self) -> None:
        for accept in (*INSTALLERS, *PEOPLE):
            for top in TOPS:
                self.assertEqual(self.get(top, headers(accept)).headers["Vary"], "Accept", (top, accept))

    def test_slash_may_be_left_out(self) -> None:
        for top, expected in TOPS.items():
            if top != "/":
                self.assertEqual(self.followed(top.rstrip("/"), PIP)[0], expected)
                self.assertEqual(self.followed(top.rstrip("/"), FIREFOX)[0], top)


class PageTests(UrlTestCase):
    def test_every_way_to_a_page(self) -> None:
        for target, expected in PAGES.items():
            for accept in (*INSTALLERS, *PEOPLE):
                end, answer = self.followed(target, accept)
                kind = JSON if accept in INSTALLERS else "text/html"
                self.assertEqual((end, answer.headers.get_content_type()), (expected, kind), (target, accept))
                self.check_page(end, answer, self.demo)

    def test_query_goes_along(self) -> None:
        answer = self.get(f"/demo-pkg/?format={JSON}")
        self.assertEqual(answer.headers["Location"], f"../simple/demo-pkg/?format={JSON}")

    def test_index_wins_over_a_project_of_its_name(self) -> None:
        for target in ("/", "/own/"):
            self.publish(wheel("own"), target)
        self.assertEqual(self.get("/own/").headers.get_content_type(), "text/plain")
        self.assertEqual(self.followed("/own/", PIP)[0], "/own/simple/")
        self.assertEqual(self.followed("/own/own/", PIP)[0], "/own/simple/own/")

    def test_project_that_is_not_there_is_a_404_in_the_end(self) -> None:
        for target in ("/absent/", "/main/absent/", "/root/dev/absent"):
            self.assertEqual(self.followed(target, PIP)[1].status, 404)

    def test_what_is_neither_index_nor_project_is_a_404(self) -> None:
        for target in (
            "/nowhere/demo-pkg/",
            "/demo-pkg/1.0/",
            "/main/demo-pkg/1.0/",
            "/root/nowhere/demo-pkg/",
            "/a/b/c/d/",
        ):
            for accept in (PIP, FIREFOX):
                self.assertEqual(self.get(target, headers(accept)).status, 404, target)

    def test_own_urls_are_no_projects(self) -> None:
        """What is meant for uploads says so to a GET; it does not look for a project of that name."""
        for target in ("/legacy/", "/main/legacy/", "/root/dev/legacy/"):
            self.assertEqual(self.get(target).status, 405, target)
        for target in ("/legacy", "/files/", "/static/", "/-/", "/main/files/", "/main/static/", "/files/demo-pkg/"):
            self.assertIn(self.get(target).status, (404, 405), target)
        self.assertEqual(self.index.requests, [])


class DevpiTests(UrlTestCase):
    def test_pages_and_lists_are_there_without_a_redirect(self) -> None:
        """hatch follows none; it asks with the plus in either spelling."""
        for prefix in DEVPI:
            for plus in ("+", "%2B", "%2b"):
                page = f"{prefix}/{plus}simple/demo-pkg/"
                for accept in (PIP, CURL):
                    self.check_page(page, self.get(page, headers(accept)), self.demo)
                listed = self.get(f"{prefix}/{plus}simple/")
                self.assertEqual((listed.status, listed.headers.get_content_type()), (200, "text/html"))
                (link,) = re.findall(r'href="([^"]+)"', listed.text)
                self.assertEqual(urljoin(f"{prefix}/+simple/", link), f"{prefix}/+simple/demo-pkg/")

    def test_hatch_finds_what_is_published(self) -> None:
        for upload_url in ("", "/main", "/own", "/root/dev"):
            page = self.get(f"{upload_url}/%2Bsimple/demo-pkg/", {"Accept": "*/*", **ALICE})
            self.assertEqual(re.findall("<a [^>]+>([^<]+)</a>", page.text), [self.demo.filename])

    def test_other_spellings_lead_there(self) -> None:
        for prefix in DEVPI:
            for path in ("/+simple", "/+simple/Demo_Pkg", "/%2Bsimple/demo-pkg", "/+simple/DEMO.pkg/"):
                end, answer = self.followed(f"{prefix}{path}", PIP)
                expected = "/+simple/" if path == "/+simple" else "/+simple/demo-pkg/"
                self.assertEqual((end.replace("%2B", "+"), answer.status), (f"{prefix}{expected}", 200))


class FileListTests(UrlTestCase):
    def links(self, target: str) -> list[str]:
        return [
            urljoin(target, link) for link in re.findall(r'href="([^"#]+)#sha256=[0-9a-f]{64}"', self.get(target).text)
        ]

    def test_every_uploaded_file_is_linked(self) -> None:
        source, other = self.publish(sdist("demo-pkg", "2.0")), self.publish(wheel("other"))
        links = self.links("/packages/")
        self.assertEqual([self.get(link).body for link in links], [d.content for d in (self.demo, source, other)])
        self.assertEqual(len(self.links("/root/dev/packages/")), 1)
        self.assertEqual(self.get("/packages/", headers(PIP)).headers.get_content_type(), "text/html")

    def test_mirrored_projects_are_not_in_it_and_nobody_is_asked_for_them(self) -> None:
        self.index.add(wheel("mirrored"))
        self.get("/simple/mirrored/")
        asked = len(self.index.requests)
        self.assertNotIn("mirrored", self.get("/packages/").text)
        self.assertEqual(self.links("/root/pypi/packages/"), [])
        self.assertEqual(len(self.index.requests), asked)

    def test_it_is_validated_each_time(self) -> None:
        first = self.get("/packages/")
        self.assertEqual((first.headers["Cache-Control"], first.headers["Vary"]), ("no-cache", "Accept-Encoding"))
        again = self.get("/packages/", {"If-None-Match": first.headers["ETag"]})
        self.assertEqual((again.status, again.body), (304, b""))
        self.publish(wheel("other"))
        self.assertEqual(self.get("/packages/", {"If-None-Match": first.headers["ETag"]}).status, 200)

    def test_slash_may_be_left_out(self) -> None:
        for prefix in ("", "/main", "/root/dev"):
            self.assertEqual(self.followed(f"{prefix}/packages", CURL)[0], f"{prefix}/packages/")


class UploadTests(UrlTestCase):
    def test_post_keeps_its_meaning_where_a_get_is_redirected(self) -> None:
        for number, target in enumerate(("/", "/main/", "/main", "/root/dev/", "/root/dev")):
            new = wheel("demo-pkg", f"{number}.5")
            content_type, body = multipart(fields_of(new), new)
            wanted = {**ALICE, "Content-Type": content_type, "Accept": PIP}
            answer = self.ask("POST", target, wanted, body)
            self.assertEqual((answer.status, answer.body), (200, b""), target)

    def test_post_to_a_project_is_no_upload(self) -> None:
        for target in (
            "/demo-pkg/",
            "/demo-pkg",
            "/main/demo-pkg/",
            "/+simple/demo-pkg/",
            "/main/+simple/",
            "/packages/",
        ):
            answer = self.ask("POST", target, body=b"x")
            self.assertIn(answer.status, (404, 405), target)
            self.assertNotIn("Location", answer.headers)
