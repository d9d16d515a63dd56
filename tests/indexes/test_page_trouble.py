"""What upstream withdraws, and what it gets wrong: an absence is believed, nonsense is not."""

from pypid.domain.breaker import FAILURES, PROBE_INTERVAL
from pypid.domain.errors import ProjectNotFound, UpstreamUnavailable
from pypid.domain.names import NormalizedName
from pypid.indexes.absences import ABSENT_TTL, GONE_TTL
from pypid.indexes.mirrored import RETRY_AFTER_FAILURE
from pypid.indexes.pages import MirroredPages
from tests.indexes.stores import RULES
from tests.indexes.test_pages import FILES_1, FILES_2, OLD_ENOUGH, PagesTestCase
from tests.kit.dists import wheel
from tests.kit.pages import PageStyle
from tests.kit.upstream import Rst, Status
from tests.upstream.network import start

JSON_ONLY = {"Content-Type": "application/vnd.pypi.simple.v1+json"}
PAGE = "/simple/demo/"


class AbsenceTests(PagesTestCase):
    def gone(self) -> None:
        self.failureResultOf(self.get(), ProjectNotFound)

    def test_absence_is_believed_for_a_minute(self) -> None:
        self.index.script(PAGE, Status(404))
        self.gone()
        self.clock.advance(ABSENT_TTL - 1)
        self.gone()
        self.assertEqual((self.asked(), ABSENT_TTL), (1, 60))
        self.clock.advance(1)
        self.assertEqual((self.got(), self.asked()), (FILES_1, 2))

    def test_withdrawn_project_is_gone_from_page_and_list_and_after_a_restart(self) -> None:
        self.got()
        self.clock.advance(OLD_ENOUGH)
        self.index.remove_project("demo")
        self.gone()
        self.gone()
        self.assertEqual(self.asked(), 2)
        self.pages = self.mirror_pages()
        self.gone()
        self.assertEqual((self.asked(), list(self.successResultOf(start(self.pages.known())))), (3, []))

    def test_withdrawal_found_behind_the_answer_counts_for_the_next(self) -> None:
        self.got()
        self.clock.advance(RULES.lifetime.ttl + 1)
        self.index.remove_project("demo")
        self.assertEqual(self.got(), FILES_1)
        self.gone()

    def test_project_that_comes_back_is_found_again(self) -> None:
        self.got()
        self.clock.advance(OLD_ENOUGH)
        self.index.script(PAGE, Status(404))
        self.gone()
        self.clock.advance(ABSENT_TTL)
        self.assertEqual(self.got(), FILES_1)

    def test_a25_lasting_absence_is_believed_for_an_hour_and_its_reason_is_passed_on(self) -> None:
        for status, reason in ((410, "410 Gone"), (451, "451 Unavailable For Legal Reasons")):
            self.index.script(PAGE, Status(status))
            for _ in range(2):
                why = self.failureResultOf(self.get(), ProjectNotFound).value
                self.assertIn(f"upstream says {reason}", str(why))
                self.clock.advance(GONE_TTL - 1)
                self.failureResultOf(self.get(), ProjectNotFound)
                self.clock.rightNow -= GONE_TTL - 1
            self.clock.advance(GONE_TTL)
        self.assertEqual((self.asked(), GONE_TTL), (2, 3600))
        self.assertEqual(self.got(), FILES_1)

    def test_a60_absence_outlives_no_clock_that_is_set_back(self) -> None:
        """By more than the minute for which it would have counted anyway."""
        self.index.script(PAGE, Status(404))
        self.gone()
        self.clock.rightNow -= 1_000_000
        self.clock.advance(ABSENT_TTL)
        self.assertEqual(self.got(), FILES_1)


class TroubleTests(PagesTestCase):
    def test_page_of_the_old_upstream_serves_while_the_new_one_is_down(self) -> None:
        """What is here goes on being installed; the new upstream is asked first, and again when it may be back."""
        self.got()
        self.pages = MirroredPages(
            self.mirroring(upstream="http://other.example/simple/", allow_hosts=["upstream.test"])
        )
        self.index.script(PAGE, Status(503))
        self.assertEqual((self.got(), self.got()), (FILES_1, FILES_1))
        self.assertEqual(self.asked(), 2)
        self.clock.advance(RETRY_AFTER_FAILURE)
        self.got()
        self.assertEqual(self.asked(), 3)
        self.assertNotIn("if-none-match", self.index.requests[2].headers)

    def test_upstream_that_is_down_is_not_asked_for_one_known_page_after_the_other(self) -> None:
        """Of an install of a hundred projects, one waits for it; a page that nobody knows is asked for all the same."""
        for name in ("one", "two"):
            self.index.add(wheel(name))
            self.successResultOf(start(self.pages.get(NormalizedName(name))))
        self.got()
        self.clock.advance(OLD_ENOUGH)
        self.index.script("/simple/*", Rst(), times=None)
        asked = len(self.index.requests)
        self.assertEqual(self.got(), FILES_1)
        for name in ("one", "two"):
            self.successResultOf(start(self.pages.get(NormalizedName(name))))
        self.assertLessEqual(len(self.index.requests) - asked, FAILURES)
        self.failureResultOf(start(self.pages.get(NormalizedName("unknown"))), UpstreamUnavailable)
        self.assertEqual(len(self.index.requests) - asked, FAILURES)
        self.clock.advance(PROBE_INTERVAL)
        for name in ("one", "two"):
            self.successResultOf(start(self.pages.get(NormalizedName(name))))
        self.assertEqual(len(self.index.requests) - asked, FAILURES + 1)

    def test_nonsense_for_one_page_says_nothing_of_the_others(self) -> None:
        self.index.add(wheel("one"))
        self.successResultOf(start(self.pages.get(NormalizedName("one"))))
        self.got()
        self.clock.advance(OLD_ENOUGH)
        self.index.script(PAGE, Status(200, JSON_ONLY, b"{"))
        self.assertEqual(self.got(), FILES_1)
        asked = len(self.index.requests)
        self.successResultOf(start(self.pages.get(NormalizedName("one"))))
        self.assertEqual(len(self.index.requests) - asked, 1)

    def test_login_page_does_not_empty_a_project(self) -> None:
        """A captive portal answers 200 with HTML and no files: the page that is known goes on being served."""
        self.got()
        self.clock.advance(OLD_ENOUGH)
        portal = b"<!DOCTYPE html><html><body><h1>Welcome</h1><a href='/login'>Sign in</a></body></html>"
        self.index.script(PAGE, Status(200, {"Content-Type": "text/html"}, portal))
        self.assertEqual(self.got(), FILES_1)
        self.clock.advance(RETRY_AFTER_FAILURE)
        self.assertEqual((self.got(), self.asked()), (FILES_1, 3))

    def test_unknown_page_of_an_upstream_in_trouble_is_never_not_found(self) -> None:
        for fault in (Rst(), Status(503), Status(403), Status(200, JSON_ONLY, b"{")):
            self.index.script(PAGE, fault)
            self.failureResultOf(self.get(), UpstreamUnavailable)
        self.assertEqual(self.got(), FILES_1, "and is not held against it")

    def test_old_page_is_kept_whatever_upstream_says(self) -> None:
        self.got()
        self.clock.advance(OLD_ENOUGH)
        garbage = (
            Status(200, JSON_ONLY, b""),
            Status(200, JSON_ONLY, b'{"files": 1}'),
            Status(200, JSON_ONLY, b'{"meta": {"api-version": "2.0"}, "name": "demo", "files": []}'),
            Status(200, JSON_ONLY, b'{"meta": {"api-version": "1.0"}, "name": "other", "files": []}'),
            Status(200, {"Content-Type": "text/html"}, b"welcome to the hotel's network"),
            Status(200, {"Content-Type": "text/plain"}, b"ok"),
            Status(200, JSON_ONLY | {"Content-Encoding": "gzip"}, b"not gzip"),
            Status(200, JSON_ONLY | {"Content-Encoding": "br"}, b"?"),
            Status(500),
            Status(204, body=b""),
            Rst(at=20),
        )
        for number, fault in enumerate(garbage, 2):
            self.index.script(PAGE, fault)
            self.assertEqual((self.got(), self.asked()), (FILES_1, number), fault)
            self.clock.advance(RETRY_AFTER_FAILURE)
        self.pages = self.mirror_pages()
        self.index.script(PAGE, Rst())
        self.assertEqual(self.got(), FILES_1, "on the disk, too")

    def test_upstream_in_trouble_is_asked_now_and_then_not_by_each_client(self) -> None:
        self.got()
        for age in (RULES.lifetime.ttl + 1, OLD_ENOUGH):
            self.clock.advance(age)
            self.index.script(PAGE, Status(503), Rst())
            before = self.asked()
            self.assertEqual([self.got(), self.got()], [FILES_1] * 2)
            self.assertEqual(self.asked() - before, 1)
            self.clock.advance(RETRY_AFTER_FAILURE)
            self.assertEqual([self.got(), self.got()], [FILES_1] * 2)
            self.assertEqual(self.asked() - before, 2)
            self.clock.advance(RETRY_AFTER_FAILURE)
            self.got()
            self.assertEqual(self.successResultOf(self.get()).max_age, RULES.lifetime.ttl, "all is well again")

    def test_damaged_page_on_our_disk_is_fetched_anew(self) -> None:
        self.got()
        database = self.database("cache")
        self.successResultOf(start(database.write(lambda c: c.execute("UPDATE page SET body = x'78'"))))
        self.pages = self.mirror_pages()
        self.assertEqual((self.got(), self.asked()), (FILES_1, 2))
        self.assertNotIn("if-none-match", self.index.requests[1].headers)

    def test_damaged_page_of_a_withdrawn_project_is_forgotten(self) -> None:
        self.got()
        database = self.database("cache")
        self.successResultOf(start(database.write(lambda c: c.execute("UPDATE page SET body = x'78'"))))
        self.pages = self.mirror_pages()
        self.index.remove_project("demo")
        self.failureResultOf(self.get(), ProjectNotFound)
        self.assertEqual(list(self.successResultOf(start(self.pages.known()))), [])


class FullDiskTests(PagesTestCase):
    """What cannot be written down can be fetched again: it costs no client its answer."""

    def test_new_changed_and_confirmed_pages_are_served(self) -> None:
        self.cache_writer.full = {"_write"}
        self.assertEqual(self.got(), FILES_1)
        self.clock.advance(OLD_ENOUGH)
        self.assertEqual((self.got(), self.asked()), (FILES_1, 2), "confirmed")
        self.clock.advance(OLD_ENOUGH)
        self.index.add(wheel("demo", "2.0"))
        self.assertEqual((self.got(), self.asked()), (FILES_2, 3))

    def test_withdrawn_project_is_gone(self) -> None:
        self.got()
        self.clock.advance(OLD_ENOUGH)
        self.index.remove_project("demo")
        self.cache_writer.full = {"_write"}
        self.failureResultOf(self.get(), ProjectNotFound)


class CompressedTests(PagesTestCase):
    style = PageStyle(gzip=True)

    def test_compressed_page_is_read_now_and_after_a_restart(self) -> None:
        self.assertEqual(self.got(), FILES_1)
        self.pages = self.mirror_pages()
        self.assertEqual((self.got(), self.asked()), (FILES_1, 1))


class HtmlTests(PagesTestCase):
    style = PageStyle(json=False, absolute_urls=False)

    def test_html_page_with_relative_links(self) -> None:
        (file,) = self.successResultOf(self.get()).files
        assert file.origin is not None
        self.assertEqual((file.filename, file.size), (FILES_1[0], None))
        self.assertTrue(file.origin.startswith("http://upstream.test/packages/"))
