"""Where an upstream may send us, and where nobody should go."""

from twisted.internet.defer import Deferred

from pypid.domain.errors import UpstreamBroken
from pypid.upstream.client import Absent, FetchedPage, Unchanged
from pypid.upstream.exchange import MAX_REDIRECTS
from tests.kit.dists import wheel
from tests.kit.upstream import Status, redirect
from tests.upstream.network import ROOT, UpstreamTestCase, start

OLD = "/simple/old/"


class RedirectTests(UpstreamTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.index.add(wheel("demo"))

    def ask(self, url: str = ROOT + OLD) -> Deferred[FetchedPage | Unchanged | Absent]:
        return start(self.client.page(url, etag='"held"', last_modified=None))

    def refuse(self, location: str, url: str = ROOT + OLD) -> None:
        self.index.script(OLD, redirect(location))
        before = len(self.index.requests)
        self.failureResultOf(self.ask(url), UpstreamBroken)
        self.assertEqual(len(self.index.requests), before + 1, f"{location!r} was followed")

    def test_each_kind_is_followed_to_a_page_that_says_where_it_is(self) -> None:
        for status in (301, 302, 303, 307, 308):
            for location in ("/simple/demo/", "../demo/", "//upstream.test/simple/demo/#there", f"{ROOT}/simple/demo/"):
                self.index.script(OLD, redirect(location, status))
                page = self.successResultOf(self.ask())
                assert isinstance(page, FetchedPage)
                self.assertEqual(page.url, f"{ROOT}/simple/demo/")

    def test_other_host_gets_no_more_than_the_first(self) -> None:
        self.index.script(OLD, redirect("http://elsewhere.test/simple/demo/"))
        self.successResultOf(self.ask())
        first, second = self.index.requests
        self.assertEqual(second.headers["host"], "elsewhere.test")
        self.assertEqual(set(second.headers), set(first.headers))

    def test_upgrade_to_https_is_followed(self) -> None:
        self.index.script(OLD, redirect("https://upstream.test/simple/demo/"))
        self.successResultOf(self.ask())
        self.assertEqual([seen.scheme for seen in self.index.requests], ["http", "https"])

    def test_downgrade_is_refused(self) -> None:
        self.refuse(f"{ROOT}/simple/demo/", "https://upstream.test" + OLD)

    def test_as_many_as_allowed_and_no_more(self) -> None:
        self.index.script(OLD, *[redirect(OLD)] * (MAX_REDIRECTS - 1), redirect("/simple/demo/"))
        self.assertIsInstance(self.successResultOf(self.ask()), FetchedPage)
        self.index.script(OLD, redirect(OLD), times=None)
        before = len(self.index.requests)
        self.failureResultOf(self.ask(), UpstreamBroken)
        self.assertEqual(len(self.index.requests) - before, 1 + MAX_REDIRECTS)

    def test_other_schemes_are_refused(self) -> None:
        for location in ("file:///etc/passwd", "ftp://upstream.test/x", "data:,x", "gopher://x/", "javascript:0"):
            self.refuse(location)

    def test_userinfo_is_refused(self) -> None:
        self.refuse("http://user@elsewhere.test/simple/demo/")
        self.refuse("http://user:secret@elsewhere.test/")

    def test_what_is_no_url_is_refused(self) -> None:
        for location in (
            "https://",
            "http://[half/",
            "http://upstream.test:99999/",
            "http://upstream.test:0/",
            "http://upstream.test:x/",
            "/simple/\xe9/",
            "/simple/demo page/",
        ):
            self.refuse(location)

    def test_long_location_is_followed_or_refused_but_ends(self) -> None:
        self.index.script(OLD, redirect("/" + "x" * 10_000))
        self.assertIsInstance(self.successResultOf(self.ask()), Absent)

    def test_a35_what_urllib_would_mend_is_refused(self) -> None:
        """It takes tabs and line ends out of a URL, and strips it: another parser would see another one."""
        for location in (
            "/simple/de\tmo/",
            "/simple/de\rmo/",
            "\x01/simple/demo/",
            "/simple/demo/\x1f",
            "/simple/\x7f/",
        ):
            self.refuse(location)

    def test_a35_an_empty_location_leads_nowhere(self) -> None:
        self.index.script(OLD, redirect(""), times=None)
        self.failureResultOf(self.ask(), UpstreamBroken)
        self.assertLessEqual(len(self.index.requests), 1 + MAX_REDIRECTS)

    def test_redirect_without_a_location_is_no_answer(self) -> None:
        self.index.script(OLD, Status(302))
        self.failureResultOf(self.ask(), UpstreamBroken)

    def test_no_secret_of_a_url_is_in_a_message(self) -> None:
        self.index.script(OLD, redirect("/simple/next/?token=secret"), Status(403))
        self.index.script("/simple/next/", Status(403))
        why = self.failureResultOf(self.ask("http://user:secret@upstream.test/simple/old/?token=secret"))
        self.assertNotIn("secret", str(why.value))
