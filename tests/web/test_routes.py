"""Every URL: where it leads, what it links to, and to whom it is closed."""

import re
from urllib.parse import urljoin

from tests.kit.dists import wheel
from tests.web.world import WebTestCase

POSTS = ("/", "/legacy", "/legacy/", "/simple", "/simple/", "/pypi", "/pypi/")
INDEX_POSTS = ("", "/", "/legacy", "/legacy/")


class RedirectTests(WebTestCase):
    def test_other_spellings_lead_to_the_page(self) -> None:
        self.publish(wheel("demo-pkg"))
        self.publish(wheel("demo-pkg"), "/root/dev/")
        for prefix in ("", "/main", "/root/dev"):
            for path in ("/simple", "/simple/Demo_Pkg", "/simple/demo-pkg", "/simple/DEMO.pkg/", "/simple/demo%5Fpkg/"):
                answer = self.get(f"{prefix}{path}?a=1&b=%20")
                location = answer.headers["Location"]
                self.assertEqual((answer.status, answer.body), (302, b""), path)
                self.assertNotRegex(location, "^(/|[a-z]+:)", "the location is relative")
                target = urljoin(f"{prefix}{path}", location)
                expected = f"{prefix}/simple/" + ("" if path == "/simple" else "demo-pkg/")
                self.assertEqual(target, f"{expected}?a=1&b=%20")
                self.assertEqual(self.get(target).status, 200)

    def test_redirect_may_not_be_kept(self) -> None:
        """pip would keep a permanent one for ever."""
        self.assertEqual(self.get("/simple/Demo/").headers["Cache-Control"], "no-store")

    def test_post_is_never_redirected(self) -> None:
        """twine refuses to follow, others would send the file a second time."""
        spelled = ("/simple/Demo/", "/simple/demo", "/main/simple", "/main/simple/", "/files/demo", "/-/health")
        uploads = [*POSTS, *(f"/{index}{end}" for index in ("main", "root/dev", "Main") for end in INDEX_POSTS)]
        for target in (*uploads, *spelled):
            answer = self.ask("POST", target, body=b"x")
            self.assertNotIn(answer.status // 100, (2, 3), target)
            self.assertNotIn("Location", answer.headers)


class UploadUrlTests(WebTestCase):
    def test_every_url_of_uploaders_is_one(self) -> None:
        for number, target in enumerate(POSTS):
            self.publish(wheel("demo", f"{number}"), target)
            self.assertIn(f"demo-{number}-".encode(), self.get("/main/simple/demo/").body)

    def test_index_of_the_url_is_the_one_uploaded_to(self) -> None:
        for number, end in enumerate(INDEX_POSTS):
            for index in ("own", "root/dev"):
                self.publish(wheel("demo", f"{number}"), f"/{index}{end}")
                self.assertIn(f"demo-{number}-".encode(), self.get(f"/{index}/simple/demo/").body)
        self.assertEqual(self.get("/simple/demo/").status, 404)


class LinkTests(WebTestCase):
    def test_links_of_every_page_lead_to_the_files(self) -> None:
        """Links are relative, so that one page is right under every prefix."""
        demo = wheel("demo-pkg")
        self.index.add(demo)
        for target in ("/", "/own/", "/root/dev/"):
            self.publish(demo, target)
        for prefix in ("", "/main", "/own", "/root/dev", "/root/pypi"):
            page = f"{prefix}/simple/demo-pkg/"
            (link,) = re.findall(r'href="([^"#]+)#sha256=', self.get(page).text)
            self.assertTrue(link.startswith("../"), link)
            self.assertEqual(self.get(urljoin(page, link)).body, demo.content, prefix)
            self.assertEqual(self.get(urljoin(page, link) + ".metadata").body, demo.metadata, prefix)
            listing = f"{prefix}/simple/"
            (link,) = re.findall(r'href="([^"]+)"', self.get(listing).text)
            self.assertEqual(urljoin(listing, link), page)


class MethodTests(WebTestCase):
    def test_head_is_get_without_a_body_everywhere(self) -> None:
        demo = self.publish(wheel("demo"))
        file = f"/files/demo/{demo.sha256[:16]}/{demo.filename}"
        found = ("/", "/-/health", "/simple/", "/simple/demo/", "/simple/Demo/", "/simple", file, f"{file}.metadata")
        absent = ("/simple/absent/", "/nowhere/simple/", "/no/such/thing", f"{file}.asc", f"{file}.provenance")
        for target in found + absent:
            get, head = self.get(target), self.ask("HEAD", target)
            for answer in (get, head):
                # Not of the document, and the first one to ask may be told something else than the second.
                del answer.headers["Date"], answer.headers["Cache-Status"]
            self.assertEqual((head.status, head.reason, head.body), (get.status, get.reason, b""), target)
            self.assertEqual(head.headers.items(), get.headers.items(), target)

    def test_other_methods_are_refused_and_told_which_are_not(self) -> None:
        demo = self.publish(wheel("demo"))
        file = f"/files/demo/{demo.sha256[:16]}/{demo.filename}"
        for target in ("/simple/demo/", file, f"{file}.metadata", f"/main{file}"):
            for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "POST"):
                answer = self.ask(method, target)
                self.assertEqual(answer.status, 405, method)
                self.assertLessEqual({"GET", "HEAD"}, set(answer.headers["Allow"].split(", ")))
                self.assertNotIn("TRACE", answer.text)

    def test_method_that_is_none_is_a_501(self) -> None:
        """Methods have one case: 'get' must not be answered as if it were GET, nor 'head' with a body."""
        self.publish(wheel("demo"))
        for method in ("get", "head", "GETT", "X-Y!", "CONNECT", "M" * 8000):
            peer = self.connect()
            peer.ask(method, "/simple/demo/")
            answer = peer.answer()
            self.assertEqual((answer.status, answer.body), (501, b""), method)
            self.assertTrue(peer.closed)


class SurfaceTests(WebTestCase):
    def test_welcome_says_how_to_use_it_under_the_name_it_was_called_by(self) -> None:
        answer = self.get("/", {"Host": "packages.test:8080"})
        self.assertIn("pip install -i http://packages.test:8080/simple/", answer.text)
        self.assertEqual(answer.headers.get_content_type(), "text/plain")

    def test_health_needs_no_index(self) -> None:
        self.assertEqual(self.get("/-/health").text, "ok\n")

    def test_routing_error_is_plain_text(self) -> None:
        answer = self.get("/no/such/thing")
        self.assertEqual((answer.status, answer.headers.get_content_type()), (404, "text/plain"))
